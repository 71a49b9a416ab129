/* A completion is a semaphore whose permits are events; one that is for all has permits without end. */
#include <sync/completion.h>

#include <base/assert.h>

#include "semaphore_internal.h"

static_assert(offsetof(struct completion, events) == 0, "reports are told the completion's address");

void completion_init(struct completion *completion, const char *name)
{
    *completion = (struct completion)COMPLETION_INITIALIZER(*completion, name);
}

void completion_complete_all(struct completion *completion)
{
    semaphore_post_endless(&completion->events);
}

bool completion_is_done(const struct completion *completion)
{
    return semaphore_permits(&completion->events) > 0;
}

void completion_reset(struct completion *completion)
{
    uint64_t flags = spinlock_lock_irqsave(&completion->events.lock);

    completion->events.permits = 0;
    spinlock_unlock_irqrestore(&completion->events.lock, flags);
}

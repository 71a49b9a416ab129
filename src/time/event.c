/* Which event source is used, and programming it. */
#include "clock_internal.h"

#include <base/errno.h>
#include <cpu/interrupts.h>
#include <debug/log.h>
#include <time/clock.h>

#define TRIAL_NS    (20 * NS_PER_US)
#define PATIENCE_NS (500 * NS_PER_MS) /* an emulator's timers are as late as its host is busy */

static struct event_source *sources; /* [time lock] best first */
static struct event_source *current; /* [a] */

struct event_source *event_source_current(void)
{
    return __atomic_load_n(&current, __ATOMIC_ACQUIRE);
}

void event_program(uint64_t deadline_ns)
{
    struct event_source *source = event_source_current();
    uint64_t now, delay;

    if (!source)
        return;
    if (deadline_ns == UINT64_MAX) {
        source->disarm(source);
        return;
    }
    now = clock_now_ns();
    delay = deadline_ns > now ? deadline_ns - now : 0;
    if (source->doubt_shift)
        delay += delay >> source->doubt_shift;
    source->arm(source, delay < source->max_delay_ns ? delay : source->max_delay_ns);
}

void event_source_use(struct event_source *source)
{
    struct event_source *old = event_source_current();

    if (old && old != source)
        old->disarm(old);
    __atomic_store_n(&current, source, __ATOMIC_RELEASE);
    timer_reprogram();
}

/* A timer may be dead, or its wire (Bochs 2.7 does not connect its HPET to input 2): nobody shall wait for it. What is
 * armed in the source that is used may share the hardware, and is armed again. */
static bool does_fire(struct event_source *source)
{
    uint64_t before = READ_ONCE(source->nr_fired), begin = clock_now_ns(), flags = irq_save();
    bool has_fired;

    source->arm(source, TRIAL_NS);
    irq_enable();
    while (READ_ONCE(source->nr_fired) == before && clock_now_ns() - begin < PATIENCE_NS)
        cpu_relax();
    irq_disable();
    has_fired = READ_ONCE(source->nr_fired) != before;
    source->disarm(source);
    irq_restore(flags);
    timer_reprogram();
    return has_fired;
}

/* Returns true when it is the best. */
static bool insert(struct event_source *source)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);
    struct event_source **link = &sources;
    bool is_best;

    while (*link && (*link)->rating >= source->rating)
        link = &(*link)->next;
    source->next = *link;
    *link = source;
    is_best = sources == source;
    spinlock_unlock_irqrestore(&time_lock, flags);
    return is_best;
}

void event_sources_done(void)
{
    if (!event_source_current())
        log_warn("timer: nothing here can interrupt at a moment: timers are polled, and the CPU does not halt");
}

int event_source_register(struct event_source *source)
{
    bool is_best;

    if (!does_fire(source))
        return -EIO;
    is_best = insert(source);
    log_info("timer: %s can interrupt%s", source->name, is_best ? ", in use" : "");
    if (is_best)
        event_source_use(source);
    return 0;
}

struct event_source *event_source_at(unsigned n)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);
    struct event_source *source = sources;

    while (source && n-- > 0)
        source = source->next;
    spinlock_unlock_irqrestore(&time_lock, flags);
    return source;
}

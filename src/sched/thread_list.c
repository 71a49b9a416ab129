/* Every thread there is, from its creation until its last reference goes. */
#include <cpu/exception_table.h>

#include "thread_internal.h"

static struct spinlock lock = SPINLOCK_INITIALIZER("threads");
static struct list threads = LIST_INITIALIZER(threads); /* [l] by number */
static uint32_t next_number;                            /* [l] */

void thread_list_add(struct thread *thread)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    thread->number = next_number++;
    list_add_last(&threads, &thread->link);
    spinlock_unlock_irqrestore(&lock, flags);
}

void thread_list_remove(struct thread *thread)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_remove(&thread->link);
    spinlock_unlock_irqrestore(&lock, flags);
}

/* Those whose last reference has just gone are about to leave the list. */
struct thread *thread_next(struct thread *previous)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct list *node = previous ? previous->link.next : threads.next;
    struct thread *next = NULL;

    while (node != &threads && !next) {
        next = list_entry(node, struct thread, link);
        node = node->next;
        if (!refcount_get_unless_zero(&next->references))
            next = NULL;
    }
    spinlock_unlock_irqrestore(&lock, flags);
    if (previous)
        thread_put(previous);
    return next;
}

static bool is_readable(const void *from, size_t size)
{
    char first, last;

    return read_safely(&first, from, 1) == 0 && read_safely(&last, (const char *)from + size - 1, 1) == 0;
}

/* Nothing is believed: the link may lead nowhere, or back. Numbers rise, so a circle ends. */
struct thread *thread_next_in_report(const struct thread *previous)
{
    const struct list *node = previous ? READ_ONCE(previous->link.next) : READ_ONCE(threads.next);
    struct thread *next;

    if (node == &threads || !is_readable(node, sizeof(*node)))
        return NULL;
    next = list_entry(node, struct thread, link);
    if (!is_readable(next, sizeof(*next)) || (previous && next->number <= previous->number))
        return NULL;
    return next;
}

bool thread_is_last_in_report(const struct thread *thread)
{
    return (thread ? READ_ONCE(thread->link.next) : READ_ONCE(threads.next)) == &threads;
}

/* Every thread there is, from its creation until its last reference goes. */
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

struct thread *thread_next_in_report(const struct thread *previous)
{
    const struct list *node = previous ? READ_ONCE(previous->link.next) : READ_ONCE(threads.next);

    return node == &threads ? NULL : list_entry(node, struct thread, link);
}

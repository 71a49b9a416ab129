/* The waiting half of include/sync/wait_queue.h, whose invariants are cited here. */
#include <sync/wait_queue.h>

#include <sched/thread.h>

void wait_queue_init(struct wait_queue *queue, const char *name)
{
    *queue = (struct wait_queue)WAIT_QUEUE_INITIALIZER(*queue, name);
}

void wait_queue_check_context_(void)
{
    assert_may_sleep();
}

static bool is_older(uint32_t ticket, uint32_t other)
{
    return (int32_t)(ticket - other) < 0;
}

static struct wait_entry *entry_of(struct list *link)
{
    return list_entry(link, struct wait_entry, waiter.link);
}

/* Who was chosen, and found that another had been faster, gets its place back; all others queue up behind. [l] */
static void insert(struct wait_queue *queue, struct wait_entry *entry)
{
    struct list *list = entry->kind == WAIT_QUEUE_PLAIN ? &queue->plain : &queue->exclusive;
    struct list *before = list;

    if (entry->is_chosen) {
        before = list->next;
        while (before != list && is_older(entry_of(before)->ticket, entry->ticket))
            before = before->next;
    } else {
        entry->ticket = queue->next_ticket;
        WRITE_ONCE(queue->next_ticket, entry->ticket + 1); /* wakers read it before they have the lock */
    }
    list_add_last(before, &entry->waiter.link);
    entry->waiter.state = WAITER_QUEUED;
    entry->is_chosen = entry->is_choice_used = false;
}

/* Who woke for nothing may be taken out before it announces its next sleep: that waker does not wake it any more. */
void wait_queue_prepare_(struct wait_queue *queue, struct wait_entry *entry)
{
    enum waiter_state state;

    thread_wait_begin(WAIT_QUEUE, queue); /* 1: a full fence, as is the locked instruction that gives the lock back */
    entry->is_announced = true;
    entry->waiter.thread = thread_current();
    state = waiter_state(&entry->waiter);
    if (state == WAITER_TAKEN)
        waiter_await_release(&entry->waiter);
    if (state != WAITER_QUEUED) {
        uint64_t flags = spinlock_lock_irqsave(&queue->lock);

        insert(queue, entry);
        spinlock_unlock_irqrestore(&queue->lock, flags);
    }
}

int wait_queue_sleep_(struct wait_entry *entry, uint64_t deadline_ns)
{
    int error = thread_wait_until(deadline_ns);
    enum waiter_state state = waiter_state(&entry->waiter);

    entry->is_announced = false;
    if (state == WAITER_TAKEN)
        waiter_await_release(&entry->waiter);
    if (state != WAITER_QUEUED)
        entry->is_choice_used = entry->is_chosen; /* 4: the condition is looked at next */
    return error;
}

/* Takes the entry out; false when a waker has done so. */
static bool take_out(struct wait_queue *queue, struct wait_entry *entry)
{
    uint64_t flags = spinlock_lock_irqsave(&queue->lock);
    bool is_queued = waiter_state(&entry->waiter) == WAITER_QUEUED;

    if (is_queued) {
        list_remove(&entry->waiter.link);
        entry->waiter.state = WAITER_OUT;
    }
    spinlock_unlock_irqrestore(&queue->lock, flags);
    return is_queued;
}

void wait_queue_finish_(struct wait_queue *queue, struct wait_entry *entry)
{
    if (entry->is_announced)
        thread_wait_end();
    if (waiter_state(&entry->waiter) != WAITER_RELEASED && !take_out(queue, entry))
        waiter_await_release(&entry->waiter);
    if (entry->is_chosen && !entry->is_choice_used) /* 4 */
        wait_queue_wake_one(queue);
}

/* Wakes the first of a list if it came before the ticket was next. */
static bool wake_first(struct wait_queue *queue, struct list *list, uint32_t next_ticket, bool is_chosen)
{
    uint64_t flags = spinlock_lock_irqsave(&queue->lock);
    struct list *link = list_first(list);
    struct wait_entry *entry = link ? entry_of(link) : NULL;

    if (!entry || !is_older(entry->ticket, next_ticket)) {
        spinlock_unlock_irqrestore(&queue->lock, flags);
        return false;
    }
    list_remove(link);
    entry->is_chosen = is_chosen;
    waiter_take(&entry->waiter);
    spinlock_unlock_irqrestore(&queue->lock, flags);
    waiter_release(&entry->waiter);
    return true;
}

/* 2: the condition was made true before. */
bool wait_queue_has_waiters(const struct wait_queue *queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with the one in wait_queue_prepare_ */
    return READ_ONCE(queue->plain.next) != &queue->plain || READ_ONCE(queue->exclusive.next) != &queue->exclusive;
}

/* One at a time: the lock is held for one, however many there are. Who queues up meanwhile saw the condition. */
static uint32_t wake_plain(struct wait_queue *queue)
{
    uint32_t next_ticket = READ_ONCE(queue->next_ticket);

    while (wake_first(queue, &queue->plain, next_ticket, false))
        continue;
    return next_ticket;
}

void wait_queue_wake_one(struct wait_queue *queue)
{
    if (!wait_queue_has_waiters(queue))
        return;
    (void)wake_first(queue, &queue->exclusive, wake_plain(queue), true);
}

void wait_queue_wake_all(struct wait_queue *queue)
{
    uint32_t next_ticket;

    if (!wait_queue_has_waiters(queue))
        return;
    next_ticket = wake_plain(queue);
    while (wake_first(queue, &queue->exclusive, next_ticket, false))
        continue;
}

/* Waiting for a condition that somebody else makes true.
 *
 *     wait_queue_wait(&disk->room, ring_has_room(disk));    // the waiter, a thread
 *
 *     make_room(disk);                                      // the waker, in any context but NMI
 *     wait_queue_wake_all(&disk->room);
 *
 * The condition is an expression, looked at again and again without the queue's lock: true means that the wait is over.
 * It may take and give back a spinlock, and must not sleep. Whoever makes it true wakes afterwards; both need not be
 * done under one lock, because:
 *
 *  1. A waiter is in a list, and has announced that it will sleep, before it looks at the condition and then sleeps.
 *  2. A waker makes the condition true before it looks at the lists. On both sides a full fence is in between, so
 *     either the waker finds the waiter or the waiter finds the condition.
 *  3. A waiter goes as sync/waiter.h says: no waker knows its entry, or its thread, any more.
 *  4. An exclusive waiter that was chosen by wake_one since it last looked at the condition hands the choice on as it
 *     goes.
 *
 * The queue outlives every waker: one that has made the condition true has still to look at the lists. Where the waiter
 * frees the queue as soon as its wait is over, use a completion. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>
#include <sync/spinlock.h>
#include <sync/waiter.h>

struct wait_queue {
    struct spinlock lock;  /* taken in interrupts */
    struct list plain;     /* [l] struct wait_entry, by ticket */
    struct list exclusive; /* [l] the same */
    uint32_t next_ticket;  /* [l] */
};

#define WAIT_QUEUE_INITIALIZER(variable, queue_name)                                           \
    {                                                                                          \
        .lock = SPINLOCK_INITIALIZER(queue_name), .plain = LIST_INITIALIZER((variable).plain), \
        .exclusive = LIST_INITIALIZER((variable).exclusive),                                   \
    }

/* name is what is waited for, for reports. */
void wait_queue_init(struct wait_queue *queue, const char *name);

/* Waits until condition is true; not at all when it is. Context: thread. */
#define wait_queue_wait(queue, condition) ((void)wait_queue_wait_((queue), (condition), UINT64_MAX, WAIT_QUEUE_PLAIN))

/* The same until clock_now_ns() reaches deadline_ns: 0, or -ETIMEDOUT, with the condition false at the last look.
 * UINT64_MAX: no deadline. */
#define wait_queue_wait_until(queue, condition, deadline_ns) \
    wait_queue_wait_((queue), (condition), (deadline_ns), WAIT_QUEUE_PLAIN)

/* For waiters of one condition each of whom uses up what it waited for: a wake_one wakes one of them, who came first.
 */
#define wait_queue_wait_exclusive(queue, condition) \
    ((void)wait_queue_wait_((queue), (condition), UINT64_MAX, WAIT_QUEUE_EXCLUSIVE))
#define wait_queue_wait_exclusive_until(queue, condition, deadline_ns) \
    wait_queue_wait_((queue), (condition), (deadline_ns), WAIT_QUEUE_EXCLUSIVE)

/* Wakes all plain waiters and the first exclusive one; wakes all there are at the call. A few instructions where nobody
 * waits. Context: any but NMI. */
void wait_queue_wake_one(struct wait_queue *queue);
void wait_queue_wake_all(struct wait_queue *queue);

/* True while somebody is in the lists; it may be otherwise the next moment. Context: any. */
bool wait_queue_has_waiters(const struct wait_queue *queue);

/* ---- what the macros are made of ---- */

enum wait_queue_kind { WAIT_QUEUE_PLAIN, WAIT_QUEUE_EXCLUSIVE };

struct wait_entry {
    struct waiter waiter;
    uint32_t ticket; /* [l] */
    enum wait_queue_kind kind;
    bool is_chosen;      /* [l] by wake_one, since it was queued */
    bool is_choice_used; /* the condition was looked at since */
    bool is_announced;   /* to sched, that it will sleep */
};

/* Queues the entry unless it is queued, and announces the sleep. The condition is to be looked at next. */
void wait_queue_prepare_(struct wait_queue *queue, struct wait_entry *entry);

/* Sleeps: 0 when woken, perhaps for nothing, or -ETIMEDOUT. The condition is to be looked at next. */
MUST_CHECK int wait_queue_sleep_(struct wait_entry *entry, uint64_t deadline_ns);

/* The wait is over: nobody knows the entry any more. */
void wait_queue_finish_(struct wait_queue *queue, struct wait_entry *entry);

/* Ends the kernel where the caller must not sleep. */
void wait_queue_check_context_(void);

#define wait_queue_wait_(queue, condition, deadline_ns, wait_kind)                 \
    ({                                                                             \
        struct wait_queue *wait_queue_ = (queue);                                  \
        uint64_t wait_deadline_ns_ = (deadline_ns);                                \
        int wait_result_ = 0;                                                      \
        bool wait_is_met_;                                                         \
        wait_queue_check_context_();                                               \
        wait_is_met_ = (condition);                                                \
        if (!wait_is_met_) {                                                       \
            struct wait_entry wait_entry_ = {.kind = (wait_kind)};                 \
            do {                                                                   \
                wait_queue_prepare_(wait_queue_, &wait_entry_);                    \
                wait_is_met_ = (condition);                                        \
                if (wait_is_met_)                                                  \
                    break;                                                         \
                wait_result_ = wait_queue_sleep_(&wait_entry_, wait_deadline_ns_); \
                wait_is_met_ = (condition);                                        \
            } while (!wait_is_met_ && wait_result_ == 0);                          \
            wait_queue_finish_(wait_queue_, &wait_entry_);                         \
        }                                                                          \
        wait_is_met_ ? 0 : wait_result_;                                           \
    })

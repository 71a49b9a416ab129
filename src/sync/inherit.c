/* The invariants are in inherit.h. */
#include "inherit.h"

#include <debug/panic.h>
#include <sched/thread.h>
#include <sched/thread_locks.h>
#include <sync/spinlock.h>

#define CIRCLE_MAX 64 /* threads that a reported circle may have: a bound for the time under the lock */

struct spinlock inheritance_lock = SPINLOCK_INITIALIZER("priority inheritance");
static uint64_t next_number; /* [p] */

static struct mutex_waiter *waiter_of(struct rbtree_node *node)
{
    return node ? CONTAINER_OF(node, struct mutex_waiter, node) : NULL;
}

static struct mutex *contended_of(struct rbtree_node *node)
{
    return node ? CONTAINER_OF(node, struct mutex, contended) : NULL;
}

static struct mutex_waiter *first_waiter(const struct mutex *mutex)
{
    return waiter_of(rbtree_first(&mutex->waiters));
}

/* P2 */
static bool goes_before(const struct mutex_waiter *waiter, const struct mutex_waiter *other)
{
    return waiter->urgency > other->urgency || (waiter->urgency == other->urgency && waiter->number < other->number);
}

static void insert_waiter(struct mutex_waiter *waiter)
{
    struct rbtree *tree = &waiter->mutex->waiters;
    struct rbtree_node *parent = NULL, *node = tree->root;
    enum rbtree_side side = RBTREE_LEFT;

    while (node) {
        parent = node;
        side = goes_before(waiter, waiter_of(node)) ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    rbtree_insert(tree, &waiter->node, parent, side);
}

static void insert_contended(struct rbtree *tree, struct mutex *mutex)
{
    unsigned urgency = first_waiter(mutex)->urgency;
    struct rbtree_node *parent = NULL, *node = tree->root;
    enum rbtree_side side = RBTREE_LEFT;

    while (node) {
        parent = node;
        side = urgency > first_waiter(contended_of(node))->urgency ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    rbtree_insert(tree, &mutex->contended, parent, side);
}

/* Around every change of a mutex's waiters, whose first one it is ordered by. */
static void take_from_owner(struct mutex *mutex)
{
    if (mutex->waiters.root)
        rbtree_remove(&thread_locks(mutex_owner(mutex))->contended, &mutex->contended);
}

static void give_to_owner(struct mutex *mutex)
{
    if (mutex->waiters.root)
        insert_contended(&thread_locks(mutex_owner(mutex))->contended, mutex);
}

/* P3 */
static void settle(struct thread *thread)
{
    struct mutex *mutex = contended_of(rbtree_first(&thread_locks(thread)->contended));

    thread_set_inherited_urgency(thread, mutex ? first_waiter(mutex)->urgency : THREAD_URGENCY_NONE);
}

void inherit_add_waiter(struct mutex *mutex, struct mutex_waiter *waiter)
{
    struct thread *thread = thread_current();

    assert_held(&inheritance_lock);
    waiter->mutex = mutex;
    waiter->waiter.thread = thread;
    waiter->waiter.state = WAITER_QUEUED;
    waiter->urgency = thread_urgency(thread);
    waiter->number = next_number++;
    thread_locks(thread)->waiting = waiter;
    take_from_owner(mutex);
    insert_waiter(waiter);
    give_to_owner(mutex);
    settle(mutex_owner(mutex));
}

/* No waiters, no mark: who gives the mutex back meanwhile finds the one or the other. */
static void unmark_if_alone(struct mutex *mutex)
{
    if (!mutex->waiters.root)
        __atomic_fetch_and(&mutex->owner, ~(uintptr_t)MUTEX_HAS_WAITERS, __ATOMIC_RELAXED);
}

void inherit_remove_waiter(struct mutex_waiter *waiter)
{
    struct mutex *mutex = waiter->mutex;

    assert_held(&inheritance_lock);
    take_from_owner(mutex);
    rbtree_remove(&mutex->waiters, &waiter->node);
    give_to_owner(mutex);
    thread_locks(waiter->waiter.thread)->waiting = NULL;
    waiter->waiter.state = WAITER_OUT;
    settle(mutex_owner(mutex));
    unmark_if_alone(mutex);
}

/* Once it is free who takes it may free the memory as well: so that comes last. */
struct mutex_waiter *inherit_hand_on(struct mutex *mutex, struct thread *from)
{
    struct mutex_waiter *next = first_waiter(mutex);
    uintptr_t owner = 0;

    assert_held(&inheritance_lock);
    take_from_owner(mutex);
    settle(from);
    if (next) {
        rbtree_remove(&mutex->waiters, &next->node);
        thread_locks(next->waiter.thread)->waiting = NULL;
        owner = (uintptr_t)next->waiter.thread | (mutex->waiters.root ? MUTEX_HAS_WAITERS : 0);
    }
    __atomic_store_n(&mutex->owner, owner, __ATOMIC_RELEASE); /* pairs with the acquire in try_take */
    if (!next)
        return NULL;
    give_to_owner(mutex);
    settle(next->waiter.thread);
    return next;
}

bool inherit_is_circle(const struct mutex_waiter *waiter)
{
    const struct mutex_waiter *at = waiter;

    assert_held(&inheritance_lock);
    for (unsigned i = 0; i < CIRCLE_MAX && at && !at->has_deadline; i++) {
        at = thread_locks(mutex_owner(at->mutex))->waiting;
        if (at == waiter)
            return true;
    }
    return false;
}

/* P4, one step: tells the mutex that the thread waits for. Returns the owner of that, referenced, or NULL at the end.
 */
static struct thread *pass_on_once(struct thread *thread)
{
    struct mutex_waiter *waiter = thread_locks(thread)->waiting;
    unsigned urgency = thread_urgency(thread);
    struct thread *owner;

    if (!waiter || waiter->urgency == urgency)
        return NULL;
    owner = mutex_owner(waiter->mutex);
    take_from_owner(waiter->mutex);
    rbtree_remove(&waiter->mutex->waiters, &waiter->node);
    waiter->urgency = urgency;
    insert_waiter(waiter);
    give_to_owner(waiter->mutex);
    settle(owner);
    return thread_get(owner);
}

void inherit_pass_on(struct thread *thread)
{
    while (thread) {
        struct thread *next;
        uint64_t flags;

        flags = spinlock_lock_irqsave(&inheritance_lock);
        next = pass_on_once(thread);
        spinlock_unlock_irqrestore(&inheritance_lock, flags);
        thread_put(thread);
        thread = next;
    }
}

void thread_locks_urgency_changed(struct thread *thread)
{
    inherit_pass_on(thread_get(thread));
}

void thread_locks_at_exit(struct thread *thread)
{
    const struct mutex *held = thread_locks(thread)->held;

    if (UNLIKELY(held != NULL))
        panic("thread '%s' ends while it holds mutex '%s'", thread_name(thread), held->name);
}

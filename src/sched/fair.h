/* The fair class: earliest eligible virtual deadline first (Stoica and Abdel-Wahab, "Earliest Eligible Virtual Deadline
 * First", TR-95-22, Old Dominion University, 1995).
 *
 * Every entity moves through virtual time as it runs, the heavier the slower. Were the CPU divided without end, all
 * would be at the same point V, the average of their vruntimes by weight; V - vruntime is its lag: what it is owed, or
 * owes. An entity is eligible while it owes nothing (vruntime <= V). Each asks for one slice after the other, whose
 * deadline is vruntime + slice / weight. The eligible one with the earliest deadline runs, for its slice.
 *
 * From that follows, and tests/unit/test_sched_fair.c checks it: lag stays within a slice either way, so that nobody
 * starves, and shares go by weight over any time that is long beside a slice.
 *
 * What is decided beyond the paper:
 *   1. The running entity is in no tree. It keeps the CPU up to its slice's end, eligible or not, unless an eligible
 * one has an earlier deadline: then a slice is one piece, and lag is still bounded by it.
 *   2. Who waits keeps its lag, at most two slices of it. A debt becomes less by the virtual time that passes
 * meanwhile; a claim does not grow. So waiting gains nothing, nor is anybody punished for it.
 *   3. Who yields gives up its claim (its vruntime becomes the others' average at least) and the rest of its slice, and
 *      is not chosen while anybody else is there. So threads that yield to each other do alternate, and one that yields
 *      all the time has saved nothing with which to keep others away later.
 *
 * V is never kept: the queue has sum(weight * (vruntime - zero)) and sum(weight) of the queued ones, and a comparison
 * multiplies. `zero` follows V closely, so that the sum stays small: with n entities queued it is below n * 2^47.
 *
 * One queued entity, the usual case beside none, is the root of a tree that is not made: its node, `zero` and `sum` are
 * filled in when a second one comes. Of two entities the one with less vruntime is eligible, so nothing is multiplied.
 */
#pragma once

#include <base/multiply.h>

#include "run_queue.h"

/* A lag that is kept may be this many slices. In steady state it is below one; more comes from long stretches with
 * preemption off. */
#define LAG_SLICES_MAX 2

/* What passes, in virtual time, when a queue runs dry: more than anybody's lag, since a CPU without work owes nothing.
 * A slice of weight 15 is 3 ms * 256 * 1024 / 15 < 2^36. */
#define DRY_VIRTUAL_TIME (LAG_SLICES_MAX * (1ull << 36))

static inline struct sched_entity *fair_entity(const struct rbtree_node *node)
{
    return CONTAINER_OF((struct rbtree_node *)node, struct sched_entity, node);
}

/* How far a is beyond b. */
static inline int64_t virtual_difference(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b);
}

/* run_queue.c charges: moves a fair entity on by so much CPU time. */
static inline void fair_advance(struct sched_entity *entity, uint64_t ran_ns)
{
    /* 2^42 / weight for 256 * 1024 / weight = 2^18 / weight. */
    entity->vruntime += multiply_and_shift(ran_ns, entity->inverse_weight, 24);
}

/* Charges the running entity. Returns how long it ran. */
static ALWAYS_INLINE uint64_t entity_charge_time(struct sched_entity *running, uint64_t now)
{
    uint64_t ran_ns = now - running->started_ns;

    if (UNLIKELY(now <= running->started_ns)) /* two CPUs' clocks differ */
        return 0;
    WRITE_ONCE(running->started_ns, now);
    running->run_time_ns += ran_ns;
    return ran_ns;
}

static ALWAYS_INLINE void fair_charge(struct sched_entity *running, uint64_t now)
{
    fair_advance(running, entity_charge_time(running, now));
}

/* When the running entity's slice is over, by the time it was last charged. */
static inline uint64_t fair_slice_end(const struct sched_entity *running)
{
    int64_t rest = virtual_difference(running->deadline, running->vruntime);

    if (rest <= 0)
        return running->started_ns;
    return running->started_ns + ((uint64_t)rest * running->weight >> 18) + 1;
}

/* Whether its slice is over. */
static inline bool fair_is_served(const struct sched_entity *entity)
{
    return virtual_difference(entity->vruntime, entity->deadline) >= 0;
}

static inline void fair_renew_slice(struct sched_entity *entity)
{
    entity->deadline = entity->vruntime + entity->virtual_slice;
}

void fair_init(struct fair_queue *fair);
void fair_set_weight(struct sched_entity *entity, int nice);

/* Gives an entity in no queue its place among those queued and, where it is fair, the running one (may be NULL). */
void fair_place(const struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running,
                enum run_queue_arrival arrival);

/* V of those queued and, where it is fair, the running one (may be NULL). */
uint64_t fair_average(const struct fair_queue *fair, const struct sched_entity *running);

/* Writes down the lag of an entity that leaves; it is already in no tree, and running is not the entity. */
void fair_leave(struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running);

/* To and from a queue in which there is another one. */
void fair_insert_into_tree(struct fair_queue *fair, struct sched_entity *entity);
void fair_remove_from_tree(struct fair_queue *fair, struct sched_entity *entity);

/* Into an empty queue, or in place of the only one. */
static inline void fair_insert_first(struct fair_queue *fair, struct sched_entity *entity)
{
    fair->tree.root = &entity->node;
    fair->weight = entity->weight;
    WRITE_ONCE(fair->nr, 1);
}

/* The only one. */
static inline void fair_remove_last(struct fair_queue *fair, const struct sched_entity *entity)
{
    fair->tree.root = NULL;
    fair->weight = 0;
    WRITE_ONCE(fair->nr, 0);
    fair->zero = entity->vruntime;
}

static inline void fair_insert(struct fair_queue *fair, struct sched_entity *entity)
{
    if (fair->nr == 0)
        fair_insert_first(fair, entity);
    else
        fair_insert_into_tree(fair, entity);
}

static inline void fair_remove(struct fair_queue *fair, struct sched_entity *entity)
{
    if (fair->nr == 1)
        fair_remove_last(fair, entity);
    else
        fair_remove_from_tree(fair, entity);
}

/* Rule 3, to others whose average is at that point. */
static inline void fair_give_way(struct sched_entity *entity, uint64_t others)
{
    if (virtual_difference(others, entity->vruntime) > 0)
        entity->vruntime = others;
    fair_renew_slice(entity);
}

/* Whether the queued entity, the only one, goes before the running fair one. Of two the one with less virtual time is
 * eligible, or both are. */
static inline bool fair_goes_before_only(const struct sched_entity *entity, const struct sched_entity *running)
{
    return virtual_difference(entity->deadline, running->deadline) < 0 &&
           virtual_difference(entity->vruntime, running->vruntime) <= 0;
}

/* Whether the queued entity goes before the running fair one. */
bool fair_goes_before(const struct fair_queue *fair, const struct sched_entity *entity,
                      const struct sched_entity *running);

/* Takes the next one out and puts previous in where it is not the next one. previous NULL: nobody goes on. NULL where
 * there is nobody. */
struct sched_entity *fair_next(struct fair_queue *fair, struct sched_entity *previous, bool is_yielding);

/* Gives an entity in no queue another weight: its lag in CPU time and what is left of its slice stay. */
void fair_change_weight(struct sched_entity *entity, int nice);

/* For entities of one weight, of which a lag to each other's average is half of the difference: the same as fair_leave
 * and fair_place where there is one other. */
static inline void fair_leave_equal(struct sched_entity *entity, const struct sched_entity *other)
{
    int64_t lag = virtual_difference(other->vruntime, entity->vruntime) >> 1;
    int64_t limit = (int64_t)(LAG_SLICES_MAX * entity->virtual_slice);

    lag = lag > limit ? limit : lag;
    entity->lag = lag < -limit ? -limit : lag;
}

/* A debt is less by how far the others have moved on since; claim is by how much they are beyond the debtor now. */
static inline int64_t fair_debt_left(int64_t lag, int64_t claim)
{
    lag = claim > lag ? claim : lag;
    return lag > 0 ? 0 : lag;
}

static inline void fair_place_woken_equal(struct sched_entity *entity, const struct sched_entity *other)
{
    int64_t lag = (int64_t)((uint64_t)entity->lag << 1);

    if (lag < 0)
        lag = fair_debt_left(lag, virtual_difference(other->vruntime, entity->vruntime));
    entity->vruntime = other->vruntime - (uint64_t)lag;
    fair_renew_slice(entity);
}

const char *fair_check(const struct fair_queue *fair);

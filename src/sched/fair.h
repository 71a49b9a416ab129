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
 * multiplies. `zero` follows V closely, and is the lone queued entity's vruntime where there is one, so that the sum
 * stays small: with n entities queued it is below n * 2^47. With one queued no tree is touched and nothing is divided.
 */
#pragma once

#include "run_queue.h"

/* run_queue.c charges: moves a fair entity on by so much CPU time. */
static inline void fair_advance(struct sched_entity *entity, uint64_t ran_ns)
{
    /* 2^42 / weight for 256 * 1024 / weight = 2^18 / weight. */
    entity->vruntime += (int64_t)(((unsigned __int128)ran_ns * entity->inverse_weight) >> 24);
}

/* Whether its slice is over. */
static inline bool fair_is_served(const struct sched_entity *entity)
{
    return entity->vruntime - entity->deadline >= 0;
}

static inline void fair_renew_slice(struct sched_entity *entity)
{
    entity->deadline = entity->vruntime + entity->virtual_slice;
}

void fair_set_weight(struct sched_entity *entity, int nice);

/* Gives an entity in no queue its place among those queued and, where it is fair, the running one (may be NULL). */
void fair_place(struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running,
                enum run_queue_arrival arrival);

/* Writes down the lag of an entity that leaves; it is already in no tree, and running is not the entity. */
void fair_leave(struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running);

void fair_insert(struct fair_queue *fair, struct sched_entity *entity);
void fair_remove(struct fair_queue *fair, struct sched_entity *entity);

/* Whether the queued entity goes before the running fair one. */
bool fair_goes_before(const struct fair_queue *fair, const struct sched_entity *entity,
                      const struct sched_entity *running);

/* Takes the next one out and puts previous in where it is not the next one. previous NULL: nobody goes on. NULL where
 * there is nobody. */
struct sched_entity *fair_next(struct fair_queue *fair, struct sched_entity *previous, bool is_yielding);

/* Gives an entity in no queue another weight: its lag in CPU time and what is left of its slice stay. */
void fair_change_weight(struct sched_entity *entity, int nice);

const char *fair_check(const struct fair_queue *fair);

/* The run queue of one CPU: who runs, who wants to, and who is next. Pure C without kernel state: time and, for
 * placement (placement.h), a view of the CPUs are passed in; the same files run under the host's tests.
 *
 * Two classes. Every FIFO thread goes before every fair one (fifo.h); fair threads share what is left by their weights
 * (fair.h). A queue knows at most one running entity; the idle thread has none.
 *
 * The caller's part:
 *   1. Every call is under the queue's own lock (a raw spinlock of the caller, interrupts off), but for
 *      sched_entity_init and run_queue_init. Nothing here sleeps, allocates or locks.
 *   2. `now` is nanoseconds of a clock that does not go backwards on one CPU. Clocks of two CPUs may differ by a few
 *      microseconds; one that reads earlier than before is taken for "no time has passed".
 *   3. What run_queue_add and run_queue_set_policy return says what the queue's CPU has to be told (enum
 *      run_queue_effect).
 *   4. The slice's timer may always fire too early: run_queue_account says then that nothing is due. So a timer that
 *      is already set for an earlier time than run_queue_slice_end need not be set anew.
 *
 * Context: any but NMI, throughout. */
#pragma once

#include <base/assert.h>
#include <sched/entity.h>

#define SLICE_NS 3000000u /* what a fair thread is given at a time while others wait */

#define FIFO_PRIORITIES (FIFO_PRIORITY_MAX + 1)

/* See fair.h for the theory. */
struct fair_queue {
    struct rbtree tree; /* queued entities by deadline; each knows the least vruntime of its subtree */
    uint64_t zero;  /* vruntimes are summed relative to this one; where nobody is queued, the next one starts here */
    int64_t sum;    /* of weight * (vruntime - zero), where two or more are queued */
    int64_t weight; /* of the queued ones together */
    uint32_t nr;    /* how many are queued */
};

struct fifo_queue {
    uint64_t ready[2]; /* bit p of the 128: somebody of priority p is queued */
    uint32_t nr;
    struct list list[FIFO_PRIORITIES]; /* first in, first out */
};

struct run_queue {
    struct sched_entity *running; /* NULL: the CPU is idle */
    struct sched_entity *handed;  /* hand_over.h: QUEUED, but in neither class's queue, nor in load; NULL as a rule */
    uint32_t takes_key;           /* the hand_key of whom may be handed; HAND_TAKES_NOBODY as a rule */
    struct fair_queue fair;
    struct fifo_queue fifo;
    uint32_t cpu;
    bool must_push; /* a FIFO entity has begun to wait here, or who runs, or is to run next, is less urgent than before:
                     * push_choose (placement.h) is due, for this queue and for all others. The caller clears it */
    /* For placement.h, which reads the first three of other CPUs' without their locks. */
    uint64_t load;         /* the weights of all that want the CPU; FIFO threads count as the heaviest */
    uint32_t urgency;      /* of the running one: 0 where there is none, 1 for a fair one, 1 + priority for FIFO */
    uint32_t balance_next; /* the CPU that balance_find looks at first */
    uint64_t phase_offset; /* what makes this queue's virtual time comparable with that of others */
    bool is_phase_unknown; /* it began anew: phase_offset means nothing yet */
};

#define HAND_NOBODY       0u         /* as an entity's key, */
#define HAND_TAKES_NOBODY UINT32_MAX /* as a queue's: they never meet */

/* Why an entity becomes runnable here. */
enum run_queue_arrival {
    ARRIVAL_NEW,      /* for the first time: nothing is owed to it */
    ARRIVAL_WOKEN,    /* it has waited: it keeps what it is owed, and what it owes less what has passed since */
    ARRIVAL_MIGRATED, /* comes from run_queue_remove on another queue: place and deadline relative to the others */
};

/* What the CPU of a queue has to be told. */
enum run_queue_effect {
    EFFECT_NONE,
    EFFECT_BEHIND, /* nothing; but a FIFO entity waits here, and another CPU may be for it: push_choose (placement.h) */
    EFFECT_TIMER,  /* the running entity was alone and is no longer: run_queue_slice_end has to be asked anew there */
    EFFECT_PREEMPT, /* somebody should run before the running entity, or the CPU is idle: it has to call run_queue_next
                     */
};

/* What becomes of the running entity in run_queue_next. */
enum run_queue_departure {
    STAYS,  /* it goes on, unless somebody goes before it */
    YIELDS, /* lets somebody of its class and, FIFO, of its priority go first, if anybody wants the CPU at all */
    WAITS,  /* is no longer runnable: waits, or has ended */
};

/* The weight of a nice level, as Linux has them: 1024 at 0, about 1.25 times as much a level. */
uint32_t nice_weight(int nice);

/* A new entity, in no queue. */
void sched_entity_init(struct sched_entity *entity, const struct sched_policy *policy);
struct sched_policy sched_entity_policy(const struct sched_entity *entity);

void run_queue_init(struct run_queue *queue, uint32_t cpu);

/* Puts entity, which is in no queue, into this one. */
enum run_queue_effect run_queue_add(struct run_queue *queue, struct sched_entity *entity, uint64_t now,
                                    enum run_queue_arrival arrival);

/* Takes out a queued entity, to add it to another queue (ARRIVAL_MIGRATED). The running one leaves by
 * run_queue_next(WAITS). */
void run_queue_remove(struct run_queue *queue, struct sched_entity *entity, uint64_t now);

/* Charges the running entity, does with it as told, and makes the next one the running one: that is returned, NULL
 * where nobody wants the CPU. With WAITS and a run queue that is not empty this is the only place where an entity goes
 * from running to out; from then on it may be woken. */
struct sched_entity *run_queue_next(struct run_queue *queue, uint64_t now, enum run_queue_departure departure);

/* Charges the running entity's time. True: its slice is over and somebody else wants the CPU, so run_queue_next is due.
 * For the slice's timer, and before run times are read. */
bool run_queue_account(struct run_queue *queue, uint64_t now);

/* When the running entity's slice is over, by the time it was last charged (run_queue_next, _add and _account charge);
 * UINT64_MAX where nobody of its class waits, or it is FIFO, or nobody runs: then no timer is needed. */
uint64_t run_queue_slice_end(const struct run_queue *queue);

/* Another nice level, class or priority, for an entity that is queued or running here or is in no queue (queue NULL, or
 * the one it was in last). Lag is kept in proportion. Positions of FIFO threads as in man 7 sched: raised, to the end
 * of the new priority's list; lowered, to its front; the same, where it was. */
enum run_queue_effect run_queue_set_policy(struct run_queue *queue, struct sched_entity *entity,
                                           const struct sched_policy *policy, uint64_t now);

/* How many want this CPU, the running one among them. Without the lock it may be a moment old. */
static inline uint32_t run_queue_length(const struct run_queue *queue)
{
    return queue->fair.nr + queue->fifo.nr + (queue->running != NULL) + (READ_ONCE(queue->handed) != NULL);
}

/* Whether anybody waits for the CPU: where not, a yield has nothing to do. */
static inline bool run_queue_has_waiting(const struct run_queue *queue)
{
    return (queue->fair.nr | queue->fifo.nr) != 0 || READ_ONCE(queue->handed) != NULL;
}

#define URGENCY_FAIR 1u

/* 0 for nobody, 1 for a fair entity, 1 + priority for a FIFO one. */
static inline uint32_t sched_urgency(const struct sched_entity *entity)
{
    return entity->class == SCHED_FAIR ? URGENCY_FAIR : URGENCY_FAIR + entity->priority;
}

/* How far the fair entities of this queue have come in virtual time, all together; what is between two queues' phases
 * is what the one's entities have received more than the other's. Means something only where !is_phase_unknown. */
uint64_t run_queue_phase(const struct run_queue *queue);
void run_queue_set_phase(struct run_queue *queue, uint64_t phase);

/* run_queue_add of one that was taken from another queue and is owed so much virtual time besides its lag. */
enum run_queue_effect run_queue_add_with_claim(struct run_queue *queue, struct sched_entity *entity, uint64_t now,
                                               int64_t claim);

/* Gives one that was handed over (hand_over.h) its place in the queue; no more are taken. */
void run_queue_settle_handed(struct run_queue *queue, uint64_t now);
static ALWAYS_INLINE void run_queue_settle(struct run_queue *queue, uint64_t now)
{
    queue->takes_key = HAND_TAKES_NOBODY;
    if (UNLIKELY(queue->handed != NULL))
        run_queue_settle_handed(queue, now);
}

/* Whether every rule of fair.h and fifo.h holds: NULL, or what does not. For tests and audits; walks the queue. */
const char *run_queue_check(const struct run_queue *queue);

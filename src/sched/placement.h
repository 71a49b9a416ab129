/* Which CPU a thread goes to: when it is made or woken, when a CPU has nothing to do, and so that shares are fair
 * across CPUs. Pure functions over the run queues and what the caller says about the CPUs.
 *
 * No timer balances anything. Threads move at four moments:
 *   1. When one becomes runnable: placement_choose. To an idle CPU, best one whose core is idle; a FIFO thread else to
 *      where the least urgent one runs; a fair one else to the CPU with the least weight.
 *   2. When a CPU becomes idle: steal_choose, then steal_move. It takes who would be next elsewhere.
 *   3. When a slice ends on a CPU where others wait: balance_choose, then balance_move.
 *   4. When a FIFO thread begins to wait, or goes on waiting while a CPU runs a less urgent one than before:
 *      push_choose, then push_move. So none waits on one CPU while another one that it may use runs a less urgent one.
 *
 * The third is what makes shares fair across CPUs. Each queue's V (fair.h) goes the slower the more weight is on it,
 * and an entity receives what V advances, whatever its weight: so all receive alike if all V advance alike. The
 * difference of two queues' phases (V made comparable) is what the one's entities have been given more. Once it is as
 * much as BALANCE_SLICES of a waiting entity's, on a queue with less weight, the entity moves there, and brings
 * the difference as a claim: it is given there what it had less. So five equal threads on four CPUs take turns at being
 * two on one, and each has four fifths of a CPU, within what a few slices are; and with equal weights nothing moves.
 *
 * Context: any but NMI, throughout; the locks each needs are said. */
#pragma once

#include "run_queue.h"

#include <cpu/cpu_mask.h>

#define BALANCE_SLICES 2

/* What the caller knows about the CPUs. */
struct placement_view {
    const struct cpu_mask *cpus;              /* that take threads */
    const struct cpu_mask *idle;              /* of them, those with nothing to do; others may change it meanwhile */
    struct run_queue *(*queue)(uint32_t cpu); /* of a CPU that takes threads */
    uint32_t (*core)(uint32_t cpu); /* the same number for the hardware threads of one core; NULL: all differ */
};

/* Whether this entity may run on that CPU. */
typedef bool (*placement_filter)(const struct sched_entity *entity, uint32_t cpu);

/* Where an entity that becomes runnable goes, of the CPUs of allowed; previous is where it was last, or, for a new one,
 * where its maker is. CPU_MAX where no CPU of allowed takes threads. No lock is needed, and none is taken: what is
 * found may be over by the time the caller has the queue's lock, and is then no worse than any other place. The caller
 * sends that CPU an interrupt where run_queue_add says so (an idle CPU always). */
uint32_t placement_choose(const struct placement_view *view, const struct sched_entity *entity, uint32_t previous,
                          const struct cpu_mask *allowed);

/* Where the FIFO entity goes that waits in the queue, whose lock is held, the first that may go anywhere: of the CPUs
 * it may use the one with the least urgent, if that is less urgent than the entity. CPU_MAX where there is none. To be
 * asked when EFFECT_BEHIND or must_push says so, after that was done and again until nobody moves. */
uint32_t push_choose(const struct placement_view *view, const struct run_queue *queue, placement_filter may_run);

/* Moves that entity, and to's CPU has to be told EFFECT_PREEMPT. NULL where it is not the case any more. Both locks. */
struct sched_entity *push_move(struct run_queue *from, struct run_queue *to, uint64_t now, placement_filter may_run);

/* A CPU, of those of `among`, from which the idle one could take somebody: where the most wait. CPU_MAX where nobody
 * waits. No lock. */
uint32_t steal_choose(const struct placement_view *view, uint32_t idle_cpu, const struct cpu_mask *among);

/* Takes from `from` who would run next and may run on `to`, whose CPU is idle, and puts it there. NULL where there is
 * nobody. Both locks are held; the caller then says so to the thread and calls run_queue_next on `to`. */
struct sched_entity *steal_move(struct run_queue *from, struct run_queue *to, uint64_t now, placement_filter may_run);

/* A CPU with less weight than this one, another each time where there are several; CPU_MAX where there is none. To be
 * asked when a slice has ended. The lock of this CPU's queue. */
uint32_t balance_choose(const struct placement_view *view, struct run_queue *queue);

/* Moves a waiting entity to `to` where `to` has been ahead by enough, or has nothing to do at all, and says what to's
 * CPU has to be told. NULL where nobody moved. Both locks. */
struct sched_entity *balance_move(struct run_queue *from, struct run_queue *to, uint64_t now, placement_filter may_run,
                                  enum run_queue_effect *effect);

/* A CPU that is halted cannot hang, and is not to be woken for being looked at; so what is told is where a halt ends
 * and where one begins, and everything else is read by who looks. */
#include <sched/watch.h>

#include "cpu_queue.h"
#include "watch_calls.h"

static const struct sched_watch *the_watch; /* [a] */

void sched_set_watch(const struct sched_watch *watch)
{
    __atomic_store_n(&the_watch, watch, __ATOMIC_RELEASE); /* pairs with the acquires below */
}

void watch_leaves_idle(struct cpu_queue *queue)
{
    const struct sched_watch *watch = __atomic_load_n(&the_watch, __ATOMIC_ACQUIRE);

    WRITE_ONCE(queue->is_halted, false);
    if (watch)
        watch->busy();
}

void watch_halts(struct cpu_queue *queue)
{
    const struct sched_watch *watch = __atomic_load_n(&the_watch, __ATOMIC_ACQUIRE);

    if (watch)
        watch->idle();
    WRITE_ONCE(queue->is_halted, true);
}

void sched_get_progress(uint32_t cpu, struct sched_progress *progress)
{
    const struct cpu_queue *queue = cpu_queue_of(cpu);

    progress->nr_looks = READ_ONCE(queue->nr_looks);
    progress->is_halted = !__atomic_load_n(&queue->is_running, __ATOMIC_ACQUIRE) || READ_ONCE(queue->is_halted);
    progress->is_quiet = progress->is_halted && READ_ONCE(percpu_of(cpu, percpu)->interrupt_depth) == 0;
}

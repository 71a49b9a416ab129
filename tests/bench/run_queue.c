/* What the scheduler's policy adds to a switch: the run queue alone, without threads, on a clock of its own. */
#include <debug/bench.h>

#include "../../src/sched/run_queue.h"

#define STEP_NS 150

static struct run_queue queue;
static struct sched_entity entities[16];

/* The first of nr runs. */
static void fill(unsigned nr)
{
    run_queue_init(&queue, 0);
    for (unsigned i = 0; i < nr; i++) {
        sched_entity_init(&entities[i], &(struct sched_policy){SCHED_FAIR, 0, 0});
        (void)run_queue_add(&queue, &entities[i], 0, ARRIVAL_NEW);
    }
    (void)run_queue_next(&queue, 0, STAYS);
}

static void yield_among(unsigned nr, uint64_t iterations)
{
    uint64_t now = 0;

    fill(nr);
    bench_start();
    for (; iterations > 0; iterations--)
        (void)run_queue_next(&queue, now += STEP_NS, YIELDS);
    bench_stop();
}

/* One of two threads gives way to the other. */
KERNEL_BENCH(run_queue_yield_2, 1000)
{
    yield_among(2, iterations);
}

KERNEL_BENCH(run_queue_yield_16, 1000)
{
    yield_among(16, iterations);
}

/* The running one wakes the other, and waits: half of what two threads do that hand something to and fro. */
KERNEL_BENCH(run_queue_wake_and_wait, 1000)
{
    struct sched_entity *running, *waiting;
    uint64_t now = 0;

    fill(2);
    waiting = queue.running;
    running = run_queue_next(&queue, now, WAITS);
    bench_start();
    for (; iterations > 0; iterations--) {
        struct sched_entity *woken = waiting;

        (void)run_queue_add(&queue, woken, now += STEP_NS, ARRIVAL_WOKEN);
        waiting = running;
        running = run_queue_next(&queue, now += STEP_NS, WAITS);
    }
    bench_stop();
}

/* The end of a slice, of 16 threads. */
KERNEL_BENCH(run_queue_slice_16, 1000)
{
    fill(16);
    bench_start();
    for (; iterations > 0; iterations--) {
        uint64_t now = run_queue_slice_end(&queue);

        if (run_queue_account(&queue, now))
            (void)run_queue_next(&queue, now, STAYS);
    }
    bench_stop();
}

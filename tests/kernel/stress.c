#include "stress.h"

#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <debug/log.h>
#include <lib/format.h>
#include <mm/kmalloc.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>

#define WORKERS_PER_CPU 2u
#define YIELD_EVERY     64u
#define FAILURES_SAID   8u
#define MISTAKE_EVERY   8u

static uint64_t nr_failures; /* [a] */

void stress_fail(const char *format, ...)
{
    char text[160];
    va_list arguments;

    /* Relaxed: read when the threads have ended. */
    if (__atomic_fetch_add(&nr_failures, 1, __ATOMIC_RELAXED) >= FAILURES_SAID)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    log_error("stress: %s", text);
}

uint64_t stress_take_failures(void)
{
    return __atomic_exchange_n(&nr_failures, 0, __ATOMIC_RELAXED);
}

bool stress_is_over(const struct stress *stress)
{
    return clock_now_ns() >= stress->deadline_ns;
}

/* splitmix64: every seed is as good as any. */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t stress_roll(struct stress_worker *worker, uint64_t below)
{
    return mix(&worker->dice) % below;
}

bool stress_errs(struct stress_worker *worker)
{
    return UNLIKELY(worker->stress->is_planted) && stress_roll(worker, MISTAKE_EVERY) == 0;
}

static int run_worker(void *argument)
{
    struct stress_worker *worker = argument;

    while (!stress_is_over(worker->stress)) {
        worker->stress->kind->work(worker);
        worker->nr_rounds++;
        if (stress_roll(worker, YIELD_EVERY) == 0)
            thread_yield();
    }
    __atomic_store_n(&worker->is_done, 1, __ATOMIC_RELEASE); /* pairs with who asks while it may still run */
    return 0;
}

static int start_worker(struct stress *stress, unsigned number)
{
    struct stress_worker *worker = &stress->workers[number];
    uint64_t dice = stress->seed + number;
    struct cpu_mask cpu = {0};

    *worker = (struct stress_worker){.stress = stress, .number = number, .dice = mix(&dice)};
    cpu_mask_set(&cpu, number % smp_nr_online());
    return thread_create(
        &worker->thread,
        &(struct thread_options){.name = stress->kind->name, .affinity = number < smp_nr_online() ? &cpu : NULL},
        run_worker, worker);
}

static int begin(struct stress *stress)
{
    int error = 0;

    stress->nr_workers = smp_nr_online() * WORKERS_PER_CPU;
    stress->nr_rounds = 0;
    stress->workers = kmalloc(stress->nr_workers * sizeof(stress->workers[0]), ALLOC_ZERO);
    if (!stress->workers)
        return -ENOMEM;
    if (stress->kind->begin)
        error = stress->kind->begin(stress);
    if (error < 0)
        kfree(stress->workers);
    return error;
}

/* Waits for the threads, of which there may be fewer where not all could be started. */
static void end(struct stress *stress)
{
    if (stress->kind->stop)
        stress->kind->stop(stress);
    for (unsigned i = 0; i < stress->nr_workers; i++) {
        struct stress_worker *worker = &stress->workers[i];

        if (worker->thread)
            (void)thread_join(worker->thread, NULL);
        stress->nr_rounds += worker->nr_rounds;
    }
    if (stress->kind->end)
        stress->kind->end(stress);
    kfree(stress->workers);
}

static void sleep_until(uint64_t deadline_ns)
{
    do {
        thread_wait_begin(WAIT_SLEEP, NULL);
    } while (thread_wait_until(deadline_ns) == 0);
}

int stress_run(struct stress *stresses, unsigned nr)
{
    unsigned nr_begun = 0;
    int error = 0;

    while (nr_begun < nr && error == 0) {
        error = begin(&stresses[nr_begun]);
        nr_begun += error == 0;
    }
    for (unsigned i = 0; i < nr_begun && error == 0; i++)
        for (unsigned number = 0; number < stresses[i].nr_workers && error == 0; number++)
            error = start_worker(&stresses[i], number);
    for (unsigned i = 0; i < nr_begun; i++) {
        sleep_until(stresses[i].deadline_ns);
        end(&stresses[i]);
    }
    return error;
}

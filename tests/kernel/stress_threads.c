/* Threads that make threads, on any CPU, and wait for them or let them go. */
#include <cpu/cpu_mask.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <sync/wait_queue.h>

#include "stress.h"

#define CHILDREN_MAX 3u
#define YIELDS_MAX   4u
#define CODE_BASE    1000

static struct wait_queue gone = WAIT_QUEUE_INITIALIZER(gone, "stress threads to end");
static uint64_t nr_let_go, nr_gone; /* [a] */

static int yield_and_return(void *argument)
{
    uintptr_t yields = (uintptr_t)argument;

    for (uintptr_t i = 0; i < yields; i++)
        thread_yield();
    return CODE_BASE + (int)yields;
}

static int yield_and_say(void *argument)
{
    (void)yield_and_return(argument);
    __atomic_fetch_add(&nr_gone, 1, __ATOMIC_RELEASE); /* pairs with end_threads */
    wait_queue_wake_all(&gone);
    thread_exit(0);
}

static int create(struct stress_worker *worker, struct thread **thread, thread_function function, uint64_t yields)
{
    struct thread_options options = {.name = "stress child", .nice = (int)stress_roll(worker, 40) - 20};
    struct cpu_mask cpu = {0};

    cpu_mask_set(&cpu, (uint32_t)stress_roll(worker, smp_nr_online()));
    if (stress_roll(worker, 3) > 0)
        options.affinity = &cpu;
    return thread_create(thread, &options, function, (void *)(uintptr_t)yields);
}

static void let_go(struct stress_worker *worker)
{
    struct thread *thread;

    __atomic_fetch_add(&nr_let_go, 1, __ATOMIC_RELAXED); /* read when the workers have ended */
    if (create(worker, &thread, yield_and_say, stress_roll(worker, YIELDS_MAX)) == 0) {
        thread_detach(thread);
        return;
    }
    __atomic_fetch_sub(&nr_let_go, 1, __ATOMIC_RELAXED);
    stress_fail("threads: no thread to let go");
}

static void work_threads(struct stress_worker *worker)
{
    unsigned nr = 1 + (unsigned)stress_roll(worker, CHILDREN_MAX), nr_created = 0;
    struct thread *children[CHILDREN_MAX];
    uint64_t yields[CHILDREN_MAX];

    while (nr_created < nr) {
        yields[nr_created] = stress_roll(worker, YIELDS_MAX);
        if (create(worker, &children[nr_created], yield_and_return, yields[nr_created]) < 0) {
            stress_fail("threads: no thread to wait for");
            break;
        }
        nr_created++;
    }
    if (stress_roll(worker, 4) == 0)
        let_go(worker);
    if (nr_created > 0 && stress_errs(worker))
        (void)thread_get(children[0]); /* a reference that is never given back */
    while (nr_created > 0) {
        int code = 0, error = thread_join(children[--nr_created], &code);

        if (error < 0 || code != CODE_BASE + (int)yields[nr_created])
            stress_fail("threads: join returned %d, exit code %d of %d", error, code,
                        CODE_BASE + (int)yields[nr_created]);
    }
}

static void end_threads(struct stress *stress)
{
    (void)stress;
    wait_queue_wait(&gone,
                    __atomic_load_n(&nr_gone, __ATOMIC_ACQUIRE) == __atomic_load_n(&nr_let_go, __ATOMIC_RELAXED));
}

const struct stress_kind stress_threads = {.name = "threads", .work = work_threads, .end = end_threads};

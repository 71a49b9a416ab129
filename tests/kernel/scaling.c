/* The command `scaling`: how long one, two and four threads take for the same work each, side by side. What is judged
 * is the ratio, in one machine, and beside another kernel's (tools/compare-scaling). */
#include <base/address.h>
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <sync/completion.h>
#include <sync/semaphore.h>
#include <time/clock.h>

#define THREADS_MAX 4u
#define ROUNDS      12u /* short ones, of which the least counts: a host is seldom quiet for long */

struct kind {
    const char *name;
    void (*work)(void);
};

static void compute(void)
{
    uint64_t x = 88172645463325252u;

    for (unsigned i = 0; i < 30000000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    __asm__ volatile("" : : "r"(x));
}

/* A service of the kernel with nothing to wait for. Not a yield: alone on its CPU that is a pause, for which an
 * emulator may take a lock that all its CPUs share. */
static void use_service(void)
{
    struct semaphore semaphore;

    semaphore_init(&semaphore, 1, "scaling");
    for (unsigned i = 0; i < 500000; i++) {
        semaphore_wait(&semaphore);
        semaphore_post(&semaphore);
    }
}

static void clear_pages(void)
{
    for (unsigned i = 0; i < 24 * 2048; i++) {
        void *page = kmalloc(PAGE_SIZE, ALLOC_NORMAL | ALLOC_ZERO);

        kfree(page);
    }
}

static const struct kind kinds[] = {{"cpu", compute}, {"service", use_service}, {"page", clear_pages}};

struct worker {
    const struct kind *kind;
    struct thread *thread;
    struct completion *begin;
};

static int run_worker(void *argument)
{
    const struct worker *worker = argument;

    completion_wait(worker->begin);
    worker->kind->work();
    return 0;
}

/* Returns nanoseconds, or 0 where there is no memory. */
static uint64_t measure(const struct kind *kind, unsigned nr)
{
    struct worker workers[THREADS_MAX];
    struct completion begin;
    unsigned nr_started = 0;
    uint64_t since;

    completion_init(&begin, "scaling");
    while (nr_started < nr) {
        struct worker *worker = &workers[nr_started];

        *worker = (struct worker){.kind = kind, .begin = &begin};
        if (thread_create(&worker->thread, &(struct thread_options){.name = "scaling"}, run_worker, worker) != 0)
            break;
        nr_started++;
    }
    since = clock_now_ns();
    completion_complete_all(&begin);
    for (unsigned i = 0; i < nr_started; i++)
        (void)thread_join(workers[i].thread, NULL);
    return nr_started == nr ? clock_now_ns() - since : 0;
}

static int scaling_command(int argc, char **argv)
{
    (void)argc, (void)argv;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (unsigned nr = 1; nr <= THREADS_MAX && nr <= smp_nr_online(); nr *= 2) {
            uint64_t least = UINT64_MAX;

            for (unsigned round = 0; round < ROUNDS; round++) {
                uint64_t took = measure(&kinds[i], nr);

                if (took == 0)
                    return -ENOMEM;
                least = took < least ? took : least;
            }
            console_printf("scaling_%s %u %lu ns\n", kinds[i].name, nr, least);
        }
    }
    return 0;
}

COMMAND(scaling, .name = "scaling", .arguments = "",
        .summary = "how long 1, 2 and 4 threads take for the same work each", .run = scaling_command);

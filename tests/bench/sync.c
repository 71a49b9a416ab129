/* The sleeping locks: what taking one costs, and a round trip between two threads that wake each other. */
#include <debug/bench.h>
#include <sched/thread.h>
#include <sync/completion.h>
#include <sync/mutex.h>
#include <sync/semaphore.h>

static struct mutex mutex = MUTEX_INITIALIZER("bench");

KERNEL_BENCH(mutex, 10000)
{
    bench_start();
    while (iterations-- > 0) {
        mutex_lock(&mutex);
        mutex_unlock(&mutex);
    }
    bench_stop();
}

static struct semaphore there, back;

static int answer_semaphore(void *rounds)
{
    for (uint64_t i = *(uint64_t *)rounds; i > 0; i--) {
        semaphore_wait(&there);
        semaphore_post(&back);
    }
    return 0;
}

KERNEL_BENCH(semaphore_round_trip, 2000)
{
    struct thread *partner;
    uint64_t rounds = iterations;

    semaphore_init(&there, 0, "there");
    semaphore_init(&back, 0, "back");
    if (thread_create(&partner, &(struct thread_options){.name = "partner"}, answer_semaphore, &rounds) != 0)
        return;
    bench_start();
    while (iterations-- > 0) {
        semaphore_post(&there);
        semaphore_wait(&back);
    }
    bench_stop();
    (void)thread_join(partner, NULL);
}

static struct completion asked, answered;

static int answer_event(void *rounds)
{
    for (uint64_t i = *(uint64_t *)rounds; i > 0; i--) {
        completion_wait(&asked);
        completion_complete(&answered);
    }
    return 0;
}

KERNEL_BENCH(event_round_trip, 2000)
{
    struct thread *partner;
    uint64_t rounds = iterations;

    completion_init(&asked, "asked");
    completion_init(&answered, "answered");
    if (thread_create(&partner, &(struct thread_options){.name = "partner"}, answer_event, &rounds) != 0)
        return;
    bench_start();
    while (iterations-- > 0) {
        completion_complete(&asked);
        completion_wait(&answered);
    }
    bench_stop();
    (void)thread_join(partner, NULL);
}

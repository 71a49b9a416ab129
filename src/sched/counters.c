/* What this layer adds to the things a test must leave as it found them. */
#include <debug/test.h>
#include <sched/sched.h>
#include <sched/thread.h>

static uint64_t count_threads(void)
{
    struct thread *thread;
    uint64_t count = 0;

    thread_for_each(thread) count++;
    return count;
}

TEST_COUNTER(threads, "threads", threads_settle, count_threads);

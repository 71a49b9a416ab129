#include "sync_team.h"

int team_run(thread_function function, void *argument, int *sum)
{
    struct thread *threads[TEAM_SIZE];
    unsigned nr_started = 0;
    int error = 0;

    *sum = 0;
    while (nr_started < TEAM_SIZE && !error) {
        error = thread_create(&threads[nr_started], &(struct thread_options){.name = "team"}, function, argument);
        if (!error)
            nr_started++;
    }
    while (nr_started > 0) {
        int code = 0;

        (void)thread_join(threads[--nr_started], &code);
        *sum += code;
    }
    return error;
}

void team_await_wait(const struct thread *thread, enum thread_wait reason)
{
    struct thread_info info;

    for (;;) {
        thread_get_info(thread, &info);
        if (info.state == THREAD_DEAD || (info.state == THREAD_WAITING && info.wait == reason))
            return;
        thread_yield();
    }
}

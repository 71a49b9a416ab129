/* What stands in for the kernel's scheduler: sched/thread.h on the search's threads. */
#pragma once

#include <sched/thread.h>
#include <sched/thread_locks.h>

struct thread {
    struct thread_locks locks; /* first: thread_locks takes the one for the other */
    unsigned number;
    enum { THREAD_AWAKE, THREAD_ANNOUNCED, THREAD_ASLEEP } wait_state;
    unsigned urgency, inherited;
    unsigned nr_references;
};

extern struct thread test_threads[];

/* All as new, threads of urgency 20. */
void scheduler_set_up(void);

/* Nothing is left of waiting: no lock held, nothing inherited, no reference. */
void scheduler_check_end(void);

/* Stress: kinds of work that many threads on all CPUs do at once until a time, each round of which checks itself.
 *
 * A kind has two threads for each CPU: one that stays there, and one that may run anywhere. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct block_device;
struct stress;
struct thread;

struct stress_worker {
    struct stress *stress;
    struct thread *thread;
    unsigned number;
    uint64_t dice;      /* the worker's own: stress_roll */
    uint64_t nr_rounds; /* read when the thread has ended */
    uint32_t is_done;   /* [a] it has had its last round */
};

struct stress_kind {
    const char *name;
    /* Before the threads; on an error there is nothing left. After them. Either may be NULL. Context: thread. */
    int (*begin)(struct stress *stress);
    void (*end)(struct stress *stress);
    /* One round. Context: thread. */
    void (*work)(struct stress_worker *worker);
    /* The time is over: wakes who waits for others in a round. May be NULL. Context: thread. */
    void (*stop)(struct stress *stress);
};

/* A run of one kind. */
struct stress {
    const struct stress_kind *kind;
    struct block_device *disk; /* of the kind `disk`, whose first sectors are overwritten; NULL else */
    bool is_planted; /* the kind makes the mistakes that its own checks, or those of the counters, must find */
    unsigned nr_workers;
    uint64_t seed, deadline_ns;
    uint64_t nr_rounds;            /* after it */
    struct stress_worker *workers; /* stress.c's */
};

extern const struct stress_kind stress_threads, stress_mutex, stress_queue, stress_timers, stress_kmalloc,
    stress_vmalloc, stress_pages, stress_ipi, stress_disk;

/* Runs them all at once until their deadlines. Returns 0 or -ENOMEM, or what a kind's begin returned; the others have
 * ended then, too. Context: thread. */
MUST_CHECK int stress_run(struct stress *stresses, unsigned nr);

/* The time of the worker's kind is over. */
bool stress_is_over(const struct stress *stress);

/* A number below `below`, which is not 0. */
uint64_t stress_roll(struct stress_worker *worker, uint64_t below);

/* It is time for the planted mistake, where one is wanted. */
bool stress_errs(struct stress_worker *worker);

/* Something is wrong: says what, the first times, and counts. Context: any. */
PRINTF(1, 2) void stress_fail(const char *format, ...);

/* How often since the last call. */
uint64_t stress_take_failures(void);

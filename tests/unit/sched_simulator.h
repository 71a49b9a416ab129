/* A machine whose only work is to be scheduled: CPUs with a run queue each and threads that run and wait, in simulated
 * time. It does with the policy what src/sched does, one event after the other, and looks after each whether everybody
 * is where they should be. */
#pragma once

#include "../../src/sched/placement.h"
#include "../../src/sched/run_queue.h"

#define SIM_CPUS_MAX    8
#define SIM_THREADS_MAX 64
#define SIM_MS          1000000ull
#define SIM_S           (1000 * SIM_MS)

struct sim_thread {
    struct sched_entity entity;
    uint32_t cpu;
    struct cpu_mask allowed;
    /* It runs for up to run_max_ns, then waits for up to wait_max_ns, over and over; 0: it never waits. */
    uint64_t run_max_ns, wait_max_ns;
    bool yields;          /* instead of waiting */
    uint64_t run_left_ns; /* until it waits */
    uint64_t wake_at_ns;  /* UINT64_MAX: does not wait */
    uint64_t last_ran_ns; /* when it last had a CPU */
    uint64_t runnable_ns; /* since when it wants one */
    uint64_t longest_wait_ns;
    uint64_t cpu_time_ns; /* as the machine sees it */
};

struct sim {
    uint64_t now, seed;
    uint32_t nr_cpus, nr_threads;
    uint32_t jitter_ns;   /* slices end late by up to so much */
    uint32_t tell_max_ns; /* a CPU that is told to look whom to run does so up to so much later */
    uint64_t nr_moves, nr_pushes, nr_switches, nr_hand_overs, idle_ns;
    int64_t lag_max_ns; /* the largest lag, in CPU time, ever seen of somebody on a queue */
    struct run_queue queues[SIM_CPUS_MAX];
    struct cpu_mask cpus, idle;
    uint64_t ran_since[SIM_CPUS_MAX]; /* the machine's own count of run times */
    uint64_t looks_at[SIM_CPUS_MAX];  /* UINT64_MAX: it has not been told */
    struct sim_thread threads[SIM_THREADS_MAX];
};

/* What was found wrong, or NULL. */
extern const char *sim_wrong;

void sim_init(struct sim *sim, uint32_t nr_cpus, uint64_t seed);

/* A thread that never waits, made runnable at once. */
struct sim_thread *sim_add(struct sim *sim, const struct sched_policy *policy, uint32_t cpu);

/* Wakes, ends slices, moves and switches until now + length_ns. */
void sim_run(struct sim *sim, uint64_t length_ns);

void sim_set_policy(struct sim *sim, struct sim_thread *thread, const struct sched_policy *policy);

/* Of one that does not run. */
void sim_set_affinity(struct sim *sim, struct sim_thread *thread, const struct cpu_mask *allowed);

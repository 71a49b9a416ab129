/* Forced switches at the places of cpu/schedule_point.h. One CPU runs, and the counts change only where a thread may be
 * preempted and no interrupt counts: so plain variables do. */
#include <sched/explore.h>

#include <base/assert.h>
#include <cpu/preempt.h>
#include <cpu/schedule_point.h>

#include "cpu_queue.h"

static struct explore_plan plan;     /* [c] of the CPU that explores; nothing else runs */
static struct explore_result result; /* [c] the same */
static uint64_t random_state;        /* [c] the same */
static bool is_on;                   /* [a] */

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003): any seed but 0. */
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static bool is_chosen(void)
{
    if (result.nr_points == plan.at)
        return true;
    return plan.seed != 0 && next_random() % plan.one_in == 0;
}

/* Idle threads have nobody to let in. */
static bool is_place(void)
{
    return may_sleep() && !thread_is_idle(thread_current());
}

void schedule_point_(void)
{
    if (LIKELY(!__atomic_load_n(&is_on, __ATOMIC_RELAXED)) || !is_place())
        return;
    result.nr_points++;
    if (!is_chosen())
        return;
    result.nr_switches++;
    thread_yield();
}

void explore_begin(const struct explore_plan *wanted)
{
    ASSERT(percpu_nr_cpus() == 1 && !is_on && (wanted->seed == 0 || wanted->one_in != 0));
    plan = *wanted;
    result = (struct explore_result){0};
    random_state = wanted->seed;
    __atomic_store_n(&is_on, true, __ATOMIC_RELAXED);
}

struct explore_result explore_end(void)
{
    __atomic_store_n(&is_on, false, __ATOMIC_RELAXED);
    return result;
}

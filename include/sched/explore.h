/* Exploring schedules: a test is run again and again on one CPU, each time with a switch to another thread forced at
 * other places, so that an interleaving that comes once in a million runs comes for certain. Every run can be had
 * again: the places are counted, and random ones come from a seed. A build with CONFIG_EXPLORE has it.
 *
 *     explore_begin(&(struct explore_plan){.at = 17});     // the 17th place the run comes to
 *     ... threads do their work ...
 *     struct explore_result result = explore_end();
 *
 * The rest is left to the clock: slices end, timers fire. With QEMU's -icount time is instructions, and a run repeats
 * itself exactly. */
#pragma once

#include <base/types.h>

struct explore_plan {
    uint64_t at;     /* switches away at this place, counted from 1; 0: at none */
    uint64_t seed;   /* not 0: also at places drawn from this seed */
    uint32_t one_in; /* of how many places one is drawn, with a seed; not 0 then */
};

struct explore_result {
    uint64_t nr_points;   /* places the run came to */
    uint64_t nr_switches; /* forced */
};

/* Context: thread, on a machine of which one CPU runs. One at a time. */
void explore_begin(const struct explore_plan *plan);
struct explore_result explore_end(void);

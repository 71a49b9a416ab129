/* Places at which another thread may come in and something could go wrong that nobody has thought of. In a build with
 * CONFIG_EXPLORE they are counted while a test is explored, and the scheduler switches away at those that were chosen
 * (include/sched/explore.h). Otherwise nothing is left of them.
 *
 * The ends of sections that forbid preemption, and of those that turn interrupts off for a lock, are such places by
 * themselves. Code without locks names its own. */
#pragma once

#include <base/compiler.h>

#ifndef CONFIG_EXPLORE
#define CONFIG_EXPLORE 0 /* host tests explore in ways of their own */
#endif

/* Implemented by sched/explore.c. */
void schedule_point_(void);

/* Does nothing where the running thread must not be preempted. Context: any. */
static ALWAYS_INLINE void schedule_point(void)
{
    if (CONFIG_EXPLORE)
        schedule_point_();
}

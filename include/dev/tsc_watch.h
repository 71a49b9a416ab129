/* The CPUs' time stamp counters compared now and then (smp/tsc.h), as a piece of work. */
#pragma once

/* From now on: when an event comes by and the last comparison is a few seconds ago, one more CPU is compared, each in
 * its turn. An idle machine is not woken for it. Context: init, after the other CPUs were started. */
void tsc_watch_init(void);

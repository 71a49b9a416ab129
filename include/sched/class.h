/* The classes in which threads are scheduled, and how urgent one is within them. */
#pragma once

#define NICE_MIN          (-20)
#define NICE_MAX          19
#define FIFO_PRIORITY_MIN 1u
#define FIFO_PRIORITY_MAX 99u

enum sched_class {
    SCHED_FAIR, /* a share of the time by its nice value */
    SCHED_FIFO, /* on its CPU before every fair thread, and before FIFO threads of lower priority, until it waits */
};

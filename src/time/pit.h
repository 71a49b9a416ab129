/* Channel 2 of the 8254, to measure against where there is nothing better. */
#pragma once

#include <time/source.h>

/* Sets it off; it counts for 54 ms. NULL where there is none, or it does not count. Context: init. */
struct clock_source *pit_start(void);

/* Channel 0 interrupts 18 times a second as the firmware leaves it: no more. Context: init. */
void pit_stop_ticks(void);

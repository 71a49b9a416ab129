#pragma once

#include <sync/spinlock.h>
#include <time/source.h>

extern struct spinlock time_lock; /* sources and which are used; interrupts take it */

/* Compares the clock with the next best source when that is a second or more ago. What it finds is logged. Context: any
 * but NMI, with no lock held. */
void clock_watch(void);
/* The same soon, as deferred work. Context: any but NMI. */
void clock_watch_later(void);

/* Takes in use the best source that is trusted. [time lock] */
void clock_select_locked(void);

/* The TSC is not trusted any more: takes what goes by it out of use, or says that there is nothing else. Context: any
 * but NMI, without the time lock. */
void event_sources_distrust_tsc(void);

/* Programs the event source for this moment, UINT64_MAX for none. Context: irq-off. */
void event_program(uint64_t deadline_ns);

/* Every CPU's timers again: the clock has jumped. Context: any but NMI. */
void event_rearm_all(void);

/* Arms a source for this moment, as late as it may. Context: irq-off. */
void event_arm(struct event_source *source, uint64_t deadline_ns);

/* What the queue of this CPU waits for, again: the event source has changed. Context: any. */
void timer_reprogram(void);

/* Another CPU has found this one's timers due, or changed the event source. Context: irq-off. */
void timer_kicked(void);

/* A wrapping clock has to be looked at before it wraps: sets the timer that does, or stops it. Context: thread, irq. */
void clock_keep_from_wrapping(void);

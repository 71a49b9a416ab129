/* Work: what an interrupt or a timer starts and leaves to be done where waiting is allowed, one piece at a time.
 * Devices that come and go are the first of it. A thread of its own, "work", does it.
 *
 *  1. One piece runs at a time in the whole kernel, to its end, in the order queued. So the pieces need no lock between
 *     themselves, and a piece that waits for a block request does not meet another one in that wait.
 *  2. Boot counts as a piece of work: nothing runs before work_start. So devices are added and removed by one at a
 *     time, at boot and later. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>

struct work {
    struct list link; /* [work lock] */
    bool is_queued;   /* [work lock] */
    void (*run)(struct work *work);
};

/* Queues it unless it is queued already. What was written before is seen by its run. Queued while it runs, it runs
 * again. Context: any but NMI. */
void work_queue(struct work *work);

/* Takes it off the queue. When it returns it neither is queued nor runs. Context: a piece of work, not itself. */
void work_cancel(struct work *work);

/* The thread. Returns 0 or -ENOMEM. Context: init, after sched_init. */
MUST_CHECK int work_init(void);

/* Boot is done. Context: init, once. */
void work_start(void);

/* Waits until all that is queued has run, and what that queued. Does nothing before work_start. Context: thread, but no
 * piece of work; with nothing held that a driver's remove waits for. */
void work_run(void);

/* Whether a piece waits for being run. Context: any. */
bool work_can_run(void);

/* One step of waiting for something that an interrupt's handler, a timer, deferred work or a piece of work will make
 * true without waking us: sleeps until any of those has been, unless is_done(context). Context: thread. */
void work_wait(bool (*is_done)(const void *context), const void *context);

/* Wakes all who are in work_wait (irq/activity.h). Context: any but NMI. */
void work_wake_waiting(void);

/* Work: what an interrupt or a timer starts and leaves to be done where waiting is allowed, one piece at a time.
 * Devices that come and go are the first of it.
 *
 * Until threads exist the boot thread does it, whenever it waits for something else: the prompt for a key, a block
 * request for its end. It will be a thread of its own. What is written for that already:
 *
 *  1. One piece runs at a time in the whole kernel, to its end, in the order queued. So the pieces need no lock between
 *     themselves, and a piece that waits for a block request does not meet another one in that wait.
 *  2. Boot counts as a piece of work: nothing runs before work_start. So devices are added and removed by one at a
 * time, at boot and later. */
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

/* Boot is done. Context: init, once. */
void work_start(void);

/* Runs what is queued, and what that queues. Does nothing before work_start or within a piece of work. Context: thread,
 * interrupts on, with nothing held that a driver's remove waits for. */
void work_run(void);

/* Whether work_run would find something; asked with interrupts off before a halt. Context: any. */
bool work_can_run(void);

/* One step of waiting for something that an interrupt or a piece of work will bring: runs work, or halts until an
 * interrupt unless is_done(context) with interrupts off. Context: as work_run. */
void work_wait(bool (*is_done)(const void *context), const void *context);

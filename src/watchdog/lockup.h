/* What is known about each CPU, and the sentence passed on it.
 *
 *     FINE -> ASKED        it has let nobody in for a while: it gets a reschedule interrupt
 *     ASKED -> ACCUSED     it took the interrupt and still lets nobody in, soft_ns after it did last: a soft lockup;
 *                          or it has not taken it hard_ns after: a hard one. It gets an NMI, to report where it is
 *     ACCUSED -> REPORTED  it has, or NMIs did not get through and the watcher has
 *     any -> FINE          it has gone through the scheduler, or halts
 *
 * Several watchers may look at a CPU at a time; the note about it belongs to the one that holds is_taken, and who does
 * not get it leaves it at that: a watcher may itself be stopped in there. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <watchdog/watchdog.h>

enum lockup { LOCKUP_NONE, LOCKUP_SOFT, LOCKUP_HARD };

extern struct watchdog_options watchdog; /* [I] after watchdog_init */

/* Looks at a CPU and does what follows; was_late: the watcher itself has not looked for so long that nothing can be
 * said about others. False when the CPU is quiet. Context: irq-off. */
bool lockup_look_at(uint32_t cpu, uint64_t now, bool was_late);

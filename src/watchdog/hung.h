/* Threads that have waited too long for what should not take for ever. Private to the watchdog. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sched/thread.h>

/* Shows one thread, what it waits for and its stack, in the log. Context: any. */
void sleeper_show(const struct thread *thread, const struct thread_info *info);

/* The address of the thread that has to act for this wait to end: a mutex's owner, who is joined. 0: not known. It may
 * be no thread any more. Context: any. */
uintptr_t sleeper_waits_for(const struct thread_info *info);

/* A CPU is busy: from here on threads may begin to wait. Context: irq-off. */
void hung_watch(void);

/* False where every CPU halts, this one's interrupt aside. Context: irq-off. */
bool watch_is_anybody_busy(void);

/* A thread that waits, for a reader. Private to the watchdog. Context of all: any; no lock is taken, nothing allocated,
 * and nothing of what is read is believed. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sched/thread.h>

/* False where waiting for ever is in the course of things: for input, work, time, or whatever a queue is for. */
bool sleeper_should_end(enum thread_wait wait);

bool sleeper_has_mutexes(const struct thread *thread);

/* What it waits for, and the mutexes it has: a line each, without a newline. */
void sleeper_describe(const struct thread *thread, const struct thread_info *info, void (*write)(const char *line));

/* Its stack, as far as it has one to show. */
void sleeper_describe_stack(const struct thread *thread, void (*write)(const char *line));

/* The address of the thread that has to act for this wait to end: a mutex's owner, who is joined. 0: not known. It may
 * be no thread any more. */
uintptr_t sleeper_waits_for(const struct thread_info *info);

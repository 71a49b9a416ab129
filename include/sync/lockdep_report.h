/* Between the lock checker and who writes about it: reports, and the commands `locks` and `latency`. Only in builds
 * with CONFIG_LOCKDEP. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sync/lockdep.h>
#include <sync/lockdep_graph.h>
#include <sync/lockdep_latency.h>

/* What a finding ends in (`keel.lockdep=`). */
enum lockdep_action { LOCKDEP_PANIC, LOCKDEP_WARN };

void lockdep_set_action(enum lockdep_action action);

/* The code that took the lock. */
struct lockdep_caller {
    const void *return_address;
    const uint64_t *frame; /* the hook's own: the caller's frame pointer and the return address */
};

/* Writes the finding down and returns where the action is LOCKDEP_WARN. Implemented by debug/lockdep_report.c. Context:
 * any, no lock of the checker held. */
COLD void lockdep_report(const struct lock_finding *finding, const struct lockdep_caller *caller);

/* The same for what took longer than the limit of include/sync/lockdep_latency.h: a warning, and no finding. A lock of
 * the class, with its statistics; a section that was begun at a return address. */
COLD void lockdep_report_held_long(const struct lock_class *class, const struct lockdep_caller *caller);
COLD void lockdep_report_long(enum latency_kind kind, uint64_t ticks, const void *begun,
                              const struct lockdep_caller *caller);

/* The stack that address lies in: [*low, *high). Implemented by debug/lockdep_report.c. Context: any. */
bool lockdep_find_stack(uint64_t address, uint64_t *low, uint64_t *high);

/* "timer time_out()". Implemented by debug/lockdep_report.c. Context: any. */
void lockdep_name_function(char *name, size_t size, const char *kind, uintptr_t function);

/* Says so, once. Implemented by debug/lockdep_report.c. Context: any. */
COLD void lockdep_tell_full(const char *why);

/* Findings so far, those given to an observer not counted. Context: any. */
uint64_t lockdep_nr_findings(void);

/* For tests that provoke findings: they go to observer instead of a report and the count, and the code goes on. NULL
 * ends it. Context: thread. */
typedef void (*lockdep_observer)(const struct lock_finding *finding);
void lockdep_set_observer(lockdep_observer observer);

/* The classes, in the order of first use, linked by next. Context: any. */
const struct lock_class *lockdep_first_class(void);

/* What a CPU holds or waits for, and what the thread that runs there does: lists that may change while they are read.
 * The classes in them stay. Context: any. */
const struct lockdep_holds *lockdep_holds_of_cpu(uint32_t cpu);
const struct lockdep_holds *lockdep_holds_of_thread_on(uint32_t cpu);

struct lockdep_figures {
    uint32_t nr_classes, nr_edges, nr_stacks;
    size_t bytes_left;
    bool
        is_full; /* something could not be learnt: memory ran out, or somebody held too many locks; lockdep_tell_full */
};

void lockdep_get_figures(struct lockdep_figures *figures);

/* Longest waits and holds begin anew. Context: any. */
void lockdep_reset_statistics(void);

/* Little is left to learn in. Context: any. */
bool lockdep_wants_memory(void);

/* Memory for the checker to learn in, zeroed; it is never given back, and what was left before is lost. Context: any.
 */
void lockdep_add_memory(void *memory, size_t size_bytes);

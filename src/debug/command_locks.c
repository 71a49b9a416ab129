/* What this CPU holds is known in every build; the rest is the lock checker's (lockdep_show.c). */
#include <cpu/percpu.h>
#include <debug/backtrace.h>
#include <debug/command.h>
#include <debug/console.h>
#include <sync/spinlock.h>

#include "lockdep_show.h"

static int run_locks(int argc, char **argv)
{
    char where[128];

    (void)argc, (void)argv;
    if (CONFIG_LOCKDEP) {
        lockdep_show();
        return 0;
    }
    console_printf("classes and times are for the debug build; held by this CPU:%s\n",
                   this_cpu_read(percpu.held_locks) ? "" : " none");
    for (const struct spinlock *held = this_cpu_read(percpu.held_locks); held; held = held->held_below) {
        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)held->acquired_at, true);
        console_printf(" '%s' taken at %s\n", held->name, where);
    }
    return 0;
}

COMMAND(locks, .name = "locks", .arguments = "", .summary = "lock classes: how often taken, how long held, by whom",
        .run = run_locks);

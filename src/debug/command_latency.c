/* What the lock checker has measured (lockdep_latency.c); no other build measures it. */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/string.h>
#include <sync/lockdep_latency.h>

#include "lockdep_show.h"

static int run_latency(int argc, char **argv)
{
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "reset") != 0))
        return command_error(-EINVAL, "usage: latency [reset]");
    if (!CONFIG_LOCKDEP)
        console_printf("measured in the debug build only\n");
    else if (argc == 2)
        latency_reset();
    else
        latency_show();
    return 0;
}

static const char *complete_latency(unsigned n)
{
    return n == 0 ? "reset" : NULL;
}

COMMAND(latency, .name = "latency", .arguments = "[reset]",
        .summary = "longest with interrupts or preemption off or a lock held", .run = run_latency,
        .complete = complete_latency);

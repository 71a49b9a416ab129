#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/string.h>

#include "fault.h"

static size_t nr_faults(void)
{
    return (size_t)(__table_faults_end - __table_faults_start);
}

static int list_faults(void)
{
    for (size_t i = 0; i < nr_faults(); i++)
        console_printf("%s\n", __table_faults_start[i].name);
    return 0;
}

static int describe_faults(void)
{
    for (size_t i = 0; i < nr_faults(); i++)
        console_printf("%2u  %-24s %s\n", __table_faults_start[i].number, __table_faults_start[i].name,
                       __table_faults_start[i].summary);
    return 0;
}

static int run_fault(int argc, char **argv)
{
    if (argc != 2)
        return describe_faults();
    if (strcmp(argv[1], "list") == 0)
        return list_faults();
    for (size_t i = 0; i < nr_faults(); i++)
        if (strcmp(argv[1], __table_faults_start[i].name) == 0)
            return __table_faults_start[i].provoke();
    return command_error(-ENOENT, "no fault is named '%s'", argv[1]);
}

static const char *complete_fault(unsigned n)
{
    if (n == 0)
        return "list";
    return n <= nr_faults() ? __table_faults_start[n - 1].name : NULL;
}

COMMAND(fault, .name = "fault", .arguments = "[NAME|list]", .summary = "provoke a fault, to see its report",
        .run = run_fault, .complete = complete_fault);

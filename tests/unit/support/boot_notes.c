#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <boot/report.h>

#include "boot_notes.h"

static char lines[256][BOOT_REPORT_TEXT_MAX];
static unsigned nr_lines;

static void collect(enum boot_report_level level, const char *text)
{
    (void)level;
    if (getenv("UNIT_LOG"))
        fprintf(stderr, "%s\n", text);
    if (nr_lines < sizeof(lines) / sizeof(lines[0]))
        snprintf(lines[nr_lines++], sizeof(lines[0]), "%s", text);
}

void boot_notes_start(void)
{
    nr_lines = 0;
    boot_report_connect(collect);
}

unsigned boot_notes_count(void)
{
    return nr_lines;
}

bool boot_notes_have(const char *text)
{
    for (unsigned i = 0; i < nr_lines; i++)
        if (strstr(lines[i], text))
            return true;
    return false;
}

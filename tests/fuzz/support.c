#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include <base/assert.h>
#include <boot/report.h>

void finding(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "FINDING: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

void assert_fail(const char *expression, const char *file, int line, const char *function)
{
    finding("%s:%d: %s: assertion failed: %s", file, line, function, expression);
}

static void swallow(enum boot_report_level level, const char *text)
{
    (void)level;
    for (size_t i = 0; text[i] != '\0'; i++)
        REQUIRE(i + 1 < BOOT_REPORT_TEXT_MAX, "a note is longer than allowed");
}

void notes_to_nowhere(size_t input_size)
{
    boot_report_connect(input_size % 8 == 0 ? swallow : NULL);
}

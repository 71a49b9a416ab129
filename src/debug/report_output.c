#include "report_output.h"

#include <cpu/percpu.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/report.h>
#include <lib/crc32.h>
#include <lib/format.h>
#include <lib/string.h>

#define LINE_MAX        480
#define NOTICE_LINE_MAX (LOG_TEXT_MAX + 1 - sizeof(REPORT_MARK))

/* One block at a time is written by a CPU; in_report guards it. */
struct report_output {
    bool is_fatal;
    uint32_t crc;
    uint32_t nr_lines; /* [a] since boot */
};

static PER_CPU struct report_output output; /* [c] */

static void write_bytes(const char *bytes, size_t length)
{
    if (console_is_registered())
        console_write(bytes, length);
    else
        early_write(bytes, length);
}

/* line has room for one more character behind its length. */
static void write_line(char *line, size_t length)
{
    if (!this_cpu_read(output.is_fatal)) {
        log_warn(REPORT_MARK "%s", line);
        return;
    }
    line[length] = '\n';
    write_bytes(line, length + 1);
}

void report_line(const char *format, ...)
{
    char line[LINE_MAX];
    size_t limit = this_cpu_read(output.is_fatal) ? LINE_MAX - 1 : NOTICE_LINE_MAX, length;
    uint32_t crc = this_cpu_read(output.crc);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, limit, format, arguments);
    va_end(arguments);
    length = strnlen(line, limit);
    crc = crc32_update(crc, line, length);
    this_cpu_write(output.crc, crc32_update(crc, "\n", 1));
    this_cpu_write(output.nr_lines, this_cpu_read(output.nr_lines) + 1);
    write_line(line, length);
}

uint32_t report_nr_lines(uint32_t cpu)
{
    return __atomic_load_n(&percpu_of(cpu, output)->nr_lines, __ATOMIC_RELAXED);
}

void report_output_begin(bool is_fatal)
{
    if (is_fatal && console_is_registered()) {
        console_enter_panic();
        console_flush();
    }
    this_cpu_write(output.is_fatal, is_fatal);
    this_cpu_write(output.crc, 0);
    report_line("%s", REPORT_BEGIN);
}

void report_output_end(void)
{
    char line[LINE_MAX];
    int length = snprintf(line, sizeof(line), REPORT_END, this_cpu_read(output.crc));

    write_line(line, (size_t)length);
}

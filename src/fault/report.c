/* Reports under bad circumstances. */
#include <cpu/io.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/panic.h>
#include <debug/report.h>

#include "fault.h"

static void fault_write_bytes(struct console *console, const char *bytes, size_t length)
{
    (void)console, (void)bytes, (void)length;
    fault_write(opaque_pointer((void *)24), 1);
}

static struct console broken_console = {.name = "broken", .write = fault_write_bytes};

/* Registering writes the log so far to the console: under the console's lock. The driver faults, and faults again when
 * the report is written to it. */
FAULT(inside_report, 44, "a fault inside the report: two lines, then the end")
{
    console_register(&broken_console);
    return 0;
}

static bool has_faulted;

static void fault_write_bytes_once(struct console *console, const char *bytes, size_t length)
{
    (void)console, (void)bytes, (void)length;
    if (has_faulted)
        return;
    has_faulted = true;
    fault_write(opaque_pointer((void *)24), 1);
}

static struct console faulting_once = {.name = "faulting once", .write = fault_write_bytes_once};

FAULT(console_locked, 44, "a fault of the CPU that holds the console's lock")
{
    console_register(&faulting_once);
    return 0;
}

#define COM1_MODEM_CONTROL 0x3fc /* 16550D datasheet 8.6.4 */
#define LOOPBACK           0x10

/* The port takes every byte and none leaves the machine. */
FAULT(serial_dead, 44, "a fault while the serial port is dead: the other consoles show it")
{
    out8(COM1_MODEM_CONTROL, LOOPBACK);
    fault_write(opaque_pointer((void *)32), 1);
    return 0;
}

static void log_between(const void *argument)
{
    (void)argument;
    log_info("provoked: a line between");
}

FAULT(line_between, 44, "a line of the log between those of a report, after which the kernel goes on")
{
    struct trap_frame frame;

    capture_registers(&frame);
    report_notice(&(struct report){.frame = &frame, .class_words = "provoked: goes on", .details = log_between});
    return 0;
}

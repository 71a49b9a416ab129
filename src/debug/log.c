/* The kernel log: formats a record on the caller's stack, puts it into the ring, takes it off the stack again and asks
 * the consoles to show it.
 *
 * Formatting comes before a number is taken in the ring: a fault in it (a bad pointer behind %s) leaves no hole. */
#include <debug/log.h>

#include <base/align.h>
#include <base/assert.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/tsc.h>
#include <debug/console.h>
#include <lib/format.h>
#include <lib/string.h>

#include "log_internal.h"
#include "log_ring.h"

/* 256 KiB: the boot of a machine of the largest size we know of writes a few hundred records. */
#ifndef LOG_RECORDS
#define LOG_RECORDS 1024
#endif

static_assert((LOG_RECORDS & (LOG_RECORDS - 1)) == 0, "the ring wants a power of two");

static uint64_t (*now_ns)(void) = tsc_now_ns; /* [I] after boot */
static struct log_slot log_slots[LOG_RECORDS];
static struct log_ring ring = {.slots = log_slots, .size = LOG_RECORDS}; /* [a] debug/log_ring.h */

/* Text from firmware or a device must not drive the terminal: control characters become question marks. A newline
 * stays, for records of several lines; those at the end go. */
static size_t clean_text(char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    text[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (UNLIKELY((unsigned char)text[i] < ' ' || text[i] == 0x7f) && text[i] != '\n' && text[i] != '\t')
            text[i] = '?';
    }
    return length;
}

/* Ends a text that was cut with "...", not within a character. */
static size_t mark_cut(char *text)
{
    size_t at = LOG_TEXT_MAX - 1 - 3;

    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    memcpy(text + at, "...", 4);
    return at + 3;
}

static size_t format_text(char *text, const char *format, va_list arguments)
{
    int length = vsnprintf(text, LOG_TEXT_MAX, format, arguments);

    if (length < 0 || length >= LOG_TEXT_MAX)
        return clean_text(text, mark_cut(text));
    return clean_text(text, (size_t)length);
}

/* Not inlined: the record is not on the stack any more when the consoles' drivers are. */
static NOINLINE void add_record(enum log_level level, const char *format, va_list arguments)
{
    struct log_record record;

    record.length_bytes = (uint16_t)format_text(record.text, format, arguments);
    record.time_ns = now_ns();
    record.level = level;
    record.cpu = (uint16_t)this_cpu_read(percpu.cpu_number);
    log_ring_write(&ring, &record);
}

void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    preempt_disable(); /* no console shows what is behind a record that is not complete */
    add_record(level, format, arguments);
    preempt_enable();
    va_end(arguments);
    console_flush();
}

void log_set_clock(uint64_t (*better_now_ns)(void))
{
    now_ns = better_now_ns;
}

int log_read(uint64_t sequence, struct log_record *record, uint64_t *oldest)
{
    return log_ring_read(&ring, sequence, record, oldest);
}

bool log_is_complete(uint64_t sequence)
{
    return log_ring_is_complete(&ring, sequence);
}

uint64_t log_next_sequence(void)
{
    return __atomic_load_n(&ring.next, __ATOMIC_ACQUIRE); /* pairs with the swap in log_ring.c */
}

uint64_t log_dropped(void)
{
    return __atomic_load_n(&ring.dropped, __ATOMIC_RELAXED); /* a counter: orders nothing */
}

void log_enter_panic(void)
{
    log_ring_force(&ring);
}

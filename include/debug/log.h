/* The kernel log: a lock-free ring of records, written from any context (NMI, machine check and panic included) and
 * drained to the consoles. The newest records win: a full ring drops its oldest, and says how many were lost. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define LOG_TEXT_MAX 224 /* longer lines are cut and end in "..." */

struct log_record {
    uint64_t sequence; /* 0, 1, 2 ... */
    uint64_t time_ns;  /* since boot; an estimate until the clock is calibrated */
    enum log_level level;
    uint16_t cpu;
    uint16_t length_bytes; /* of text, without the terminator */
    char text[LOG_TEXT_MAX];
};

/* Adds one record and, where the context allows, writes it to the consoles. Context: any. */
PRINTF(2, 3) void log_write(enum log_level level, const char *format, ...);

/* A better clock for the records' times than the TSC as boot measured it: of any context, and not behind it. Context:
 * init. */
void log_set_clock(uint64_t (*better_now_ns)(void));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Copies the record with this sequence number. Returns 0; -EAGAIN when it is not written yet; -ENOENT when it has been
 * overwritten, with *oldest set to the oldest one still held. Context: any. */
MUST_CHECK int log_read(uint64_t sequence, struct log_record *record, uint64_t *oldest);

/* The sequence number the next record will get. Context: any. */
uint64_t log_next_sequence(void);

/* Levels above this one are kept but not shown on consoles (`keel.loglevel=`). Returns the level before. */
enum log_level log_set_console_level(enum log_level level);

/* Consoles: where log lines and the prompt's output go, and where typed characters come from. Drivers register; nobody
 * here knows a driver. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct console {
    const char *name;
    /* Writes length bytes of UTF-8 with ANSI colour sequences. Called with the console lock held, or from a panic with
     * every other CPU stopped and no lock at all: must not sleep, allocate or take a lock, and must end even when the
     * device does not answer. */
    void (*write)(struct console *console, const char *bytes, size_t length);
    /* The next input byte, or -EAGAIN when there is none. NULL for an output-only console. Any context. */
    int (*read)(struct console *console);
    bool is_log_only;     /* gets the log, not the prompt (QEMU's debug port) */
    struct console *next; /* [console lock] set by console_register */
    uint64_t log_position; /* [console lock] sequence number of the next log record to write */
};

/* Adds a console and writes the log so far to it. The console stays registered for ever. Context: thread, init. */
void console_register(struct console *console);

/* Prompt output: to every console that is not log-only, after any log lines still waiting. Context: thread, irq. */
PRINTF(1, 2) void console_printf(const char *format, ...);
void console_write(const char *bytes, size_t length);

/* The next typed byte of any console, or -EAGAIN. Context: any. */
int console_try_read(void);

/* Writes waiting log records to every console. Returns at once when another context is doing so: that one will see the
 * new records too. Context: any. */
void console_flush(void);

/* From here on output takes no lock and goes to every console directly. Called once by panic, other CPUs stopped. */
void console_enter_panic(void);

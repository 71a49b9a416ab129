/* Consoles: where log lines and the prompt's output go, and where typed characters come from. Drivers register; nobody
 * here knows a driver. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct console {
    const char *name;
    /* Writes length bytes of UTF-8 with ANSI colour sequences. Called with the console lock held, or from a panic with
     * every other CPU stopped and no lock at all: must not sleep, allocate or take a lock, and must end even when the
     * device does not answer. NULL for what is only read. */
    void (*write)(struct console *console, const char *bytes, size_t length);
    /* The next input byte, or -EAGAIN when there is none. NULL for an output-only
     * console. Any context. */
    int (*read)(struct console *console);
    /* Shows what was written, where write only collects it (a screen). NULL where write does all. Called as write is,
     * after a burst of writes. */
    void (*flush)(struct console *console);
    bool is_log_only;      /* gets the log, without colours, and not the prompt; is never read */
    bool is_prompt_only;   /* gets the prompt and not the log, until a panic */
    bool is_silent;        /* gets and gives nothing until a panic; set together with is_prompt_only */
    bool wakes_reader;     /* an interrupt comes with its input: whoever waits may halt */
    struct console *next;  /* [console lock] set by console_register; readers follow it without the lock */
    uint64_t log_position; /* [console lock] sequence number of the next log record to write */
};

/* Adds a console and writes the log so far to it. The console stays registered for ever. Context: thread, init. */
void console_register(struct console *console);

/* True once there is one. Context: any. */
bool console_is_registered(void);

/* Prompt output: to every console that is not log-only, after any log lines still waiting. A log line that comes while
 * a line of output is not finished is put above it. Output of an interrupt that came while its own CPU was writing to
 * the consoles becomes log records, for it cannot wait. console_printf cuts what is longer than 4095 bytes. Context:
 * any but NMI and machine check, and those too after console_enter_panic. */
PRINTF(1, 2) void console_printf(const char *format, ...);
void console_write(const char *bytes, size_t length);

/* What the terminals at the other end can do (`keel.term=dumb`) and should (`keel.color=off`). Context: init. */
void console_set_terminal(bool understands_escapes, bool wants_colours);

/* The next typed byte of any console, or -EAGAIN. Context: any. */
int console_try_read(void);

/* True when every console that is read brings an interrupt with its input. Context: any. */
bool console_input_wakes(void);

/* What is called whenever input has come by an interrupt: it wakes the reader. Context: init. */
void console_set_input_waker(void (*wake)(void));
/* A driver's interrupt handler has got input. Context: any but NMI. */
void console_input_arrived(void);

/* Writes waiting log records to every console. Returns at once when another context is doing so: that one will see the
 * new records too. Context: any. */
void console_flush(void);

/* From here on output takes no lock and goes to every console directly. Called once by panic, other CPUs stopped. */
void console_enter_panic(void);

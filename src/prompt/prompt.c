/* The loop: wait for a byte, edit, and when a line is whole, run it. The wait does the registered idle work for a
 * while, and then sleeps until an interrupt brings one, unless some console's input has to be polled. */
#include <prompt/prompt.h>

#include "dispatch.h"
#include "editor.h"
#include "registered_commands.h"
#include "style.h"
#include "type_ahead.h"

#include <base/errno.h>
#include <boot/boot_info.h>
#include <boot/command_line.h>
#include <cpu/interrupts.h>
#include <debug/console.h>
#include <debug/idle.h>
#include <debug/log.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <sched/thread.h>
#include <time/clock.h>
#include <time/timer.h>

#define WRITE_PIECE 8u /* bytes written between two polls: half of what a 16550 holds */

/* Polls without a byte before input counts as paused and the row is drawn: a poll is a port read of 0.1 to 1 us, and a
 * paste at 115,200 baud brings a byte every 87 us. Nobody sees the delay. */
#define PAUSE_POLLS 200u

/* Idle work that follows what was just done; then there is nothing new for it to look at. */
#define IDLE_WORK_NS (50 * NS_PER_MS)

static struct editor editor; /* [prompt] */

/* Writing to a serial line takes as long as the same number of typed bytes takes to arrive: poll in between. */
static void write_and_poll(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t piece = length < WRITE_PIECE ? length : WRITE_PIECE;

        while (piece < length && ((unsigned char)bytes[piece] & 0xc0) == 0x80)
            piece++; /* a character stays whole */
        console_write(bytes, piece);
        bytes += piece;
        length -= piece;
        type_ahead_poll();
    }
}

static bool option_is(const char *key, const char *expected)
{
    char value[16];

    return command_line_get(boot_info()->command_line, key, value, sizeof(value)) >= 0 && strcmp(value, expected) == 0;
}

static unsigned columns_option(void)
{
    char text[16];
    uint64_t columns;

    if (command_line_get(boot_info()->command_line, "keel.columns", text, sizeof(text)) < 0)
        return DISPLAY_COLUMNS_DEFAULT;
    if (parse_u64(text, &columns) < 0 || columns < DISPLAY_COLUMNS_MIN || columns > DISPLAY_COLUMNS_MAX) {
        log_warn("prompt: keel.columns=%s is not a number from %u to %u", text, DISPLAY_COLUMNS_MIN,
                 DISPLAY_COLUMNS_MAX);
        return DISPLAY_COLUMNS_DEFAULT;
    }
    return (unsigned)columns;
}

static void set_up(void)
{
    bool is_dumb = option_is("keel.term", "dumb");
    struct editor_config config = {
        .write = write_and_poll,
        .columns = columns_option(),
        .has_escapes = !is_dumb,
        .has_colours = !is_dumb && !option_is("keel.color", "off"),
        .prompt = PROMPT_TEXT,
        .commands = registered_commands(),
    };

    style_init(config.has_escapes, config.has_colours);
    console_set_terminal(config.has_escapes, config.has_colours);
    editor_init(&editor, &config);
}

/* `keel.run=`: before the first prompt, each command shown as it runs. */
static void run_boot_commands(void)
{
    static char commands[BOOT_COMMAND_LINE_MAX];
    int length = command_line_get(boot_info()->command_line, "keel.run", commands, sizeof(commands));

    if (length == -ENOENT)
        return;
    if (length < 0)
        dispatch_error("keel.run cannot be read");
    else
        dispatch_line_echoed(registered_commands(), commands);
}

static struct thread *reader; /* [I] once prompt_run has set the waker: the prompt's thread, which never ends */

static void wake_reader(void)
{
    (void)thread_wake(reader);
}

/* A byte that comes after the last look wakes us. */
static int sleep_for_byte(void)
{
    int byte;

    thread_wait_begin(WAIT_INPUT, NULL);
    byte = type_ahead_read();
    if (byte < 0)
        (void)thread_wait_until(UINT64_MAX);
    else
        thread_wait_end();
    return byte;
}

static int idle_for_byte(void)
{
    uint64_t begin = clock_now_ns();
    int byte;

    while ((byte = type_ahead_read()) < 0) {
        idle_run();
        cpu_relax();
        if (clock_now_ns() - begin >= IDLE_WORK_NS && console_input_wakes() && timer_will_interrupt())
            return sleep_for_byte();
        thread_yield();
    }
    return byte;
}

static int wait_for_byte(void)
{
    int byte;

    for (unsigned i = 0; i < PAUSE_POLLS; i++) {
        byte = type_ahead_read();
        if (byte >= 0)
            return byte;
        cpu_relax();
    }
    editor_refresh(&editor); /* input pauses: now show what it did */
    do {
        byte = idle_for_byte();
    } while (byte < 0);
    return byte;
}

static enum editor_event read_line(void)
{
    enum editor_event event;

    editor_begin(&editor);
    do {
        event = editor_input(&editor, (unsigned char)wait_for_byte());
    } while (event == EDITOR_CONTINUE);
    return event;
}

void prompt_run(void)
{
    set_up();
    reader = thread_current();
    console_set_input_waker(wake_reader);
    run_boot_commands();
    for (;;) {
        enum editor_event event = read_line();

        if (event == EDITOR_LINE)
            dispatch_line(registered_commands(), editor.line.text);
        else if (event == EDITOR_TOO_LONG)
            dispatch_error("the line is longer than %u bytes: nothing was run", EDITOR_LINE_MAX - 1);
    }
}

/* PS/2 keyboard.
 *
 * The controller is set to translate to scan code set 1, which is what firmware leaves and what emulated keyboards are
 * tested with; where it does not keep that bit, set 2 is decoded.
 *
 * The LEDs are set without waiting: the command goes out, and each answer of the keyboard sends the next byte.
 *
 * Whether the interrupt comes is seen, not assumed: setting the LEDs at the start makes a keyboard that is there
 * answer, and until that answer has come by interrupt the prompt's reads poll. A keyboard that is not there has nothing
 * to be polled for. */
#include <drivers/ps2_keyboard.h>

#include <base/compiler.h>
#include <base/errno.h>
#include <boot/command_line.h>
#include <cpu/interrupts.h>
#include <cpu/io.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/sysrq.h>
#include <dev/input.h>
#include <dev/keyboard.h>
#include <hw/i8042.h>
#include <irq/irq.h>
#include <sync/spinlock.h>

#define CONTROLLER_READS 200000  /* status reads until it counts as absent: 0.1 to 1 us each */
#define KEYBOARD_READS   1000000 /* a keyboard tests itself for up to 0.75 s */
#define DRAIN_MAX        64      /* bytes at a time: more than any controller holds */
#define ATTEMPTS         3
#define OTHER_BYTES_MAX  32 /* of keys pressed meanwhile, in front of an answer */

enum led_state { LEDS_SET, LEDS_COMMAND_SENT, LEDS_VALUE_SENT, LEDS_FAILED };

static struct spinlock lock = SPINLOCK_INITIALIZER("ps2 keyboard");
static struct keyboard keyboard; /* [l] */
static enum led_state led_state; /* [l] */
static uint8_t leds_shown;       /* [l] */
static unsigned nr_led_resends;  /* [l] */
static uint8_t config;           /* [I] the controller's, interrupts apart, its keyboard port on */
static struct irq *irq;          /* [I] NULL: polled */
static bool has_answered;        /* [I] a keyboard was there at boot */
static bool is_interrupting;     /* [a] an interrupt has come */
static bool is_excused;          /* [a] the next one may find nothing: what it is for has been taken */
static bool is_told;             /* [reader] that none does */

/* Bounded waits. */

static bool wait_input_free(void)
{
    for (unsigned i = 0; i < CONTROLLER_READS; i++) {
        if (!(in8(I8042_STATUS) & I8042_INPUT_FULL))
            return true;
        cpu_relax();
    }
    return false;
}

/* The next byte that is not a mouse's, or -ETIMEDOUT. */
static int wait_byte(unsigned reads)
{
    for (unsigned i = 0; i < reads; i++) {
        uint8_t status = in8(I8042_STATUS);

        if (status & I8042_OUTPUT_FULL) {
            uint8_t byte = in8(I8042_DATA);
            if (!(status & I8042_FROM_MOUSE))
                return byte;
        }
        cpu_relax();
    }
    return -ETIMEDOUT;
}

static void discard_output(void)
{
    for (unsigned i = 0; i < DRAIN_MAX && in8(I8042_STATUS) & I8042_OUTPUT_FULL; i++)
        (void)in8(I8042_DATA);
}

static int send_command(uint8_t command)
{
    if (!wait_input_free())
        return -ETIMEDOUT;
    out8(I8042_COMMAND, command);
    return 0;
}

static int send_data(uint8_t byte)
{
    if (!wait_input_free())
        return -ETIMEDOUT;
    out8(I8042_DATA, byte);
    return 0;
}

static int ask_controller(uint8_t command)
{
    int error = send_command(command);

    return error ? error : wait_byte(CONTROLLER_READS);
}

static int write_config(uint8_t value)
{
    int error = send_command(I8042_WRITE_CONFIG);

    return error ? error : send_data(value);
}

/* The keyboard's word on a byte sent to it, or -ETIMEDOUT. Keys may have been pressed before it came. */
static int wait_answer(void)
{
    int answer = -ETIMEDOUT;

    for (unsigned i = 0; i < OTHER_BYTES_MAX; i++) {
        answer = wait_byte(KEYBOARD_READS);
        if (answer < 0 || answer == PS2_ACKNOWLEDGE || answer == PS2_RESEND)
            return answer;
    }
    return -EIO;
}

/* Sends a byte to the keyboard and waits for its word. */
static int tell_keyboard(uint8_t byte)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        int answer, error = send_data(byte);

        if (error)
            return error;
        answer = wait_answer();
        if (answer != PS2_RESEND)
            return answer == PS2_ACKNOWLEDGE ? 0 : answer;
    }
    return -EIO;
}

/* Finding it. */

/* 0, or -ENODEV where nothing answers. A test that fails is said and believed of none: there are controllers that fail
 * theirs and work. */
static int test_controller(void)
{
    int test = -ETIMEDOUT;

    for (unsigned i = 0; i < ATTEMPTS && test != I8042_SELF_TEST_GOOD; i++) {
        test = ask_controller(I8042_SELF_TEST);
        if (test < 0)
            return -ENODEV;
    }
    if (test != I8042_SELF_TEST_GOOD)
        log_warn("keyboard: the controller's self test gives 0x%x; it is used all the same", (unsigned)test);
    return 0;
}

/* The configuration as the controller has taken it, or -ENODEV. The self test may have turned the port on: what a key
 * left meanwhile must not be taken for the answer. */
static int change_config(uint8_t value)
{
    int answer;

    if (write_config(value) || !wait_input_free())
        return -ENODEV;
    discard_output();
    answer = ask_controller(I8042_READ_CONFIG);
    return answer < 0 ? -ENODEV : answer;
}

/* Both ports off, no interrupts: 0, or -ENODEV where no controller answers. *set is what it gives us.
 *
 * The controller is asked while the keyboard's port is off, and not any more after that: its answer and a scan code
 * look alike. */
static int start_controller(enum scan_set *set)
{
    int answer;

    if (in8(I8042_STATUS) == 0xff)
        return -ENODEV;
    if (send_command(I8042_DISABLE_KEYBOARD) || send_command(I8042_DISABLE_MOUSE))
        return -ENODEV;
    discard_output();
    answer = ask_controller(I8042_READ_CONFIG);
    if (answer < 0 || test_controller())
        return -ENODEV;
    answer &= ~(I8042_CONFIG_KEYBOARD_IRQ | I8042_CONFIG_MOUSE_IRQ);
    answer |= I8042_CONFIG_TRANSLATE | I8042_CONFIG_MOUSE_OFF | I8042_CONFIG_KEYBOARD_OFF;
    answer = change_config((uint8_t)answer); /* after the test, which may have changed it */
    if (answer < 0)
        return answer;
    config = (uint8_t)(answer & ~I8042_CONFIG_KEYBOARD_OFF);
    *set = config & I8042_CONFIG_TRANSLATE ? SCAN_SET_1 : SCAN_SET_2;
    return 0;
}

/* True when a keyboard answers. Firmware's emulated ones do not answer everything: what fails is said, and the port
 * stays on. */
static bool start_keyboard(void)
{
    int error, test = ask_controller(I8042_TEST_KEYBOARD);

    if (test != I8042_PORT_GOOD)
        log_warn("keyboard: the controller's test of the port gives %d", test);
    if (send_command(I8042_ENABLE_KEYBOARD)) {
        log_warn("keyboard: the controller stopped answering");
        return false;
    }
    error = tell_keyboard(PS2_RESET);
    test = error ? error : wait_byte(KEYBOARD_READS);
    if (test != PS2_RESET_GOOD) {
        log_warn("keyboard: none answers a reset (%d); one that is plugged in later is heard", test);
        return false;
    }
    if (tell_keyboard(PS2_ENABLE))
        log_warn("keyboard: it does not take the command to send keys");
    return true;
}

/* LEDs. Under the lock. */

static void send_led_byte(uint8_t byte, enum led_state next)
{
    if (in8(I8042_STATUS) & I8042_INPUT_FULL && !wait_input_free())
        next = LEDS_FAILED;
    else
        out8(I8042_DATA, byte);
    led_state = next;
}

static void update_leds(void)
{
    if (led_state != LEDS_SET || leds_shown == keyboard.leds)
        return;
    nr_led_resends = 0;
    send_led_byte(PS2_SET_LEDS, LEDS_COMMAND_SENT);
}

/* An answer to a LED command. False where none is awaited: the byte is a scan code's. */
static bool take_led_answer(uint8_t byte)
{
    if ((led_state != LEDS_COMMAND_SENT && led_state != LEDS_VALUE_SENT) ||
        (byte != PS2_ACKNOWLEDGE && byte != PS2_RESEND))
        return false;
    if (byte == PS2_RESEND && ++nr_led_resends > ATTEMPTS) {
        led_state = LEDS_FAILED;
    } else if (led_state == LEDS_COMMAND_SENT) {
        if (byte == PS2_ACKNOWLEDGE)
            leds_shown = keyboard.leds;
        send_led_byte(byte == PS2_ACKNOWLEDGE ? leds_shown : PS2_SET_LEDS,
                      byte == PS2_ACKNOWLEDGE ? LEDS_VALUE_SENT : LEDS_COMMAND_SENT);
    } else if (byte == PS2_ACKNOWLEDGE) {
        led_state = LEDS_SET;
        update_leds();
    } else {
        send_led_byte(leds_shown, LEDS_VALUE_SENT);
    }
    return true;
}

/* Bytes. */

/* A byte that was damaged, or the controller's word that the keyboard does not take what was sent to it. */
static void take_bad_byte(void)
{
    if (led_state != LEDS_SET)
        led_state = LEDS_FAILED;
    keyboard_release_all(&keyboard);
}

/* One byte, if there is one. */
static bool take_byte(struct keyboard_output *output)
{
    uint8_t status = in8(I8042_STATUS), byte;

    *output = (struct keyboard_output){0};
    if (status == 0xff || !(status & I8042_OUTPUT_FULL))
        return false;
    byte = in8(I8042_DATA);
    if (status & I8042_FROM_MOUSE)
        return true;
    if (status & I8042_BAD_BYTE)
        take_bad_byte();
    else if (!take_led_answer(byte))
        keyboard_input(&keyboard, byte, output);
    update_leds();
    return true;
}

static bool drain(void)
{
    struct keyboard_output output;
    unsigned nr_taken = 0;
    bool has_byte = true;

    while (has_byte && nr_taken < DRAIN_MAX) {
        uint64_t flags = spinlock_lock_irqsave(&lock);

        has_byte = take_byte(&output);
        spinlock_unlock_irqrestore(&lock, flags);
        nr_taken += has_byte;
        if (output.length > 0)
            input_bytes(output.bytes, output.length);
        if (output.sysrq)
            sysrq_ask(output.sysrq);
    }
    return nr_taken > 0;
}

/* Each byte is an edge: one that was taken behind another's leaves an interrupt that finds nothing. */
static bool drain_excusing(void)
{
    bool has_taken = drain();

    if (has_taken)
        __atomic_store_n(&is_excused, true, __ATOMIC_RELAXED); /* of one interrupt: no order with anything else */
    return has_taken;
}

static enum irq_result handle_irq(void *context)
{
    bool was_excused = __atomic_exchange_n(&is_excused, false, __ATOMIC_RELAXED);

    (void)context;
    __atomic_store_n(&is_interrupting, true, __ATOMIC_RELAXED); /* a hint to the reader, who polls until he sees it */
    return drain_excusing() || was_excused ? IRQ_HANDLED : IRQ_NOT_MINE;
}

static bool must_poll(void)
{
    return !irq || (has_answered && !__atomic_load_n(&is_interrupting, __ATOMIC_RELAXED));
}

static int read_typed(struct console *console)
{
    /* With interrupts on there is nothing to be found here, where one comes with each byte. */
    if (must_poll() && drain_excusing() && irq && irqs_are_enabled() && !is_told) {
        is_told = true;
        log_warn("keyboard: it does not interrupt: it is polled");
    }
    console->wakes_reader = !must_poll();
    return input_try_read();
}

static struct console input = {.name = "keyboard", .read = read_typed};

/* The interrupt, where there is one to be had. */
static void start_irq(void)
{
    int error = irq_request_isa(1, handle_irq, NULL, "keyboard", &irq);

    if (!error)
        error = write_config(config | I8042_CONFIG_KEYBOARD_IRQ);
    if (error && irq) {
        irq_release(irq);
        irq = NULL;
    }
    if (error)
        log_warn("keyboard: no interrupt (%d): it is polled", error);
}

/* The LEDs as they are after a reset, for the answer. Nothing that came before the interrupt was on may stay in the
 * controller: it would hold back what comes after it. */
static void start_input(void)
{
    uint64_t flags;

    drain_excusing();
    if (!has_answered)
        return;
    flags = spinlock_lock_irqsave(&lock);
    send_led_byte(PS2_SET_LEDS, LEDS_COMMAND_SENT);
    spinlock_unlock_irqrestore(&lock, flags);
}

static const struct keymap *chosen_keymap(const char *command_line)
{
    const struct keymap *map = NULL;
    char name[8];
    int length = command_line_get(command_line, "keel.keymap", name, sizeof(name));

    if (length >= 0)
        map = keymap_find(name);
    if (!map && length != -ENOENT)
        log_warn("keyboard: keel.keymap: us and de are known; us is used");
    return map ? map : keymap_find("us");
}

static void reset_state(void)
{
    led_state = LEDS_SET;
    leds_shown = 0;
    irq = NULL;
    is_interrupting = is_excused = is_told = false;
}

void ps2_keyboard_init(const char *command_line)
{
    const struct keymap *map = chosen_keymap(command_line);
    enum scan_set set;

    reset_state();
    if (start_controller(&set)) {
        log_info("keyboard: this machine has no i8042");
        return;
    }
    has_answered = start_keyboard();
    keyboard_init(&keyboard, map, set);
    start_irq();
    start_input();
    log_info("keyboard: i8042, scan code set %u, layout %s, %s", (unsigned)set, map->name,
             irq ? "interrupt" : "polled");
    console_register(&input);
}

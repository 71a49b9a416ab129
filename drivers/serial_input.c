/* Whether interrupts come is seen, never assumed: the port may be wired to another input than a PC's, or its input have
 * been masked as storming. The device is made to interrupt once for nothing; until that interrupt has come, and again
 * when bytes turn up that none told of, the port counts as polled. */
#include "serial_input.h"

#include <base/errno.h>
#include <cpu/interrupts.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/sysrq.h>
#include <irq/irq.h>
#include <time/clock.h>

#define RECEIVE_MAX     SERIAL_INPUT_MAX /* at a time: a broken device may have bytes without end */
#define ROUNDS_MAX      16u              /* of an interrupt: reasons that came up while it was handled */
#define EXCUSED_MAX     2u               /* one that is about to be handled, and one that came behind it */
#define UNANNOUNCED_MAX 8u               /* an interrupt may be a moment later than the reader, never so often */

/* What is to be said and done once the lock is let go. */
struct outcome {
    bool has_break, has_loss, is_silent;
    uint64_t nr_overruns, nr_damaged;
    char request;
};

void serial_input_init(struct serial_input *input, struct uart *uart, const char *name)
{
    *input = (struct serial_input){.uart = uart, .name = name};
    spinlock_init(&input->lock, "serial input");
}

static bool is_power_of_two(uint64_t count)
{
    return (count & (count - 1)) == 0;
}

/* The 1st, 2nd, 4th, 8th ... is told. [l] */
static void count_loss(struct serial_input *input, uint64_t *count, struct outcome *outcome)
{
    ++*count;
    outcome->has_loss |= is_power_of_two(*count);
    outcome->nr_overruns = input->nr_overruns;
    outcome->nr_damaged = input->nr_damaged;
}

/* [l] */
static void take_byte(struct serial_input *input, uint8_t byte, struct outcome *outcome)
{
    char request = serial_break_end(&input->request, byte, clock_now_ns());

    if (request)
        outcome->request = request;
    else
        input->bytes[input->head++ % SERIAL_INPUT_MAX] = byte;
}

/* One thing that came; false where nothing has. [l] */
static bool receive_one(struct serial_input *input, struct outcome *outcome)
{
    bool has_overrun;
    uint8_t byte = 0;
    enum uart_received received = uart_receive(input->uart, &byte, &has_overrun);

    if (has_overrun)
        count_loss(input, &input->nr_overruns, outcome);
    if (received == UART_BYTE)
        take_byte(input, byte, outcome);
    else if (received == UART_BREAK)
        outcome->has_break = serial_break_begin(&input->request, clock_now_ns());
    else if (received == UART_DAMAGED)
        count_loss(input, &input->nr_damaged, outcome);
    return received != UART_NOTHING;
}

static bool is_full(const struct serial_input *input)
{
    return input->head - input->tail == SERIAL_INPUT_MAX;
}

/* Where the line is level-triggered, a byte that does not fit would have the interrupt come again at once, for ever,
 * and who would make room never run. So a full ring lets go of the line; the reader, who finds by himself what the
 * device still has, connects it again once he has seen the device empty. [l] */
static void hold_while_full(struct serial_input *input)
{
    bool must_hold = input->is_interrupting && is_full(input);

    if (must_hold == input->is_held)
        return;
    input->is_held = must_hold;
    if (must_hold)
        uart_interrupt_on_nothing(input->uart);
    else
        uart_interrupt_on_receive_only(input->uart);
}

/* Takes what has come, as far as it fits; returns how many things that were. [l] */
static unsigned receive(struct serial_input *input, struct outcome *outcome)
{
    unsigned count = 0;

    while (count < RECEIVE_MAX && !is_full(input) && receive_one(input, outcome))
        count++;
    return count;
}

static void finish(const struct serial_input *input, const struct outcome *outcome)
{
    if (outcome->has_break)
        log_info("%s: BREAK: a letter within 5 s is a system request, h for help; another BREAK takes it back",
                 input->name);
    if (outcome->has_loss)
        log_warn("serial: %s: bytes were lost %lu times, being read too late, and %lu came damaged", input->name,
                 outcome->nr_overruns, outcome->nr_damaged);
    if (outcome->is_silent)
        log_warn("serial: %s does not interrupt for what it receives: it is polled", input->name);
    if (outcome->request)
        sysrq_ask(outcome->request);
}

/* The reader has found something that an interrupt should have told of, or not, with interrupts on, where it comes to
 * this CPU: another one may just be about to take it. [l] */
static void watch_interrupt(struct serial_input *input, bool is_unannounced, struct outcome *outcome)
{
    if (is_unannounced && ++input->nr_unannounced >= UNANNOUNCED_MAX)
        input->is_interrupting = false;
    outcome->is_silent = !input->is_interrupting && !input->is_told;
    input->is_told |= outcome->is_silent;
}

/* The device is asked as well: while the ring is full no interrupt tells of what is left there. */
int serial_input_read(struct serial_input *input)
{
    bool could_interrupt = irqs_are_enabled() && input->irq && irq_is_here(input->irq);
    uint64_t flags = spinlock_lock_irqsave(&input->lock);
    struct outcome outcome = {0};
    int byte = -EAGAIN;
    bool was_held = input->is_held, has_received = receive(input, &outcome) > 0;

    if (has_received && input->nr_excused < (was_held ? 1 : EXCUSED_MAX)) /* held, it raised none for this */
        input->nr_excused++;
    hold_while_full(input);
    if (could_interrupt)
        watch_interrupt(input, has_received && !was_held, &outcome);
    if (input->head != input->tail)
        byte = input->bytes[input->tail++ % SERIAL_INPUT_MAX];
    spinlock_unlock_irqrestore(&input->lock, flags);
    finish(input, &outcome);
    return byte;
}

bool serial_input_is_announced(struct serial_input *input)
{
    uint64_t flags = spinlock_lock_irqsave(&input->lock);
    bool is_announced = input->is_interrupting;

    spinlock_unlock_irqrestore(&input->lock, flags);
    return is_announced;
}

/* True for the first one, which was asked for and has no reason that lasts. [l] */
static bool note_interrupt(struct serial_input *input)
{
    bool is_first = !input->is_interrupting;

    if (is_first)
        uart_interrupt_on_receive_only(input->uart);
    input->is_interrupting = true;
    input->is_told = false;
    input->nr_unannounced = 0;
    return is_first;
}

/* Until the device has no reason left: on an edge-triggered input one that stays raises no further interrupt. */
static enum irq_result handle_received(void *context)
{
    struct serial_input *input = context;
    struct outcome outcome = {0};
    bool has_reason, is_excused;

    spinlock_lock(&input->lock);
    has_reason = note_interrupt(input);
    for (unsigned i = 0; i < ROUNDS_MAX && uart_is_interrupting(input->uart); i++) {
        has_reason = true;
        if (receive(input, &outcome) == 0)
            break;
    }
    hold_while_full(input);
    is_excused = input->nr_excused > 0;
    if (has_reason)
        input->nr_excused = 1; /* a second byte may have raised it again while the first was taken */
    else if (is_excused)
        input->nr_excused--;
    spinlock_unlock(&input->lock);
    console_input_arrived();
    finish(input, &outcome);
    return has_reason || is_excused ? IRQ_HANDLED : IRQ_NOT_MINE;
}

int serial_input_use_interrupt(struct serial_input *input, unsigned isa_irq)
{
    int error = irq_request_isa(isa_irq, handle_received, input, input->name, &input->irq);
    uint64_t flags;

    if (error) {
        input->irq = NULL;
        return error;
    }
    flags = spinlock_lock_irqsave(&input->lock);
    uart_enable_interrupt(input->uart);
    input->is_held = false;
    spinlock_unlock_irqrestore(&input->lock, flags);
    return 0;
}

#include "serial_input.h"

#include <base/errno.h>
#include <irq/irq.h>

void serial_input_init(struct serial_input *input, struct uart *uart)
{
    *input = (struct serial_input){.uart = uart};
    spinlock_init(&input->lock, "serial input");
}

/* [l] */
static void take_received(struct serial_input *input)
{
    while (input->head - input->tail < SERIAL_INPUT_MAX) {
        int byte = uart_read(input->uart);

        if (byte < 0)
            return;
        input->bytes[input->head++ % SERIAL_INPUT_MAX] = (uint8_t)byte;
    }
}

/* The device is asked as well: what is left there when the ring is full raises no second edge. */
int serial_input_read(struct serial_input *input)
{
    uint64_t flags = spinlock_lock_irqsave(&input->lock);
    int byte = -EAGAIN;

    take_received(input);
    if (input->head != input->tail)
        byte = input->bytes[input->tail++ % SERIAL_INPUT_MAX];
    spinlock_unlock_irqrestore(&input->lock, flags);
    return byte;
}

/* A reader may have been faster: the interrupt is this device's all the same, for the input is its alone. */
static enum irq_result handle_received(void *context)
{
    struct serial_input *input = context;

    spinlock_lock(&input->lock);
    uart_acknowledge(input->uart);
    take_received(input);
    spinlock_unlock(&input->lock);
    return IRQ_HANDLED;
}

int serial_input_use_interrupt(struct serial_input *input, unsigned isa_irq, const char *name)
{
    int error = irq_request_isa(isa_irq, handle_received, input, name, &input->irq);

    if (error) {
        input->irq = NULL;
        return error;
    }
    uart_enable_receive_interrupt(input->uart);
    return 0;
}

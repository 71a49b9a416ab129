/* From a vector to its handlers. */
#include "internal.h"

#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <debug/log.h>

static const struct irq_controller *the_controller; /* [I] after boot */

void irq_controller_set(const struct irq_controller *controller)
{
    the_controller = controller;
}

const struct irq_controller *irq_controller(void)
{
    return the_controller;
}

/* Everybody on a shared line is asked: two devices may have raised it. [l] */
static bool run_handlers(struct irq_line *line)
{
    bool is_handled = false;
    struct irq *irq;

    list_for_each_entry (irq, &line->claims, link) {
        if (irq->handler(irq->context) == IRQ_HANDLED) {
            irq->handled++;
            is_handled = true;
        }
    }
    return is_handled;
}

static const char *first_name(const struct irq_line *line)
{
    const struct list *first = list_first(&line->claims);

    return first ? list_entry(first, const struct irq, link)->name : "nobody";
}

/* The 1st, 2nd, 4th, 8th ... is logged. [l] */
static void note_unclaimed(struct irq_line *line)
{
    line->unclaimed++;
    if ((line->unclaimed & (line->unclaimed - 1)) == 0)
        log_warn("irq: vector %u (%s): no handler owns up to it, %lu so far", line->vector, first_name(line),
                 line->unclaimed);
}

/* An input is masked; what comes as a message or from the controller cannot be here, and is only told of. [l] */
static void end_storm(struct irq_line *line)
{
    if (line->is_storming || line->kind == LINE_LOCAL)
        return;
    line->is_storming = true;
    if (line->chip) {
        irq_line_mask(line);
        log_error("irq: storm on GSI %u (%s), %u handled and %u unclaimed in 0.1 s: masked",
                  line->chip->gsi_base + line->input, first_name(line), line->watch.handled, line->watch.unclaimed);
        storm_ask_for_polls();
    } else {
        log_error("irq: storm of messages at vector %u (%s): only its device can stop it", line->vector,
                  first_name(line));
    }
}

static void end_of_interrupt(void)
{
    if (the_controller)
        the_controller->end_of_interrupt();
}

bool irq_dispatch(unsigned vector)
{
    struct irq_line *line = vector_line(vector);
    bool is_handled, must_end;

    if (!line && irq_ipi_run(vector)) {
        end_of_interrupt();
        return true;
    }
    if (!line) {
        irq_end_stray(vector);
        return false;
    }
    spinlock_lock(&line->lock);
    is_handled = run_handlers(line);
    if (!is_handled)
        note_unclaimed(line);
    if (storm_note(&line->watch, is_handled, tsc_now_ns))
        end_storm(line);
    must_end = !(line->flags & IRQ_NO_END);
    spinlock_unlock(&line->lock);
    if (must_end)
        end_of_interrupt();
    else
        irq_end_stray(vector); /* sent on purpose it is in service, and spurious it is not */
    return true;
}

bool irq_end_stray(unsigned vector)
{
    if (!the_controller || !the_controller->is_in_service(vector))
        return false;
    the_controller->end_of_interrupt();
    return true;
}

const char *irq_vector_name(unsigned vector)
{
    uint64_t flags = irq_save();
    const struct irq_line *line = vector_line(vector);
    const char *name = line ? first_name(line) : irq_ipi_name(vector);

    irq_restore(flags);
    return name;
}

/* From a vector to its handlers. */
#include "internal.h"

#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <debug/log.h>
#include <irq/activity.h>
#include <irq/deferred.h>
#include <irq/ipi.h>
#include <lib/string.h>

static const struct irq_controller *the_controller; /* [I] after boot */

void irq_controller_set(const struct irq_controller *controller)
{
    the_controller = controller;
    vectors_open_boot_cpu();
    deferred_init();
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

/* What is to be said of a line once its lock is let go: a console is slow. */
struct news {
    uint8_t vector;
    char name[IRQ_NAME_MAX];
    uint64_t unclaimed; /* 0: nothing of that */
    bool has_storm;
    struct storm_watch watch;
};

/* The 1st, 2nd, 4th, 8th ... is logged. [l] */
static void note_unclaimed(struct irq_line *line, struct news *news)
{
    line->unclaimed++;
    if ((line->unclaimed & (line->unclaimed - 1)) == 0)
        news->unclaimed = line->unclaimed;
}

/* An input is masked; what comes as a message or from the controller cannot be here, and is only told of. [l] */
static void end_storm(struct irq_line *line, struct news *news)
{
    if (line->is_storming || line->kind == LINE_LOCAL)
        return;
    line->is_storming = true;
    news->has_storm = true;
    news->watch = line->watch;
    if (line->chip)
        irq_line_mask(line);
}

static void tell(const struct irq_line *line, const struct news *news)
{
    if (news->unclaimed)
        log_warn("irq: vector %u (%s): no handler owns up to it, %lu so far", news->vector, news->name,
                 news->unclaimed);
    if (!news->has_storm)
        return;
    if (!line->chip) {
        log_error("irq: storm of messages at vector %u (%s): only its device can stop it", news->vector, news->name);
        return;
    }
    log_error("irq: storm on GSI %u (%s), %u handled and %u unclaimed in 0.1 s: masked",
              line->chip->gsi_base + line->input, news->name, news->watch.handled, news->watch.unclaimed);
    storm_ask_for_polls();
}

/* [l], which it lets go */
static NOINLINE void unlock_and_tell(struct irq_line *line, bool is_handled, bool is_storm)
{
    struct news news = {.unclaimed = 0, .vector = line->vector};

    if (!list_is_empty(&line->claims)) { /* or it was released while this came */
        strlcpy(news.name, first_name(line), sizeof(news.name));
        if (!is_handled)
            note_unclaimed(line, &news);
        if (is_storm)
            end_storm(line, &news);
    }
    spinlock_unlock_irq_off(&line->lock);
    tell(line, &news);
}

static void end_of_interrupt(void)
{
    if (the_controller)
        the_controller->end_of_interrupt();
}

static void end_line(const struct irq_line *line, unsigned vector)
{
    if (!(line->flags & IRQ_NO_END))
        end_of_interrupt();
    else
        irq_end_stray(vector); /* sent on purpose it is in service, and spurious it is not */
}

/* Between CPUs, and what each CPU has for itself: nobody else's line is touched, and no lock. */
static bool dispatch_own(unsigned vector)
{
    struct irq_line *line;

    if (irq_ipi_run(vector)) {
        end_of_interrupt();
        return true;
    }
    line = vector_line(vector);
    if (!line || !(line->flags & IRQ_EVERY_CPU))
        return false;
    vector_count_own(vector);
    (void)line->own_claim->handler(line->own_claim->context);
    end_line(line, vector);
    return true;
}

bool irq_dispatch(unsigned vector)
{
    struct irq_line *line;
    bool is_handled, is_storm;

    if (vector >= IPI_FIRST_VECTOR && dispatch_own(vector))
        return true;
    line = vector_enter(vector);
    if (!line) {
        irq_end_stray(vector);
        return false;
    }
    spinlock_lock_irq_off(&line->lock);
    is_handled = run_handlers(line);
    is_storm = storm_note(&line->watch, is_handled, tsc_now_ns);
    if (UNLIKELY(!is_handled || is_storm))
        unlock_and_tell(line, is_handled, is_storm);
    else
        spinlock_unlock_irq_off(&line->lock);
    end_line(line, vector);
    vector_leave();
    activity_note();
    return true;
}

bool irq_end_stray(unsigned vector)
{
    if (!the_controller || !the_controller->is_in_service(vector))
        return false;
    the_controller->end_of_interrupt();
    return true;
}

bool irq_vector_name(unsigned vector, char name[static IRQ_NAME_MAX])
{
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);
    const struct irq_line *line = vector_line(vector);
    const char *found = line ? first_name(line) : irq_ipi_name(vector);

    if (found)
        strlcpy(name, found, IRQ_NAME_MAX);
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    return found != NULL;
}

/* Lines that were masked because of a storm. One device on a shared line may be what is stuck; the others are there
 * still, and their handlers are asked now and then, by whoever has timers (irq_set_poller). */
#include "internal.h"

#include <cpu/interrupts.h>

static void (*start_poller)(void); /* [I] after boot */

void irq_set_poller(void (*start)(void))
{
    start_poller = start;
}

void storm_ask_for_polls(void)
{
    if (start_poller)
        start_poller();
}

void irq_line_poll(struct irq_line *line)
{
    struct irq *irq;

    spinlock_lock_irq_off(&line->lock);
    list_for_each_entry (irq, &line->claims, link)
        if (irq->handler(irq->context) == IRQ_HANDLED)
            irq->handled++;
    spinlock_unlock_irq_off(&line->lock);
}

bool irq_poll_storming(void)
{
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);
    bool is_any = false;
    struct irq_line *line;

    list_for_each_entry (line, &irq_lines, link) {
        if (READ_ONCE(line->is_storming) && line->chip) {
            is_any = true;
            irq_line_poll(line);
        }
    }
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    return is_any;
}

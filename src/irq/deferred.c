#include <irq/deferred.h>

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>

static PER_CPU struct list queue; /* [c] with interrupts off; all zero until first used */

static struct list *this_cpu_queue(void)
{
    struct list *list = this_cpu_pointer(queue);

    if (!list->next)
        list_init(list);
    return list;
}

void deferred_queue(struct deferred *deferred)
{
    uint64_t flags;

    /* Acquire and release, pairs with the store in deferred_run: what was written before is seen by the run. */
    if (__atomic_exchange_n(&deferred->is_pending, true, __ATOMIC_ACQ_REL))
        return;
    flags = irq_save();
    list_add_last(this_cpu_queue(), &deferred->link);
    irq_restore(flags);
}

bool deferred_is_pending(void)
{
    return !list_is_empty(this_cpu_queue());
}

void deferred_run(void)
{
    struct list *node;

    ASSERT(!irqs_are_enabled());
    while ((node = list_first(this_cpu_queue())) != NULL) {
        struct deferred *deferred = list_entry(node, struct deferred, link);

        list_remove(node);
        /* Not pending before it runs: work that comes up meanwhile queues it again. */
        __atomic_store_n(&deferred->is_pending, false, __ATOMIC_RELEASE);
        irq_enable();
        deferred->run(deferred);
        irq_disable();
    }
}

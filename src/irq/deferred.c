#include <irq/deferred.h>

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/idle.h>
#include <debug/panic.h>
#include <irq/activity.h>
#include <irq/chip.h>
#include <irq/ipi.h>
#include <sync/lockdep.h>

#define DEFERRED_VECTOR IPI_LAST_VECTOR

PER_CPU struct list deferred_here; /* [c] with interrupts off */
static PER_CPU bool is_running;    /* [c] with interrupts off: an interrupt of the work leaves new work to who runs */

static struct list *this_cpu_queue(void)
{
    struct list *list = this_cpu_pointer(deferred_here);

    if (!list->next)
        list_init(list);
    return list;
}

static void do_nothing(void)
{
}

/* The way out of it runs what is queued. */
void deferred_init(void)
{
    if (irq_ipi_claim(DEFERRED_VECTOR, do_nothing, "deferred work") != 0)
        panic("deferred work: vector %u is taken", DEFERRED_VECTOR);
}

void deferred_interrupt(void)
{
    if (irq_controller())
        irq_ipi_send(irq_controller_id(this_cpu_read(percpu.cpu_number)), IRQ_IPI_VECTOR, DEFERRED_VECTOR);
}

/* Interrupts off */
static void add(struct deferred *deferred)
{
    list_add_last(this_cpu_queue(), &deferred->link);
    /* In a thread no way out of an interrupt comes, or nobody knows when. */
    if (!this_cpu_read(is_running) && this_cpu_read(percpu.interrupt_depth) == 0)
        deferred_interrupt();
}

/* Once it is pending nobody else queues it: so a thread is not preempted before it has. */
void deferred_queue(struct deferred *deferred)
{
    uint64_t flags = irq_save();

    /* Acquire and release, pairs with the store in deferred_run: what was written before is seen by the run. */
    if (!__atomic_exchange_n(&deferred->is_pending, true, __ATOMIC_ACQ_REL))
        add(deferred);
    irq_restore(flags);
}

/* Interrupts off on entry and return. Not pending before it runs: work that comes up meanwhile queues it again. Running
 * before it is not pending, for deferred_flush; pairs with its looks in the same order. */
static void run(struct deferred *deferred)
{
    struct lockdep_map map = {};

    __atomic_fetch_add(&deferred->nr_running, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&deferred->is_pending, false, __ATOMIC_RELEASE);
    lockdep_deferred_enter();
    irq_enable();
    lockdep_function_enter(&map, "deferred work", (uintptr_t)deferred->run, 0);
    deferred->run(deferred);
    lockdep_function_exit(&map);
    irq_disable();
    lockdep_deferred_exit();
    __atomic_fetch_sub(&deferred->nr_running, 1, __ATOMIC_RELEASE);
}

void deferred_run(void)
{
    struct list *node;
    bool has_run;

    ASSERT(!irqs_are_enabled());
    if (this_cpu_read(is_running))
        return;
    preempt_disable(); /* interrupts come on below, and a thread may have called */
    this_cpu_write(is_running, true);
    has_run = !list_is_empty(this_cpu_queue());
    while ((node = list_first(this_cpu_queue())) != NULL) {
        list_remove(node);
        run(list_entry(node, struct deferred, link));
    }
    this_cpu_write(is_running, false);
    if (has_run)
        activity_note();
    preempt_enable();
}

/* What a thread queued where there are no interrupts. */
static void run_idle(void)
{
    irq_disable();
    deferred_run();
    irq_enable();
}

IDLE_WORK(deferred, run_idle);

void deferred_flush(struct deferred *deferred)
{
    ASSERT(irqs_are_enabled());
    lockdep_wait_for_function("deferred work", (uintptr_t)deferred->run);
    for (;;) {
        irq_disable();
        deferred_run(); /* it may be this CPU's, which no interrupt need come for */
        irq_enable();
        if (!__atomic_load_n(&deferred->is_pending, __ATOMIC_ACQUIRE) &&
            __atomic_load_n(&deferred->nr_running, __ATOMIC_ACQUIRE) == 0)
            return;
        cpu_relax();
    }
}

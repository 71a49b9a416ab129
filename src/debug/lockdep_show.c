#include "lockdep_show.h"

#include <base/compiler.h>
#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <debug/backtrace.h>
#include <debug/console.h>
#include <lib/format.h>
#include <sync/lockdep_report.h>

#define HZ_PER_MHZ 1000000u

static uint64_t ticks_to_ns(uint64_t ticks)
{
    uint64_t mhz = tsc_frequency_hz() / HZ_PER_MHZ;

    return ticks * 1000 / (mhz ? mhz : 1);
}

static void show_class(const struct lock_class *class)
{
    const struct lock_statistics *s = &class->statistics;
    const struct lock_stack *stack = __atomic_load_n(&s->longest_held_stack, __ATOMIC_ACQUIRE);
    uint32_t usages = __atomic_load_n(&class->usages, __ATOMIC_RELAXED);
    char where[128] = "", rank[12] = "-";

    if (class->rank != 0)
        snprintf(rank, sizeof(rank), "%u", class->rank);
    if (stack)
        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)stack->frames[0], true);
    console_printf("%-28s %4s %9s %10lu %9lu %12lu %12lu  %s\n", class->name, rank,
                   usages & (1u << LOCK_TAKEN_IN_INTERRUPT)  ? "interrupt"
                   : usages & (1u << LOCK_TAKEN_IN_DEFERRED) ? "deferred"
                                                             : "thread",
                   s->nr_taken, s->nr_contended, ticks_to_ns(s->longest_wait), ticks_to_ns(s->longest_held), where);
}

static void show_holds(const char *who, uint32_t cpu, const struct lockdep_holds *holds)
{
    char where[128];
    uint32_t count = READ_ONCE(holds->nr);

    for (uint32_t i = 0; i < count && i < LOCKDEP_HOLDS_MAX; i++) {
        const struct lockdep_hold *hold = &holds->holds[i];
        const struct lock_class *class = READ_ONCE(hold->class);

        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)READ_ONCE(hold->frames[0]), true);
        console_printf("%s %u %s '%s', at %s\n", who, cpu, READ_ONCE(hold->is_waiting) ? "waits for" : "holds",
                       class ? class->name : "?", where);
    }
}

void lockdep_show(void)
{
    struct lockdep_figures figures;

    console_printf("%-28s %4s %9s %10s %9s %12s %12s\n", "class", "rank", "taken in", "taken", "contended",
                   "wait max ns", "held max ns");
    for (const struct lock_class *class = lockdep_first_class(); class;
         class = __atomic_load_n(&class->next, __ATOMIC_ACQUIRE)) /* pairs with lock_graph_add_class */
        show_class(class);
    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
        show_holds("CPU", cpu, lockdep_holds_of_cpu(cpu));
        show_holds("the thread on CPU", cpu, lockdep_holds_of_thread_on(cpu));
    }
    lockdep_get_figures(&figures);
    console_printf("%u classes, %u orders, %u stacks, %lu bytes left to learn in%s\n", figures.nr_classes,
                   figures.nr_edges, figures.nr_stacks, figures.bytes_left,
                   figures.is_full ? "; SOME ORDERS ARE NOT KNOWN" : "");
}

#include "lockdep_show.h"

#include <base/compiler.h>
#include <cpu/percpu.h>
#include <debug/backtrace.h>
#include <debug/console.h>
#include <lib/format.h>
#include <sync/lockdep_report.h>

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
                   s->nr_taken, s->nr_contended, latency_ticks_to_ns(s->longest_wait),
                   latency_ticks_to_ns(s->longest_held), where);
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
        if (class->function == 0)
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

static void show_frames(const void *const *frames, uint32_t nr_frames)
{
    char where[128];

    for (uint32_t i = 0; i < nr_frames && i < LOCKDEP_FRAMES_MAX; i++) {
        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)frames[i], true);
        console_printf("  %s\n", where);
    }
}

static void show_longest(enum latency_kind kind, const char *words)
{
    const struct latency *worst = NULL;
    uint32_t worst_cpu = 0;
    char where[128];

    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
        const struct latency *longest = latency_longest(cpu, kind);

        if (!worst || longest->ticks > worst->ticks) {
            worst = longest;
            worst_cpu = cpu;
        }
    }
    if (!worst || worst->ticks == 0) {
        console_printf("%s: not seen yet\n", words);
        return;
    }
    format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)worst->begun, true);
    console_printf("%s: %lu ns on CPU %u, from %s to\n", words, latency_ticks_to_ns(worst->ticks), worst_cpu, where);
    show_frames(worst->frames, worst->nr_frames);
}

static void show_longest_lock(void)
{
    const struct lock_class *worst = NULL;
    const struct lock_stack *stack;

    for (const struct lock_class *class = lockdep_first_class(); class;
         class = __atomic_load_n(&class->next, __ATOMIC_ACQUIRE)) /* pairs with lock_graph_add_class */
        if (!class->holds_sleep && (!worst || class->statistics.longest_held > worst->statistics.longest_held))
            worst = class;
    if (!worst || worst->statistics.longest_held == 0) {
        console_printf("lock held: not seen yet\n");
        return;
    }
    console_printf("lock held: %lu ns, '%s', taken at\n", latency_ticks_to_ns(worst->statistics.longest_held),
                   worst->name);
    stack = __atomic_load_n(&worst->statistics.longest_held_stack, __ATOMIC_ACQUIRE);
    if (stack)
        show_frames(stack->frames, stack->nr_frames);
}

void latency_show(void)
{
    show_longest(LATENCY_INTERRUPTS_OFF, "interrupts off");
    show_longest(LATENCY_PREEMPTION_OFF, "preemption off");
    show_longest_lock();
}

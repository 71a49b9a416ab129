/* What each CPU and thread holds, and what the graph is told of it.
 *
 *  1. Everything here runs with interrupts off, and in an NMI nothing does: so a CPU's lists are changed by one at a
 *     time. is_busy keeps out an exception in the middle.
 *  2. The graph's lock is a plain spinning word, held over nothing but the graph's own functions. A CPU that writes a
 *     report does not come here at all: the one that holds the word may be stopped for good. */
#include <sync/lockdep.h>

#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <sync/lockdep_latency.h>
#include <sync/lockdep_report.h>

#include "lockdep_stack.h"

#define FIRST_ARENA_BYTES (256u * 1024)
#define LITTLE_BYTES      (16u * 1024)

static struct lock_graph graph; /* [g] the graph's lock, or as lockdep_graph.h says */
static uint32_t graph_lock;     /* [a] */
static char first_arena[FIRST_ARENA_BYTES] __attribute__((aligned(16)));

static struct lockdep_holds boot_holds;            /* [c] of the code that runs before there are threads */
static PER_CPU struct lockdep_holds cpu_holds;     /* [c] */
static PER_CPU struct lockdep_holds *thread_holds; /* [c] NULL: boot_holds */
static PER_CPU uint32_t interrupt_depth;           /* [c] interrupts, exceptions not counted */
static PER_CPU uint32_t deferred_depth;            /* [c] 1 + interrupt_depth where deferred work runs; 0: none runs */
static PER_CPU bool is_busy;                       /* [c] */
static bool holds_too_many;                        /* [a] somebody held more locks than there are places for */
static bool is_full_told;                          /* [a] */

/* One taking. Its stack is written where it stays: into the next free place of the list it will be on. */
struct taking {
    struct lockdep_map *map;
    struct lock_class *class;
    struct lockdep_hold *hold;
    struct lockdep_holds *on;
    unsigned flags;
    struct lockdep_caller caller;
};

static void lock_graph_lock(void)
{
    /* Acquire: pairs with the release in unlock. */
    while (__atomic_exchange_n(&graph_lock, 1, __ATOMIC_ACQUIRE) != 0)
        cpu_relax();
}

static void lock_graph_unlock(void)
{
    __atomic_store_n(&graph_lock, 0, __ATOMIC_RELEASE);
}

/* False where nothing is to be learnt; else the caller ends with leave. Interrupts off. */
static ALWAYS_INLINE bool enter(void)
{
    if (this_cpu_read(percpu.nmi_depth) != 0 || this_cpu_read(percpu.in_report) != 0 || this_cpu_read(is_busy))
        return false;
    this_cpu_write(is_busy, true);
    return true;
}

static bool is_full(void)
{
    return __atomic_load_n(&graph.is_full, __ATOMIC_RELAXED) || __atomic_load_n(&holds_too_many, __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void leave(void)
{
    this_cpu_write(is_busy, false);
    if (UNLIKELY(is_full()) && !__atomic_load_n(&is_full_told, __ATOMIC_RELAXED) &&
        !__atomic_exchange_n(&is_full_told, true, __ATOMIC_RELAXED))
        lockdep_tell_full(graph.is_full ? "memory for what is learnt ran out" : "more locks are held than are noted");
}

static ALWAYS_INLINE struct lockdep_holds *this_thread_holds(void)
{
    struct lockdep_holds *holds = this_cpu_read(thread_holds);

    return holds ? holds : &boot_holds;
}

static ALWAYS_INLINE struct lockdep_holds *holds_for(unsigned flags)
{
    return flags & LOCKDEP_SLEEPING ? this_thread_holds() : this_cpu_pointer(cpu_holds);
}

static void lock_graph_lock_for_adding(void)
{
    lock_graph_lock();
    if (!graph.arena)
        lock_graph_add_memory(&graph, first_arena, sizeof(first_arena));
}

static struct lock_class *class_of_function(const char *kind, uintptr_t function)
{
    struct lock_class *class = lock_graph_find_function(&graph, function);
    char name[LOCK_CLASS_NAME_MAX];

    if (class)
        return class;
    lockdep_name_function(name, sizeof(name), kind, function);
    lock_graph_lock_for_adding();
    class = lock_graph_add_function(&graph, function, name);
    lock_graph_unlock();
    return class;
}

static struct lock_class *class_of(struct lockdep_map *map, const char *name)
{
    struct lock_class *class = __atomic_load_n(&map->class, __ATOMIC_ACQUIRE); /* pairs with the release below */

    if (class)
        return class;
    name = map->class_name ? map->class_name : name ? name : "unnamed";
    class = lock_graph_find_class(&graph, name);
    if (!class) {
        lock_graph_lock_for_adding();
        class = lock_graph_add_class(&graph, name);
        lock_graph_unlock();
    }
    __atomic_store_n(&map->class, class, __ATOMIC_RELEASE);
    return class;
}

static ALWAYS_INLINE void capture(const struct taking *taking)
{
    taking->hold->nr_frames = (uint8_t)lockdep_capture_stack(taking->hold->frames, taking->caller.frame);
}

static ALWAYS_INLINE void place(struct taking *taking)
{
    taking->on = holds_for(taking->flags);
    taking->hold = &taking->on->holds[taking->on->nr];
    capture(taking);
}

/* What the report takes is recorded where this taking's stack is. */
static void tell(const struct lock_finding *finding, const struct taking *taking)
{
    leave();
    lockdep_report(finding, &taking->caller);
    this_cpu_write(is_busy, true);
    capture(taking);
}

static void learn_usage(const struct taking *taking, enum lock_usage usage)
{
    struct lock_finding finding;

    if (__atomic_load_n(&taking->class->usages, __ATOMIC_ACQUIRE) & (1u << usage)) /* pairs with lock_graph_add_usage */
        return;
    lock_graph_lock();
    lock_graph_add_usage(&graph, taking->class, usage,
                         lock_graph_add_stack(&graph, taking->hold->frames, taking->hold->nr_frames), &finding);
    lock_graph_unlock();
    if (finding.kind != LOCK_FINDING_NONE)
        tell(&finding, taking);
}

static void learn_edge(const struct taking *taking, const struct lockdep_hold *held)
{
    struct lock_finding finding;

    if (lock_graph_knows(&graph, held->class, taking->class))
        return;
    lock_graph_lock();
    lock_graph_add_edge(&graph, held->class, taking->class, lock_graph_add_stack(&graph, held->frames, held->nr_frames),
                        lock_graph_add_stack(&graph, taking->hold->frames, taking->hold->nr_frames), &finding);
    lock_graph_unlock();
    if (finding.kind != LOCK_FINDING_NONE)
        tell(&finding, taking);
}

/* Asking for a lock that is held already is for the lock itself to tell; but for a reader, which it does not know. */
static ALWAYS_INLINE bool is_in_order(const struct lockdep_hold *held, const struct taking *taking)
{
    if (held->is_waiting || (held->map == taking->map && !(held->flags & LOCKDEP_SHARED)))
        return true;
    return held->class == taking->class && held->map->number != 0 && held->map->number < taking->map->number;
}

static ALWAYS_INLINE void learn_edges(const struct taking *taking, const struct lockdep_holds *holds, uint32_t depth)
{
    for (uint32_t i = 0; i < holds->nr; i++)
        if (holds->holds[i].interrupt_depth == depth && !is_in_order(&holds->holds[i], taking))
            learn_edge(taking, &holds->holds[i]);
}

static ALWAYS_INLINE void learn_all_edges(const struct taking *taking, uint32_t depth)
{
    if (depth == 0)
        learn_edges(taking, this_thread_holds(), depth);
    learn_edges(taking, this_cpu_pointer(cpu_holds), depth);
}

static ALWAYS_INLINE bool is_in_deferred(uint32_t depth)
{
    return this_cpu_read(deferred_depth) == depth + 1;
}

static ALWAYS_INLINE void learn_usages(const struct taking *taking, uint32_t depth, bool irqs_on)
{
    bool is_thread = depth == 0 && !is_in_deferred(depth);

    if (!is_thread && !(taking->flags & LOCKDEP_TRY))
        learn_usage(taking, is_in_deferred(depth) ? LOCK_TAKEN_IN_DEFERRED : LOCK_TAKEN_IN_INTERRUPT);
    if (irqs_on)
        learn_usage(taking, is_thread ? LOCK_OPEN_IN_THREAD : LOCK_OPEN_IN_DEFERRED);
}

static ALWAYS_INLINE void push(const struct taking *taking, uint32_t depth)
{
    struct lockdep_hold *hold = taking->hold;

    if (UNLIKELY(taking->on->nr == LOCKDEP_HOLDS_MAX)) {
        __atomic_store_n(&holds_too_many, true, __ATOMIC_RELAXED);
        return;
    }
    hold->map = taking->map;
    hold->class = taking->class;
    hold->flags = (uint16_t)taking->flags;
    hold->is_waiting = !(taking->flags & LOCKDEP_TRY);
    hold->interrupt_depth = depth;
    hold->since = tsc_since_entry();
    taking->on->nr++;
}

void lockdep_acquire(struct lockdep_map *map, const char *name, unsigned flags)
{
    bool irqs_on = irqs_are_enabled();
    uint64_t irq_flags = irq_save_raw_();
    uint32_t depth = this_cpu_read(interrupt_depth);
    struct taking taking = {
        .map = map,
        .flags = flags,
        .caller = {__builtin_return_address(0), __builtin_frame_address(0)},
    };

    if (enter()) {
        taking.class = class_of(map, name);
        if (taking.class) {
            if (flags & LOCKDEP_SLEEPING)
                __atomic_store_n(&taking.class->holds_sleep, true, __ATOMIC_RELAXED);
            place(&taking);
            learn_usages(&taking, depth, irqs_on);
            if (!(flags & LOCKDEP_TRY))
                learn_all_edges(&taking, depth);
            push(&taking, depth);
        }
        leave();
    }
    irq_restore_raw_(irq_flags);
}

static struct lockdep_hold *find_in(struct lockdep_holds *holds, const struct lockdep_map *map)
{
    for (uint32_t i = holds->nr; i > 0; i--)
        if (holds->holds[i - 1].map == map)
            return &holds->holds[i - 1];
    return NULL;
}

static NOINLINE struct lockdep_hold *find_below(const struct lockdep_map *map, struct lockdep_holds **in)
{
    struct lockdep_hold *hold = find_in(*in, map);

    return hold ? hold : find_in(*in = this_thread_holds(), map);
}

/* The lock's entry, and in *in the list it is on; NULL where nothing was recorded of it. As a rule it is the last that
 * this CPU has taken. */
static ALWAYS_INLINE struct lockdep_hold *find(const struct lockdep_map *map, struct lockdep_holds **in)
{
    struct lockdep_holds *holds = this_cpu_pointer(cpu_holds);

    *in = holds;
    if (LIKELY(holds->nr > 0) && LIKELY(holds->holds[holds->nr - 1].map == map))
        return &holds->holds[holds->nr - 1];
    return find_below(map, in);
}

static ALWAYS_INLINE void note_longest(uint64_t *longest, uint64_t ticks)
{
    if (ticks > __atomic_load_n(longest, __ATOMIC_RELAXED))
        __atomic_store_n(longest, ticks, __ATOMIC_RELAXED);
}

void lockdep_contended(struct lockdep_map *map)
{
    struct lock_class *class = __atomic_load_n(&map->class, __ATOMIC_ACQUIRE); /* pairs with class_of */

    if (class)
        __atomic_fetch_add(&class->statistics.nr_contended, 1, __ATOMIC_RELAXED);
}

void lockdep_acquired(struct lockdep_map *map)
{
    uint64_t irq_flags = irq_save_raw_();
    struct lockdep_holds *holds;
    struct lockdep_hold *hold;

    if (enter()) {
        hold = find(map, &holds);
        if (hold) {
            uint64_t now = tsc_since_entry();

            note_longest(&hold->class->statistics.longest_wait, now - hold->since);
            hold->since = now;
            hold->is_waiting = false;
        }
        leave();
    }
    irq_restore_raw_(irq_flags);
}

/* True when it was held over the limit of the command `latency`. */
static ALWAYS_INLINE bool count_held(const struct lockdep_hold *hold)
{
    struct lock_statistics *statistics = &hold->class->statistics;
    uint64_t ticks = tsc_since_entry() - hold->since;

    if (hold->flags & LOCKDEP_FUNCTION)
        return false;
    __atomic_fetch_add(&statistics->nr_taken, 1, __ATOMIC_RELAXED);
    if (ticks <= __atomic_load_n(&statistics->longest_held, __ATOMIC_RELAXED))
        return false;
    lock_graph_lock();
    statistics->longest_held_stack = lock_graph_add_stack(&graph, hold->frames, hold->nr_frames);
    __atomic_store_n(&statistics->longest_held, ticks, __ATOMIC_RELAXED);
    lock_graph_unlock();
    return !(hold->flags & LOCKDEP_SLEEPING) && latency_is_over_limit(ticks);
}

void lockdep_release(struct lockdep_map *map)
{
    uint64_t irq_flags = irq_save_raw_();
    struct lockdep_caller caller = {__builtin_return_address(0), __builtin_frame_address(0)};
    const struct lock_class *too_long = NULL;
    struct lockdep_holds *holds;
    struct lockdep_hold *hold;

    if (enter()) {
        hold = find(map, &holds);
        if (hold) {
            if (UNLIKELY(count_held(hold)))
                too_long = hold->class;
            holds->nr--;
            for (; hold < &holds->holds[holds->nr]; hold++)
                *hold = hold[1];
        }
        leave();
        if (UNLIKELY(too_long != NULL))
            lockdep_report_held_long(too_long, &caller);
    }
    irq_restore_raw_(irq_flags);
}

/* As if it were taken without waiting: what the code underneath holds has nothing to do with it. */
void lockdep_function_enter(struct lockdep_map *map, const char *kind, uintptr_t function, unsigned flags)
{
    bool irqs_on = irqs_are_enabled();
    uint64_t irq_flags = irq_save_raw_();
    uint32_t depth = this_cpu_read(interrupt_depth);
    struct taking taking = {
        .map = map,
        .flags = flags | LOCKDEP_TRY | LOCKDEP_FUNCTION,
        .caller = {__builtin_return_address(0), __builtin_frame_address(0)},
    };

    if (enter()) {
        taking.class = class_of_function(kind, function);
        map->class = taking.class;
        if (taking.class) {
            place(&taking);
            learn_usages(&taking, depth, irqs_on);
            push(&taking, depth);
        }
        leave();
    }
    irq_restore_raw_(irq_flags);
}

void lockdep_function_exit(struct lockdep_map *map)
{
    lockdep_release(map);
}

/* Nothing is held by waiting: only where it interrupts somebody is the context learnt. */
void lockdep_wait_for_function(const char *kind, uintptr_t function)
{
    struct lockdep_map none = {};
    uint64_t irq_flags = irq_save_raw_();
    uint32_t depth = this_cpu_read(interrupt_depth);
    struct taking taking = {.map = &none, .caller = {__builtin_return_address(0), __builtin_frame_address(0)}};

    if (enter()) {
        taking.class = class_of_function(kind, function);
        if (taking.class) {
            place(&taking);
            learn_usages(&taking, depth, false);
            learn_all_edges(&taking, depth);
        }
        leave();
    }
    irq_restore_raw_(irq_flags);
}

void lockdep_switch(struct lockdep_holds *holds)
{
    this_cpu_write(thread_holds, holds);
}

void lockdep_interrupt_enter(void)
{
    this_cpu_write(interrupt_depth, this_cpu_read(interrupt_depth) + 1);
}

void lockdep_interrupt_exit(void)
{
    this_cpu_write(interrupt_depth, this_cpu_read(interrupt_depth) - 1);
}

void lockdep_deferred_enter(void)
{
    this_cpu_write(deferred_depth, this_cpu_read(interrupt_depth) + 1);
}

void lockdep_deferred_exit(void)
{
    this_cpu_write(deferred_depth, 0);
}

void lockdep_reset_statistics(void)
{
    for (struct lock_class *class = __atomic_load_n(&graph.first_class, __ATOMIC_ACQUIRE); class;
         class = __atomic_load_n(&class->next, __ATOMIC_ACQUIRE)) { /* both pair with lock_graph_add_class */
        __atomic_store_n(&class->statistics.longest_held, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&class->statistics.longest_wait, 0, __ATOMIC_RELAXED);
    }
}

const struct lock_class *lockdep_first_class(void)
{
    return __atomic_load_n(&graph.first_class, __ATOMIC_ACQUIRE); /* pairs with lock_graph_add_class */
}

const struct lockdep_holds *lockdep_holds_of_cpu(uint32_t cpu)
{
    return percpu_of(cpu, cpu_holds);
}

const struct lockdep_holds *lockdep_holds_of_thread_on(uint32_t cpu)
{
    const struct lockdep_holds *holds = *percpu_of(cpu, thread_holds);

    return holds ? holds : &boot_holds;
}

void lockdep_get_figures(struct lockdep_figures *figures)
{
    *figures = (struct lockdep_figures){
        .nr_classes = READ_ONCE(graph.nr_classes),
        .nr_edges = READ_ONCE(graph.nr_edges),
        .nr_stacks = READ_ONCE(graph.nr_stacks),
        .bytes_left = lock_graph_memory_left(&graph),
        .is_full = is_full(),
    };
}

bool lockdep_wants_memory(void)
{
    return READ_ONCE(graph.arena) && lock_graph_memory_left(&graph) < LITTLE_BYTES;
}

void lockdep_add_memory(void *memory, size_t size_bytes)
{
    uint64_t flags = irq_save_raw_();

    lock_graph_lock();
    lock_graph_add_memory(&graph, memory, size_bytes);
    lock_graph_unlock();
    irq_restore_raw_(flags);
}

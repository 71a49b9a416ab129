/* The data race detector: what the compiler calls for plain and volatile accesses, sampling, and meeting. Compiled
 * without it. */
#include "kcsan_internal.h"

#include <cpu/interrupts.h>
#include <cpu/tsc.h>
#include <debug/backtrace.h>
#include <debug/known_stacks.h>
#include <debug/report_hooks.h>
#include <lib/string.h>

struct kcsan_table kcsan_table; /* [a] */
READ_ONLY_AFTER_INIT uint32_t kcsan_every;
static READ_ONLY_AFTER_INIT uint64_t delay_ticks;
PER_CPU int32_t kcsan_skip;   /* [c] */
PER_CPU uint32_t kcsan_quiet; /* [c] */

static PER_CPU uint32_t random_state; /* [c] */

#define IRQ_OFF_SHARE 8u /* of the delay, where nothing can interrupt */

INIT void kcsan_start_(uint64_t every, uint64_t delay_us)
{
    const uint64_t us_per_s = 1000000;

    delay_ticks = tsc_frequency_hz() / us_per_s * delay_us;
    kcsan_every = (uint32_t)every;
}

/* A linear congruential generator (Numerical Recipes): so that loops are not always met at the same access. */
static int32_t next_skip(void)
{
    uint32_t state = this_cpu_read(random_state) * 1664525u + 1013904223u;

    this_cpu_write(random_state, state);
    return (int32_t)(kcsan_every / 2 + (state >> 8) % kcsan_every);
}

static bool is_quiet(void)
{
    return this_cpu_read(kcsan_quiet) || this_cpu_read(percpu.in_report) || this_cpu_read(percpu.nmi_depth);
}

/* By frame pointers on this stack; an exception's frame ends it. */
static void fill_trace(uint64_t trace[KCSAN_TRACE], void *const *frame)
{
    struct known_stack stack;
    unsigned n = 0;

    trace[n++] = (uint64_t)(uintptr_t)frame[1];
    if (known_stack_find((uint64_t)(uintptr_t)frame, &stack)) {
        while (n < KCSAN_TRACE) {
            void *const *next = frame[0];

            if (next <= frame || (uint64_t)(uintptr_t)(next + 2) > stack.high)
                break;
            frame = next;
            if (!address_is_kernel_text((uint64_t)(uintptr_t)frame[1]))
                break;
            trace[n++] = (uint64_t)(uintptr_t)frame[1];
        }
    }
    while (n < KCSAN_TRACE)
        trace[n++] = 0;
}

static void fill_party(struct kcsan_party *party, const struct kcsan_access *access, void *const *frame)
{
    party->access = *access;
    party->cpu = this_cpu_read(percpu.cpu_number);
    party->interrupt_depth = this_cpu_read(percpu.interrupt_depth);
    report_format_thread(party->thread, sizeof(party->thread));
    fill_trace(party->trace, frame);
}

NOINLINE void kcsan_meet(uint64_t address, uint64_t size, unsigned kind, void *const *frame)
{
    const struct kcsan_access access = {address, size, kind};
    struct kcsan_watch *watch;
    uint64_t flags;

    if (is_quiet() || size == 0)
        return;
    flags = irq_save();
    watch = kcsan_watch_meet(&kcsan_table, &access);
    if (watch) {
        this_cpu_write(kcsan_quiet, 1); /* report_format_thread and others are instrumented */
        fill_party(&watch->other, &access, frame);
        this_cpu_write(kcsan_quiet, 0);
        kcsan_watch_tell(watch);
    }
    irq_restore(flags);
}

static uint64_t read_value(uint64_t address, uint64_t size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)(uintptr_t)address;
    case 2:
        return *(const volatile uint16_t *)(uintptr_t)address;
    case 4:
        return *(const volatile uint32_t *)(uintptr_t)address;
    case 8:
        return *(const volatile uint64_t *)(uintptr_t)address;
    default:
        return 0;
    }
}

static uint64_t ticks_now(void)
{
    return __builtin_ia32_rdtsc();
}

/* Interrupts stay as they are: they, and whom they let run, are the other side too. */
static void wait_a_moment(void)
{
    uint64_t ticks = irqs_are_enabled() ? delay_ticks : delay_ticks / IRQ_OFF_SHARE, start = ticks_now();

    while (ticks_now() - start < ticks)
        cpu_relax();
}

static COLD NOINLINE void report_race(const struct kcsan_access *access, struct kcsan_watch *watch, uint64_t before,
                                      uint64_t after, void *const *frame)
{
    static PER_CPU struct kcsan_party party; /* [c] with interrupts off: too large for a stack */
    uint64_t flags = irq_save();
    struct kcsan_party *mine = this_cpu_pointer(party);

    this_cpu_write(kcsan_quiet, 1);
    fill_party(mine, access, frame);
    kcsan_report(mine, watch ? &watch->other : NULL, before, after, frame);
    this_cpu_write(kcsan_quiet, 0);
    irq_restore(flags);
}

NOINLINE void kcsan_sample(uint64_t address, uint64_t size, unsigned kind, void *const *frame)
{
    const struct kcsan_access access = {address, size, kind};
    struct kcsan_watch *watch;
    uint64_t before, after;

    this_cpu_write(kcsan_skip, next_skip());
    if (is_quiet() || size == 0)
        return;
    watch = kcsan_watch_set(&kcsan_table, &access);
    if (!watch)
        return;
    before = read_value(address, size);
    wait_a_moment();
    after = read_value(address, size);
    if (kcsan_watch_end(&kcsan_table, watch)) {
        report_race(&access, watch, before, after, frame);
        kcsan_watch_release(&kcsan_table, watch);
    } else if (before != after) {
        report_race(&access, NULL, before, after, frame);
    }
}

#define HOOK(name, size, kind)                          \
    void __tsan_##name(uintptr_t address);              \
    void __tsan_##name(uintptr_t address)               \
    {                                                   \
        kcsan_access(address, size, kind, KCSAN_FRAME); \
    }

#define HOOKS(size)                                                      \
    HOOK(read##size, size, KCSAN_READ)                                   \
    HOOK(write##size, size, KCSAN_WRITE)                                 \
    HOOK(unaligned_read##size, size, KCSAN_READ)                         \
    HOOK(unaligned_write##size, size, KCSAN_WRITE)                       \
    HOOK(volatile_read##size, size, KCSAN_READ | KCSAN_MARKED)           \
    HOOK(volatile_write##size, size, KCSAN_WRITE | KCSAN_MARKED)         \
    HOOK(unaligned_volatile_read##size, size, KCSAN_READ | KCSAN_MARKED) \
    HOOK(unaligned_volatile_write##size, size, KCSAN_WRITE | KCSAN_MARKED)

HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

void __tsan_read_range(uintptr_t address, size_t size);
void __tsan_read_range(uintptr_t address, size_t size)
{
    kcsan_access(address, size, KCSAN_READ, KCSAN_FRAME);
}

void __tsan_write_range(uintptr_t address, size_t size);
void __tsan_write_range(uintptr_t address, size_t size)
{
    kcsan_access(address, size, KCSAN_WRITE, KCSAN_FRAME);
}

/* What a constructor of each file would call, which nobody runs. */
void __tsan_init(void);
void __tsan_init(void)
{
}

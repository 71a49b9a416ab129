/* Two sections a CPU may be in. Each is noted by the CPU itself: with interrupts off nothing comes in between, and the
 * section with preemption off is noted by the outermost pair alone, which what interrupts it leaves as it was. */
#include <sync/lockdep_latency.h>

#include <cpu/irq_watch.h>
#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <sync/lockdep_report.h>

#include "lockdep_stack.h"

#define HZ_PER_MHZ   1000000u
#define NS_PER_MS    1000000u
#define LIMIT_MS     1000u
#define TICKS_AT_ALL 1u /* a section that began in the counter's first tick did begin */

struct section {
    uint64_t since; /* 0: not in it */
    const void *begun;
};

static PER_CPU struct section sections[LATENCY_NR_KINDS];
static PER_CPU struct latency longest[LATENCY_NR_KINDS];
static uint64_t limit_ns = (uint64_t)LIMIT_MS * NS_PER_MS; /* [a] */

uint64_t latency_ticks_to_ns(uint64_t ticks)
{
    uint64_t mhz = tsc_frequency_hz() / HZ_PER_MHZ;

    return ticks * 1000 / (mhz ? mhz : 1);
}

void latency_set_limit_ns(uint64_t new_limit_ns)
{
    __atomic_store_n(&limit_ns, new_limit_ns, __ATOMIC_RELAXED);
}

uint64_t latency_limit_ns(void)
{
    return __atomic_load_n(&limit_ns, __ATOMIC_RELAXED);
}

bool latency_is_over_limit(uint64_t ticks)
{
    uint64_t most = latency_limit_ns();

    return most != 0 && tsc_frequency_hz() != 0 && latency_ticks_to_ns(ticks) > most;
}

static void begin(enum latency_kind kind, const void *where)
{
    struct section *section = &(*this_cpu_pointer(sections))[kind];

    section->begun = where;
    section->since = tsc_since_entry() | TICKS_AT_ALL;
}

static void end(enum latency_kind kind, const struct lockdep_caller *caller)
{
    struct section *section = &(*this_cpu_pointer(sections))[kind];
    struct latency *record = &(*this_cpu_pointer(longest))[kind];
    uint64_t since = section->since, ticks;

    if (since == 0)
        return;
    section->since = 0;
    ticks = tsc_since_entry() - since;
    if (LIKELY(ticks <= record->ticks) || this_cpu_read(percpu.in_report) != 0 || this_cpu_read(percpu.nmi_depth) != 0)
        return;
    record->ticks = ticks;
    record->begun = section->begun;
    record->nr_frames = lockdep_capture_stack(record->frames, caller->frame);
    if (latency_is_over_limit(ticks))
        lockdep_report_long(kind, ticks, record->begun, caller);
}

#define CALLER (&(struct lockdep_caller){__builtin_return_address(0), __builtin_frame_address(0)})

void irqs_off_begin_(void)
{
    begin(LATENCY_INTERRUPTS_OFF, __builtin_return_address(0));
}

void irqs_off_end_(void)
{
    end(LATENCY_INTERRUPTS_OFF, CALLER);
}

void preempt_off_begin_(void)
{
    begin(LATENCY_PREEMPTION_OFF, __builtin_return_address(0));
}

void preempt_off_end_(void)
{
    end(LATENCY_PREEMPTION_OFF, CALLER);
}

static const void *place_of(enum latency_kind kind)
{
    const struct section *section = &(*this_cpu_pointer(sections))[kind];

    return section->since != 0 ? section->begun : NULL;
}

const void *irqs_off_place(void)
{
    return place_of(LATENCY_INTERRUPTS_OFF);
}

const void *preempt_off_place(void)
{
    return place_of(LATENCY_PREEMPTION_OFF);
}

const struct latency *latency_longest(uint32_t cpu, enum latency_kind kind)
{
    return &(*percpu_of(cpu, longest))[kind];
}

void latency_reset(void)
{
    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        for (unsigned kind = 0; kind < LATENCY_NR_KINDS; kind++)
            __atomic_store_n(&(*percpu_of(cpu, longest))[kind].ticks, 0, __ATOMIC_RELAXED);
    lockdep_reset_statistics();
}

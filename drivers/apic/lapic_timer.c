/* The local APIC's timer (SDM 3A 11.5.4) as event sources: a count down from a delay, or a deadline in ticks of the
 * time stamp counter. Both raise one vector; switching between them is what the LVT's mode is for. */
#include <drivers/apic.h>

#include "lapic.h"

#include <cpu/features.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <hw/lapic.h>
#include <irq/chip.h>
#include <lib/error_name.h>
#include <time/clock.h>
#include <time/source.h>

#define VECTOR_TIMER 0xfd

#define RATING_DEADLINE 300
#define RATING_ONE_SHOT 200
#define MEASURE_NS      (2 * NS_PER_MS)
#define READINGS        8u
#define DIVISOR         16u              /* in use: at 1 GHz it reaches 68 s, undivided 4 s */
#define DOUBT_SHIFT     14               /* 61 ppm, with readings that take up to 100 ns */
#define MAX_DELAY_NS    (100 * NS_PER_S) /* of a deadline: the TSC may be measured a little wrong, so look again */

#define ENTRY_ONE_SHOT VECTOR_TIMER
#define ENTRY_DEADLINE (LAPIC_LVT_TSC_DEADLINE | VECTOR_TIMER)

static struct irq *timer_irq;        /* [I] */
static PER_CPU uint32_t timer_entry; /* [c] with interrupts off: the LVT's entry; 0 until one of the above is in it */
static uint64_t one_shot_multiplier, tsc_multiplier; /* [I] counts in 2^32 ns */

static uint64_t counts_in(uint64_t ns, uint64_t multiplier)
{
    return (uint64_t)((unsigned __int128)ns * multiplier >> 32);
}

/* Rounded to 2^-30 of it; a frequency below 2^32 * 10^9 Hz in 64 bits. */
INIT static uint64_t multiplier_of(uint64_t hz)
{
    return hz / NS_PER_S << 32 | (hz % NS_PER_S << 32) / NS_PER_S;
}

/* A change of the mode disarms, and costs a hypervisor an exit. What follows has to come after it, which the fence is
 * for where the register is memory and what follows is not (SDM 3A 11.5.4.1). */
static void set_mode(uint32_t lvt_entry)
{
    if (this_cpu_read(timer_entry) == lvt_entry)
        return;
    lapic_write(LAPIC_LVT_TIMER, lvt_entry);
    this_cpu_write(timer_entry, lvt_entry);
    __asm__ volatile("mfence" : : : "memory");
}

static void arm_one_shot(struct event_source *source, uint64_t delay_ns)
{
    uint64_t count = counts_in(delay_ns, one_shot_multiplier) + 1;

    (void)source;
    set_mode(ENTRY_ONE_SHOT);
    lapic_write(LAPIC_TIMER_INITIAL, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
}

static void disarm_one_shot(struct event_source *source)
{
    (void)source;
    lapic_write(LAPIC_TIMER_INITIAL, 0);
}

/* 0 would disarm; the counter is not there again for centuries. */
static void arm_deadline(struct event_source *source, uint64_t delay_ns)
{
    uint64_t deadline = rdtsc() + counts_in(delay_ns, tsc_multiplier) + 1;

    (void)source;
    set_mode(ENTRY_DEADLINE);
    wrmsr(MSR_TSC_DEADLINE, deadline);
}

static void disarm_deadline(struct event_source *source)
{
    (void)source;
    wrmsr(MSR_TSC_DEADLINE, 0);
}

static struct event_source one_shot_source = {.name = "lapic",
                                              .arm = arm_one_shot,
                                              .disarm = disarm_one_shot,
                                              .doubt_shift = DOUBT_SHIFT,
                                              .is_per_cpu = true,
                                              .rating = RATING_ONE_SHOT};
static struct event_source deadline_source = {.name = "tsc-deadline",
                                              .arm = arm_deadline,
                                              .disarm = disarm_deadline,
                                              .max_delay_ns = MAX_DELAY_NS,
                                              .is_per_cpu = true,
                                              .goes_by_tsc = true,
                                              .rating = RATING_DEADLINE};

/* What nobody waited for is disarmed, and may have been on its way. */
static enum irq_result handle_timer(void *context)
{
    (void)context;
    event_fired(this_cpu_read(timer_entry) == ENTRY_DEADLINE ? &deadline_source : &one_shot_source);
    return IRQ_HANDLED;
}

struct reading {
    uint64_t now_ns;
    uint32_t count;
};

INIT static struct reading read_both(void)
{
    uint64_t least = UINT64_MAX, flags = irq_save();
    struct reading best = {0};

    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = clock_now_ns();
        uint32_t count = lapic_read(LAPIC_TIMER_CURRENT);
        uint64_t after = clock_now_ns();

        if (after - before < least) {
            least = after - before;
            best = (struct reading){.now_ns = before + least / 2, .count = count};
        }
    }
    irq_restore(flags);
    return best;
}

/* Undivided, for that counts finest: counts a second when divided. */
INIT static uint64_t measure(void)
{
    struct reading begin, end;

    lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_1);
    lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    begin = read_both();
    while (clock_now_ns() - begin.now_ns < MEASURE_NS)
        cpu_relax();
    end = read_both();
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_16);
    return (uint64_t)(begin.count - end.count) * NS_PER_S / (end.now_ns - begin.now_ns) / DIVISOR;
}

INIT static void register_source(struct event_source *source)
{
    if (event_source_register(source) != 0)
        log_warn("apic: %s was armed and did not interrupt: not used", source->name);
}

void lapic_timer_init_cpu(void)
{
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_16);
    this_cpu_write(timer_entry, 0); /* the LVT's is masked, until it is armed */
}

INIT void lapic_timer_init(void)
{
    uint64_t one_shot_hz;
    uint8_t vector;
    int error;

    if (!lapic_is_present())
        return;
    error = irq_request_local(VECTOR_TIMER, IRQ_EVERY_CPU, handle_timer, NULL, "timer", &vector, &timer_irq);
    if (error) {
        log_warn("apic: no timer: %s", error_name(error));
        return;
    }
    one_shot_hz = measure();
    one_shot_multiplier = multiplier_of(one_shot_hz);
    if (one_shot_hz > 0) {
        one_shot_source.max_delay_ns = (uint64_t)UINT32_MAX * NS_PER_S / one_shot_hz;
        register_source(&one_shot_source);
    } else {
        log_warn("apic: the timer does not count");
    }
    tsc_multiplier = multiplier_of(tsc_measured_hz());
    if (cpu_has(CPU_TSC_DEADLINE) && tsc_multiplier > 0)
        register_source(&deadline_source);
}

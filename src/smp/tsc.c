/* Comparing the CPUs' own counters, one CPU with another, in two ways:
 *
 *  1. One reads before and after the other has read, in an interrupt that this one waits for. That always says
 *     something, and bounds the distance from both sides; but no closer than an interrupt takes.
 *  2. Both read the time stamp counter in turns (time/tsc_compare.h) for a moment, if they meet within it. That is as
 *     close as a cache line travels, but an interrupt handler may not wait for another CPU without a bound: hence the
 *     bound.
 *
 * A difference between two counts is taken as a signed number: counters that were set anew may be anywhere. */
#include <smp/tsc.h>

#include <cpu/preempt.h>
#include <lib/format.h>
#include <smp/cpu.h>
#include <smp/ipi.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/tsc_compare.h>

#define TURNS         16u
#define PATIENCE_PART 50000u /* of a second: 20 us */
#define BRACKETS      4u

struct meeting {
    struct tsc_comparison comparison;
    uint64_t patience_ticks;
};

struct reading {
    struct clock_source *source;
    uint64_t count;
    bool is_taken;
};

/* Not before what came before is done (SDM 2B, RDTSC). */
static uint64_t read_ordered(struct clock_source *source)
{
    uint64_t count;

    __asm__ volatile("lfence" : : : "memory");
    count = source->read(source);
    __asm__ volatile("lfence" : : : "memory");
    return count;
}

static void read_there(void *argument)
{
    struct reading *reading = argument;

    reading->count = read_ordered(reading->source);
    reading->is_taken = true;
}

static void meet(void *argument)
{
    struct meeting *meeting = argument;

    tsc_compare(&meeting->comparison, 2, TURNS, meeting->patience_ticks);
}

static void bracket(struct clock_source *source, uint32_t cpu, struct tsc_distance *distance)
{
    uint64_t before = read_ordered(source), after;
    struct reading there = {.source = source};

    smp_call_one(cpu, read_there, &there);
    if (!there.is_taken) /* it has been given up: nothing is known */
        return;
    after = read_ordered(source);
    if ((int64_t)(there.count - after) > distance->least)
        distance->least = (int64_t)(there.count - after);
    if ((int64_t)(there.count - before) < distance->most)
        distance->most = (int64_t)(there.count - before);
}

struct tsc_distance smp_tsc_distance(struct clock_source *source, uint32_t cpu)
{
    struct tsc_distance distance = {.least = INT64_MIN, .most = INT64_MAX};
    struct meeting meeting = {.comparison = TSC_COMPARISON_INITIALIZER,
                              .patience_ticks = tsc_measured_hz() / PATIENCE_PART};
    struct cpu_mask both = {0};

    preempt_disable(); /* the same counter throughout */
    cpu_mask_set(&both, cpu);
    cpu_mask_set(&both, this_cpu_read(percpu.cpu_number));
    for (unsigned i = 0; i < BRACKETS; i++)
        bracket(source, cpu, &distance);
    if (source->is_tsc && cpu_mask_count(&both) > 1)
        smp_call(&both, meet, &meeting);
    preempt_enable();
    distance.do_agree = distance.least <= 0 && distance.most >= 0 && meeting.comparison.behind_ticks == 0;
    return distance;
}

/* An upper bound of how far any two counters are from each other. */
static uint64_t widest_distance(struct clock_source *source)
{
    int64_t least = 0, most = 0;
    uint32_t cpu;

    preempt_disable();
    cpu_mask_for_each(cpu, smp_online())
    {
        struct tsc_distance distance = smp_tsc_distance(source, cpu);

        if (distance.most == INT64_MAX) /* nothing is known */
            continue;
        least = distance.least < least ? distance.least : least;
        most = distance.most > most ? distance.most : most;
    }
    preempt_enable();
    return (uint64_t)most - (uint64_t)least;
}

static uint64_t ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz; /* hz is below 10^10 */
}

static void distrust(uint32_t cpu, const struct tsc_distance *distance, struct clock_source *source)
{
    uint64_t lead_ns = ticks_to_ns(widest_distance(source), source->frequency_hz);
    char reason[112];

    snprintf(reason, sizeof(reason), "CPU %u's is %ld to %ld ticks ahead of another CPU's, the clock jumps %lu ns", cpu,
             distance->least, distance->most, lead_ns);
    clock_source_distrust_ahead(source, reason, lead_ns);
}

bool smp_tsc_check(uint32_t cpu)
{
    struct clock_source *source = clock_source_current();
    struct tsc_distance distance;

    if (!source || !source->is_per_cpu || source->rating == 0)
        return true;
    distance = smp_tsc_distance(source, cpu);
    if (!distance.do_agree)
        distrust(cpu, &distance, source);
    return distance.do_agree;
}

bool smp_tsc_check_all(void)
{
    uint32_t cpu;

    cpu_mask_for_each(cpu, smp_online()) if (!smp_tsc_check(cpu)) return false;
    return true;
}

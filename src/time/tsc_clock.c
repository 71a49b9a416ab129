/* The time stamp counter as a clock source, used also where the CPU does not call it invariant: it is watched. */
#include "clock_math.h"

#include <cpu/features.h>
#include <cpu/interrupts.h>
#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <debug/log.h>
#include <time/clock.h>
#include <time/source.h>

#include "pit.h"

#define RATING_TSC       300
#define WINDOW_MIN_PARTS 512u   /* of a second: 2 ms are enough where both clocks read finely and undisturbed */
#define WINDOW_MAX_PARTS 32u    /* 31 ms, and what doubt is left then stays */
#define DOUBT_PART       20000u /* of the measured time: 50 ppm */
#define READINGS         8u
#define PLAUSIBLE_PART   4u   /* a measurement that is further than a quarter off what boot saw needs a second one */
#define AGREE_PART       100u /* two measurements that are nearer than this confirm each other */
#define FASTEST_HZ       10000000000ull

static uint64_t measured_hz; /* [I] */
static const char *measured_against = "nothing";

/* Pairs of readings, the closest of a few. */
struct reading {
    uint64_t tsc, count;
    uint64_t doubt; /* in ticks of the TSC */
};

static struct reading read_both(struct clock_source *reference)
{
    struct reading best = {.doubt = UINT64_MAX};
    uint64_t flags = irq_save();

    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = rdtsc();
        uint64_t count = reference->read(reference);
        uint64_t after = rdtsc();

        if (after - before < best.doubt)
            best = (struct reading){.tsc = before + (after - before) / 2, .count = count, .doubt = after - before};
    }
    irq_restore(flags);
    return best;
}

/* Waits until the reference has counted so far; false when it does not, after as long as the fastest TSC would take. */
static bool wait_for_counts(struct clock_source *reference, const struct reading *begin, uint64_t counts)
{
    uint64_t patience = FASTEST_HZ / reference->frequency_hz + 1;

    while (((reference->read(reference) - begin->count) & reference->mask) < counts)
        if (rdtsc() - begin->tsc > counts * patience)
            return false;
    return true;
}

/* Half the time the two pairs of readings took, and a count of the reference at each end. */
static bool is_exact(const struct reading *begin, const struct reading *end, uint64_t counts)
{
    uint64_t ticks = end->tsc - begin->tsc;

    return (begin->doubt + end->doubt) / 2 + 2 * ticks / counts <= ticks / DOUBT_PART;
}

/* Ticks a second; 0 when the reference does not count. The window grows until the doubt is small. */
static uint64_t measure(struct clock_source *reference)
{
    uint64_t counts = reference->frequency_hz / WINDOW_MIN_PARTS;
    struct reading begin = read_both(reference), end;

    for (;; counts *= 2) {
        if (!wait_for_counts(reference, &begin, counts))
            return 0;
        end = read_both(reference);
        counts = (end.count - begin.count) & reference->mask;
        if (is_exact(&begin, &end, counts) || counts >= reference->frequency_hz / WINDOW_MAX_PARTS)
            break;
    }
    return (end.tsc - begin.tsc) * reference->frequency_hz / counts; /* 10^9 ticks at 10^9 Hz: far from 2^64 */
}

/* A measurement that contradicts what boot found out, and has nobody's word for it yet. */
struct doubted {
    uint64_t hz; /* 0: none */
    const char *by;
};

static bool is_near(uint64_t hz, uint64_t other_hz, unsigned part)
{
    return hz > other_hz - other_hz / part && hz < other_hz + other_hz / part;
}

static bool believe(uint64_t hz, const char *by)
{
    measured_hz = hz;
    measured_against = by;
    return true;
}

/* One reference may be broken, and so may what the CPU or the hypervisor says of itself (Bochs copies a real CPU's
 * leaves): two of the three decide. */
static bool try_reference(struct clock_source *reference, struct doubted *doubted)
{
    uint64_t hz = measure(reference), boot_hz = tsc_frequency_hz();

    if (hz > 0 && (tsc_frequency_source() == TSC_ASSUMED || is_near(hz, boot_hz, PLAUSIBLE_PART)))
        return believe(hz, reference->name);
    if (doubted->hz > 0 && is_near(hz, doubted->hz, AGREE_PART)) {
        log_warn("clock: %s and %s agree on a TSC of %lu Hz, which is not %lu Hz as %s", doubted->by, reference->name,
                 doubted->hz, boot_hz, tsc_source_name(tsc_frequency_source()));
        return believe(doubted->hz, doubted->by);
    }
    if (hz == 0)
        log_warn("clock: %s does not count: the TSC is not measured against it", reference->name);
    else if (doubted->hz == 0)
        *doubted = (struct doubted){.hz = hz, .by = reference->name};
    return false;
}

static void measure_against_best(void)
{
    struct doubted doubted = {0};
    struct clock_source *reference;

    for (unsigned n = 0; (reference = clock_source_at(n)) != NULL; n++)
        if (try_reference(reference, &doubted))
            return;
    reference = pit_start();
    if (reference && try_reference(reference, &doubted))
        return;
    believe(tsc_frequency_hz(), tsc_source_name(tsc_frequency_source()));
    if (doubted.hz > 0)
        log_warn("clock: %s makes the TSC %lu Hz, and nothing agrees: not believed", doubted.by, doubted.hz);
}

static uint64_t read_tsc(struct clock_source *source)
{
    (void)source;
    return rdtsc();
}

static struct clock_source tsc_source = {
    .name = "tsc", .read = read_tsc, .mask = UINT64_MAX, .rating = RATING_TSC, .is_tsc = true};

void tsc_clock_init(void)
{
    pit_stop_ticks();
    if (!cpu_has(CPU_TSC))
        return;
    measure_against_best();
    tsc_correct_frequency(measured_hz);
    tsc_source.frequency_hz = measured_hz;
    log_info("clock: TSC %lu.%06lu MHz against %s, %s", measured_hz / 1000000, measured_hz % 1000000, measured_against,
             cpu_has(CPU_INVARIANT_TSC) ? "invariant" : "not said to be invariant");
    clock_source_register(&tsc_source);
}

uint64_t tsc_measured_hz(void)
{
    return measured_hz;
}

const char *tsc_measured_against(void)
{
    return measured_against;
}

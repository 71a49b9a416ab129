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
#define WINDOW_MAX_PARTS 4u     /* 0.25 s, and what doubt is left then stays */
#define DOUBT_PART       20000u /* of the measured time: 50 ppm */
#define READINGS_MIN     8u
#define READINGS_MAX     64u  /* of a machine that is held up all the time */
#define PLAUSIBLE_PART   4u   /* a measurement that is further than a quarter off what boot saw needs a second one */
#define AGREE_PART       100u /* two measurements that are nearer than this confirm each other */
#define FASTEST_HZ       10000000000ull
#define STILL_MAX        20000u /* readings, of at least 10 ns: the slowest counter counts within a microsecond */

static uint64_t measured_hz;                     /* [I] */
static const char *measured_against = "nothing"; /* [I] */

/* Pairs of readings, the closest of a few. */
struct reading {
    uint64_t tsc, count;
    uint64_t doubt; /* in ticks of the TSC */
};

static struct reading read_both(struct clock_source *reference)
{
    const uint64_t good_enough = tsc_frequency_hz() / WINDOW_MIN_PARTS / DOUBT_PART;
    struct reading best = {.doubt = UINT64_MAX};
    uint64_t flags = irq_save();

    for (unsigned i = 0; i < READINGS_MIN || (i < READINGS_MAX && best.doubt > good_enough); i++) {
        uint64_t before = rdtsc();
        uint64_t count = reference->read(reference);
        uint64_t after = rdtsc();

        if (after - before < best.doubt)
            best = (struct reading){.tsc = before + (after - before) / 2, .count = count, .doubt = after - before};
    }
    irq_restore(flags);
    return best;
}

/* How far a reference has counted, which may wrap meanwhile: it is looked at all the time. */
struct progress {
    uint64_t last, counts;
};

static void note_progress(struct progress *progress, const struct clock_source *reference, uint64_t count)
{
    progress->counts += (count - progress->last) & reference->mask;
    progress->last = count;
}

/* Waits until the reference has counted so far. False when it stands still, or has not come there after a second of the
 * fastest TSC. A host that holds the machine up now and then shall not make it look dead: it has to be seen standing.
 */
static bool wait_for_counts(struct clock_source *reference, struct progress *progress, uint64_t counts)
{
    uint64_t begin = rdtsc(), before;
    unsigned nr_still = 0;

    while (progress->counts < counts) {
        before = progress->counts;
        note_progress(progress, reference, reference->read(reference));
        nr_still = progress->counts == before ? nr_still + 1 : 0;
        if (nr_still >= STILL_MAX || rdtsc() - begin > FASTEST_HZ)
            return false;
    }
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
    struct reading begin = read_both(reference), end;
    struct progress progress = {.last = begin.count};

    for (uint64_t counts = reference->frequency_hz / WINDOW_MIN_PARTS;; counts = 2 * progress.counts) {
        if (!wait_for_counts(reference, &progress, counts))
            return 0;
        end = read_both(reference);
        note_progress(&progress, reference, end.count);
        if (is_exact(&begin, &end, progress.counts) || progress.counts >= reference->frequency_hz / WINDOW_MAX_PARTS)
            break;
    }
    /* 10^9 ticks at 10^9 Hz: far from 2^64 */
    return (end.tsc - begin.tsc) * reference->frequency_hz / progress.counts;
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
    .name = "tsc", .read = read_tsc, .mask = UINT64_MAX, .rating = RATING_TSC, .is_tsc = true, .is_per_cpu = true};

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

/* A clock that goes wrong while it is used: found out by the next best one, dropped, and no time lost or repeated. Of
 * exact/, because it takes seconds and judges how fast time passes. */
#include <cpu/registers.h>
#include <debug/log.h>
#include <debug/test.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

#define STEP_NS    (100 * NS_PER_MS)
#define STEPS_GOOD 30u /* 3 s: long enough for the watch to have looked */
#define STEPS_MAX  80u
#define DRIFT_PART 100u /* 1 % too fast */

static uint64_t drifts_from; /* 0: not yet */

static uint64_t read_drifting(struct clock_source *source)
{
    uint64_t now = rdtsc();

    (void)source;
    return drifts_from ? now + (now - drifts_from) / DRIFT_PART : now;
}

/* It stays registered, and is never used again. */
static struct clock_source drifting = {.name = "drifting", .read = read_drifting, .mask = UINT64_MAX, .rating = 1000};

/* A step by the clock, and by the TSC itself, which under -icount is exact: they differ by the drift at most. */
static bool step_is_sane(void)
{
    uint64_t begin = clock_now_ns(), begin_tsc = rdtsc(), took, took_truly;

    sleep_ns(STEP_NS);
    took = clock_now_ns() - begin;
    took_truly = (rdtsc() - begin_tsc) * NS_PER_S / tsc_measured_hz();
    if (took + took / 50 >= took_truly && took <= took_truly + took_truly / 50)
        return true;
    test_fail(__FILE_NAME__, __LINE__, "a step of the clock took %lu ns, and truly %lu", took, took_truly);
    return false;
}

KERNEL_TEST(exact_drift, TEST_EXACT_PREFIX "a_clock_that_drifts_is_dropped")
{
    unsigned steps = 0;

    EXPECT(event_source_current() && tsc_measured_hz() > 0);
    EXPECT(drifting.frequency_hz == 0); /* once a boot */
    drifting.frequency_hz = tsc_measured_hz();
    clock_source_register(&drifting);
    EXPECT(clock_source_current() == &drifting);
    while (steps++ < STEPS_GOOD && step_is_sane())
        ;
    EXPECT(clock_source_current() == &drifting);
    drifts_from = rdtsc();
    for (steps = 0; steps < STEPS_MAX && clock_source_current() == &drifting; steps++)
        if (!step_is_sane())
            return;
    log_info("time: the clock is at %lu ns", clock_now_ns()); /* and so is this line: the scenario compares */
    EXPECT(clock_source_current() != &drifting);
    EXPECT(drifting.rating == 0);
    for (steps = 0; steps < STEPS_GOOD; steps++)
        if (!step_is_sane())
            return;
}

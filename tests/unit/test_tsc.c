/* The clock's calibration against a model PIT on a machine that is held up for a while at a port access or a reading of
 * the counter: what comes out may be doubtful only as far as all measurements were. */
#include "support/unit.h"

#include <cpu/features.h>
#include <cpu/io.h>
#include <cpu/registers.h>
#include <cpu/tsc.h>

#define TSC_HZ     2000000000ull
#define PIT_HZ     1193182ull
#define STEP_TICKS 1000u /* what each access takes */
#define PIT_TICKS  (1193 * TSC_HZ / PIT_HZ)

static uint64_t tsc, count_began;
static unsigned nr_accesses, held_up_at, held_up_every;
static uint64_t held_up_ticks;

/* Every access may be followed by a pause: which one, and how often, is the test's. */
static void pass_time(void)
{
    tsc += STEP_TICKS;
    nr_accesses++;
    if (nr_accesses == held_up_at || (held_up_every && nr_accesses % held_up_every == 0))
        tsc += held_up_ticks;
}

uint64_t rdtsc(void)
{
    uint64_t value = tsc;

    pass_time();
    return value;
}

uint8_t in8(uint16_t port)
{
    uint8_t value = count_began && tsc - count_began >= PIT_TICKS ? 0x20 : 0;

    assert_int_equal(port, 0x61);
    pass_time();
    return value;
}

void out8(uint16_t port, uint8_t value)
{
    if (port == 0x43)
        count_began = 0;
    else if (port == 0x42 && value == 1193 >> 8)
        count_began = tsc;
    pass_time();
}

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    return (struct cpuid_result){0, 0, 0, 0};
}

bool cpu_has(enum cpu_feature feature)
{
    return false;
}

const struct cpu_identity *cpu_identity(void)
{
    static const struct cpu_identity identity = {.max_leaf = 1};

    return &identity;
}

static void calibrate(unsigned at, unsigned every, uint64_t ticks)
{
    tsc = count_began = nr_accesses = 0;
    held_up_at = at;
    held_up_every = every;
    held_up_ticks = ticks;
    tsc_init(0);
    assert_int_equal(tsc_frequency_source(), TSC_PIT);
}

static void assert_within(unsigned per_mille)
{
    assert_in_range(tsc_frequency_hz(), TSC_HZ - TSC_HZ / 1000 * per_mille, TSC_HZ + TSC_HZ / 1000 * per_mille);
}

static void quiet_machine(void **state)
{
    calibrate(0, 0, 0);
    assert_within(2);
}

/* One pause of a third of the time measured, at each place there is. */
static void held_up_once_anywhere(void **state)
{
    calibrate(0, 0, 0);
    for (unsigned at = 1, nr = nr_accesses; at <= nr; at++) {
        calibrate(at, 0, PIT_TICKS / 3);
        assert_within(10);
    }
}

/* Pauses so often that some measurements are spoilt, but not all. */
static void held_up_now_and_then(void **state)
{
    for (unsigned every = 3000; every < 9000; every += 37) {
        calibrate(0, every, PIT_TICKS / 3);
        assert_within(10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_machine),
        cmocka_unit_test(held_up_once_anywhere),
        cmocka_unit_test(held_up_now_and_then),
    };

    return cmocka_run_group_tests_name("cpu/tsc", tests, NULL, NULL);
}

/* What the TSC's frequency is measured to be, on a model machine: clocks that count and wrap, one that is broken, a
 * host that holds the machine up, and a CPU that says something wrong of itself. */
#include "support/unit.h"

#include <string.h>

#include <cpu/features.h>
#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <debug/log.h>
#include <time/source.h>

#include "../../src/time/pit.h"
#include "support/random.h"

#define TRUE_HZ    2000000000ull /* two ticks a nanosecond */
#define READ_TICKS 60u
#define PPM        1000000ull

static uint64_t tsc, seed;
static uint64_t held_up_every, held_up_ticks; /* one access in so many, at random, takes so much longer */
static uint64_t slowness_ticks;               /* every reading of a reference takes this long */
static uint64_t boot_hz;
static enum tsc_source boot_source;
static struct clock_source *references[3];
static struct clock_source *pit;
static unsigned nr_warnings;

static void pass(uint64_t ticks)
{
    tsc += ticks;
    if (held_up_every && random_below(&seed, held_up_every) == 0)
        tsc += random_below(&seed, held_up_ticks);
}

uint64_t rdtsc(void)
{
    pass(READ_TICKS / 2);
    return tsc;
}

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    return (struct cpuid_result){0, 0, 0, 0};
}

bool cpu_has(enum cpu_feature feature)
{
    return true;
}

uint64_t tsc_frequency_hz(void)
{
    return boot_hz;
}

enum tsc_source tsc_frequency_source(void)
{
    return boot_source;
}

const char *tsc_source_name(enum tsc_source source)
{
    return "told";
}

void tsc_correct_frequency(uint64_t hz)
{
    assert_int_equal(hz, tsc_measured_hz());
}

void log_write(enum log_level level, const char *format, ...)
{
    nr_warnings += level == LOG_WARN;
}

struct clock_source *clock_source_at(unsigned n)
{
    return n < 3 ? references[n] : NULL;
}

void clock_source_register(struct clock_source *source)
{
    assert_string_equal(source->name, "tsc");
}

struct clock_source *pit_start(void)
{
    return pit;
}

void pit_stop_ticks(void)
{
}

/* The moment it is read lies anywhere in the time that takes. */
static uint64_t read_model(struct clock_source *source)
{
    uint64_t first = random_below(&seed, slowness_ticks + 1), count;

    pass(first);
    count = (uint64_t)((unsigned __int128)tsc * source->frequency_hz / TRUE_HZ) & source->mask;
    pass(slowness_ticks - first);
    return count;
}

static uint64_t read_stuck(struct clock_source *source)
{
    pass(slowness_ticks);
    return 42;
}

/* Counts three times as fast as it says. */
static uint64_t read_wrong(struct clock_source *source)
{
    return read_model(source) * 3 & source->mask;
}

static struct clock_source hpet = {.name = "hpet", .read = read_model, .mask = 0xffffffff, .frequency_hz = 14318180};
static struct clock_source pm = {.name = "acpi_pm", .read = read_model, .mask = 0xffffff, .frequency_hz = 3579545};
static struct clock_source model_pit = {.name = "PIT", .read = read_model, .mask = 0xffff, .frequency_hz = 1193182};
static struct clock_source stuck = {.name = "stuck", .read = read_stuck, .mask = 0xffff, .frequency_hz = 1193182};
static struct clock_source wrong = {.name = "wrong", .read = read_wrong, .mask = 0xffffffff, .frequency_hz = 14318180};

static int set_up(void **state)
{
    seed = 1;
    tsc = 12345678;
    held_up_every = nr_warnings = 0;
    slowness_ticks = 2000; /* a microsecond: a port, or an emulator */
    boot_hz = TRUE_HZ / 100 * 99;
    boot_source = TSC_PIT;
    memset(references, 0, sizeof(references));
    pit = NULL;
    return 0;
}

static void assert_exact(const char *against)
{
    tsc_clock_init();
    assert_string_equal(tsc_measured_against(), against);
    assert_in_range(tsc_measured_hz(), TRUE_HZ - TRUE_HZ / PPM * 100, TRUE_HZ + TRUE_HZ / PPM * 100);
}

static void each_reference_is_good_for_100_ppm(void **state)
{
    references[0] = &hpet;
    assert_exact("hpet");
    references[0] = &pm;
    assert_exact("acpi_pm");
    references[0] = NULL;
    pit = &model_pit;
    assert_exact("PIT");
    assert_int_equal(nr_warnings, 0);
}

/* Up to 20 ms, at one access in a thousand; and readings that all take 20 us. */
static void a_busy_host_does_not_spoil_it(void **state)
{
    struct clock_source *const all[] = {&hpet, &pm, &model_pit};

    held_up_every = 1000;
    held_up_ticks = TRUE_HZ / 50;
    for (unsigned n = 0; n < 300; n++) {
        seed = n;
        references[0] = all[n % 3];
        assert_exact(all[n % 3]->name);
    }
    held_up_every = 0;
    slowness_ticks = TRUE_HZ / 50000;
    for (unsigned n = 0; n < 100; n++) {
        references[0] = all[n % 2];
        assert_exact(all[n % 2]->name);
    }
}

static void a_reference_that_does_not_count_is_passed_over(void **state)
{
    references[0] = &stuck;
    references[1] = &pm;
    assert_exact("acpi_pm");
    assert_int_equal(nr_warnings, 1);
}

static void one_that_counts_wrongly_is_outvoted(void **state)
{
    references[0] = &wrong;
    references[1] = &pm;
    assert_exact("acpi_pm");
}

/* Bochs: the leaf of a CPU of 3.5 GHz in a machine of 50 MHz. */
static void two_clocks_outvote_what_the_cpu_says(void **state)
{
    references[0] = &hpet;
    references[1] = &pm;
    boot_hz = TRUE_HZ * 70;
    boot_source = TSC_CPUID;
    assert_exact("hpet");
    boot_hz = TRUE_HZ / 70;
    assert_exact("hpet");
    assert_int_equal(nr_warnings, 2);
}

static void one_clock_does_not(void **state)
{
    references[0] = &wrong;
    boot_source = TSC_CPUID;
    boot_hz = TRUE_HZ;
    assert_exact("told");
    assert_int_equal(nr_warnings, 1);
}

static void what_was_assumed_gives_way_to_one(void **state)
{
    references[0] = &pm;
    boot_source = TSC_ASSUMED;
    boot_hz = 1000000000;
    assert_exact("acpi_pm");
}

static void without_any_reference_boots_idea_stays(void **state)
{
    boot_hz = TRUE_HZ;
    assert_exact("told");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_reference_is_good_for_100_ppm, set_up),
        cmocka_unit_test_setup(a_busy_host_does_not_spoil_it, set_up),
        cmocka_unit_test_setup(a_reference_that_does_not_count_is_passed_over, set_up),
        cmocka_unit_test_setup(one_that_counts_wrongly_is_outvoted, set_up),
        cmocka_unit_test_setup(two_clocks_outvote_what_the_cpu_says, set_up),
        cmocka_unit_test_setup(one_clock_does_not, set_up),
        cmocka_unit_test_setup(what_was_assumed_gives_way_to_one, set_up),
        cmocka_unit_test_setup(without_any_reference_boots_idea_stays, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The CMOS clock, on a model of it: every format it may keep time in, centuries, updates at the wrong moment, and a
 * clock that is broken. */
#include "support/unit.h"

#include <string.h>

#include <acpi/fadt.h>
#include <cpu/io.h>
#include <debug/log.h>
#include <drivers/clocks.h>
#include <time/calendar.h>
#include <time/source.h>

#define CENTURY 0x32
#define BINARY  0x04
#define HOURS24 0x02

static uint8_t cmos[128], chosen;
static uint64_t wall; /* what the driver has set; UINT64_MAX: nothing */
static unsigned nr_accesses, nr_warnings, nr_updates, update_every;
static bool is_updating_for_ever;
static struct acpi_fixed fixed;
static bool has_acpi;
static uint64_t model_seconds;
static uint8_t model_format;

static uint8_t encode(unsigned number)
{
    return model_format & BINARY ? (uint8_t)number : (uint8_t)(number / 10 << 4 | number % 10);
}

static void set_clock(uint64_t seconds)
{
    struct calendar_time t;
    unsigned hour;

    calendar_from_seconds(seconds, &t);
    hour = model_format & HOURS24 ? t.hour : (t.hour + 11) % 12 + 1;
    cmos[0] = encode(t.second);
    cmos[2] = encode(t.minute);
    cmos[4] = encode(hour) | (!(model_format & HOURS24) && t.hour >= 12 ? 0x80 : 0);
    cmos[7] = encode(t.day);
    cmos[8] = encode(t.month);
    cmos[9] = encode(t.year % 100);
    cmos[CENTURY] = encode(t.year / 100);
    cmos[11] = model_format;
    model_seconds = seconds;
}

void out8(uint16_t port, uint8_t value)
{
    assert_int_equal(port, 0x70);
    assert_false(value & 0x80); /* would turn NMIs off */
    chosen = value;
}

/* An update comes between two accesses, without a warning: the update bit was looked at before. */
uint8_t in8(uint16_t port)
{
    assert_int_equal(port, 0x71);
    nr_accesses++;
    if (update_every && nr_accesses % update_every == 0) {
        set_clock(model_seconds + 1);
        nr_updates++;
    }
    if (chosen == 10)
        return is_updating_for_ever ? 0xa6 : 0x26;
    return cmos[chosen];
}

const struct acpi_fixed *acpi_fixed(void)
{
    return has_acpi ? &fixed : NULL;
}

void clock_set_wall(uint64_t seconds)
{
    wall = seconds;
}

void log_write(enum log_level level, const char *format, ...)
{
    nr_warnings += level == LOG_WARN;
}

static int set_up(void **state)
{
    memset(cmos, 0, sizeof(cmos));
    wall = UINT64_MAX;
    nr_accesses = nr_warnings = nr_updates = update_every = 0;
    is_updating_for_ever = false;
    fixed = (struct acpi_fixed){.has_cmos_rtc = true, .rtc_century = CENTURY};
    has_acpi = true;
    model_format = HOURS24;
    return 0;
}

static uint64_t seconds_of(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second)
{
    uint64_t seconds = 0;

    assert_true(calendar_to_seconds(&(struct calendar_time){year, month, day, hour, minute, second}, &seconds));
    return seconds;
}

/* Midnight and noon, which 12 hours count from 12, the last second of 32 signed bits and the first after it, and of 32.
 */
static void every_format_keeps_every_time(void **state)
{
    const uint64_t moments[] = {
        seconds_of(1999, 12, 31, 23, 59, 59), seconds_of(2000, 2, 29, 0, 0, 0),   seconds_of(2026, 11, 22, 12, 0, 0),
        seconds_of(2026, 11, 22, 11, 59, 59), seconds_of(2026, 11, 22, 0, 30, 0), seconds_of(2026, 11, 22, 13, 5, 9),
        seconds_of(2038, 1, 19, 3, 14, 7),    seconds_of(2038, 1, 19, 3, 14, 8),  seconds_of(2069, 12, 31, 23, 59, 59),
        seconds_of(2100, 2, 28, 23, 59, 59),  seconds_of(2106, 2, 7, 6, 28, 16),  seconds_of(2399, 12, 31, 23, 59, 59),
    };

    for (unsigned format = 0; format < 4; format++) {
        model_format = (uint8_t)(format << 1);
        for (unsigned i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
            set_clock(moments[i]);
            rtc_init();
            assert_int_equal(wall, moments[i]);
        }
    }
    for (unsigned hour = 0; hour < 24; hour++) {
        model_format = 0;
        set_clock(seconds_of(2026, 1, 1, hour, 0, 0));
        rtc_init();
        assert_int_equal(wall, seconds_of(2026, 1, 1, hour, 0, 0));
    }
    assert_int_equal(nr_warnings, 0);
}

/* Without a register, or with one that holds nonsense: 1970 to 2069. */
static void a_century_that_is_not_told_is_guessed(void **state)
{
    const unsigned years[] = {1970, 1999, 2000, 2038, 2069};

    for (unsigned i = 0; i < 5; i++) {
        fixed.rtc_century = 0;
        set_clock(seconds_of(years[i], 6, 1, 1, 2, 3));
        rtc_init();
        assert_int_equal(wall, seconds_of(years[i], 6, 1, 1, 2, 3));
        fixed.rtc_century = CENTURY;
        cmos[CENTURY] = 0xff;
        rtc_init();
        assert_int_equal(wall, seconds_of(years[i], 6, 1, 1, 2, 3));
        has_acpi = false;
        rtc_init();
        assert_int_equal(wall, seconds_of(years[i], 6, 1, 1, 2, 3));
        has_acpi = true;
    }
}

/* Whatever it comes between: what is read is a time that was, within the seconds that passed. */
static void an_update_in_between_is_read_again(void **state)
{
    uint64_t begin = seconds_of(2026, 12, 31, 23, 59, 59);

    for (unsigned every = 2; every < 120; every++) {
        nr_accesses = nr_updates = 0;
        update_every = every;
        wall = UINT64_MAX;
        set_clock(begin);
        rtc_init();
        if (wall != UINT64_MAX) /* else it never stood still long enough: 18 accesses */
            assert_in_range(wall, begin, begin + nr_updates);
        if (every >= 40)
            assert_true(wall != UINT64_MAX);
    }
}

static void an_update_that_never_ends_is_not_waited_for(void **state)
{
    is_updating_for_ever = true;
    set_clock(seconds_of(2026, 11, 22, 1, 2, 3));
    rtc_init();
    assert_true(nr_accesses < 1000000);
}

static void what_is_no_time_is_not_taken(void **state)
{
    memset(cmos, 0xff, sizeof(cmos));
    rtc_init();
    assert_int_equal(wall, UINT64_MAX);
    memset(cmos, 0, sizeof(cmos));
    rtc_init();
    assert_int_equal(wall, UINT64_MAX);
    assert_int_equal(nr_warnings, 2);
}

static void a_machine_without_one_has_none(void **state)
{
    fixed.has_cmos_rtc = false;
    set_clock(seconds_of(2026, 11, 22, 1, 2, 3));
    rtc_init();
    assert_int_equal(wall, UINT64_MAX);
    assert_int_equal(nr_accesses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_format_keeps_every_time, set_up),
        cmocka_unit_test_setup(a_century_that_is_not_told_is_guessed, set_up),
        cmocka_unit_test_setup(an_update_in_between_is_read_again, set_up),
        cmocka_unit_test_setup(an_update_that_never_ends_is_not_waited_for, set_up),
        cmocka_unit_test_setup(what_is_no_time_is_not_taken, set_up),
        cmocka_unit_test_setup(a_machine_without_one_has_none, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

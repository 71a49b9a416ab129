/* The CMOS clock (Motorola MC146818A data sheet). */
#include <drivers/clocks.h>

#include <acpi/fadt.h>
#include <cpu/interrupts.h>
#include <cpu/io.h>
#include <debug/log.h>
#include <lib/string.h>
#include <time/calendar.h>
#include <time/source.h>

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define RTC_SECONDS  0x00
#define RTC_MINUTES  0x02
#define RTC_HOURS    0x04
#define RTC_DAY      0x07
#define RTC_MONTH    0x08
#define RTC_YEAR     0x09
#define RTC_STATUS_A 0x0a
#define RTC_STATUS_B 0x0b

#define RTC_UPDATING 0x80 /* status A */
#define RTC_24_HOURS 0x02 /* status B */
#define RTC_BINARY   0x04
#define RTC_PM       0x80 /* hours, where there are 12 */

#define UPDATE_POLLS_MAX 20000u /* an update takes 2 ms, a port read a microsecond at most */
#define TRIES            4u

struct rtc_registers {
    uint8_t seconds, minutes, hours, day, month, year, century, status_b;
};

INIT static uint8_t read_cmos(uint8_t index)
{
    out8(CMOS_INDEX, index);
    return in8(CMOS_DATA);
}

INIT static void read_registers(struct rtc_registers *r, uint8_t century_index)
{
    for (unsigned i = 0; i < UPDATE_POLLS_MAX && (read_cmos(RTC_STATUS_A) & RTC_UPDATING); i++)
        cpu_relax();
    *r = (struct rtc_registers){
        .seconds = read_cmos(RTC_SECONDS),
        .minutes = read_cmos(RTC_MINUTES),
        .hours = read_cmos(RTC_HOURS),
        .day = read_cmos(RTC_DAY),
        .month = read_cmos(RTC_MONTH),
        .year = read_cmos(RTC_YEAR),
        .century = century_index ? read_cmos(century_index) : 0,
        .status_b = read_cmos(RTC_STATUS_B),
    };
}

INIT static unsigned number(uint8_t value, bool is_binary)
{
    return is_binary ? value : (value >> 4) * 10u + (value & 0xf);
}

/* A century that cannot be is not believed; without one the years 70 to 99 are the 20th's. */
INIT static void to_calendar(const struct rtc_registers *r, struct calendar_time *time)
{
    bool is_binary = r->status_b & RTC_BINARY;
    unsigned century = number(r->century, is_binary), year = number(r->year, is_binary);

    if (century < 19 || century > 99)
        century = year < 70 ? 20 : 19;
    *time = (struct calendar_time){
        .year = century * 100 + year,
        .month = number(r->month, is_binary),
        .day = number(r->day, is_binary),
        .hour = number(r->hours & (r->status_b & RTC_24_HOURS ? 0xff : ~RTC_PM), is_binary),
        .minute = number(r->minutes, is_binary),
        .second = number(r->seconds, is_binary),
    };
    if (!(r->status_b & RTC_24_HOURS))
        time->hour = time->hour % 12 + (r->hours & RTC_PM ? 12 : 0);
}

/* Twice the same: no update came in between. */
INIT static bool read_stable(struct rtc_registers *r, uint8_t century_index)
{
    struct rtc_registers again;

    for (unsigned i = 0; i < TRIES; i++) {
        read_registers(r, century_index);
        read_registers(&again, century_index);
        if (memcmp(r, &again, sizeof(again)) == 0)
            return true;
    }
    return false;
}

INIT void rtc_init(void)
{
    const struct acpi_fixed *fixed = acpi_fixed();
    struct rtc_registers r;
    struct calendar_time t;
    uint64_t seconds;

    if ((fixed && !fixed->has_cmos_rtc) || !read_stable(&r, fixed ? fixed->rtc_century : 0))
        return;
    to_calendar(&r, &t);
    if (!calendar_to_seconds(&t, &seconds)) {
        log_warn("rtc: %u-%u-%u %u:%u:%u is no time", t.year, t.month, t.day, t.hour, t.minute, t.second);
        return;
    }
    clock_set_wall(seconds);
    log_info("rtc: %04u-%02u-%02u %02u:%02u:%02u UTC", t.year, t.month, t.day, t.hour, t.minute, t.second);
}

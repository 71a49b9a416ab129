#include <time/calendar.h>

#define SECONDS_PER_DAY 86400u

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Before the first of January of this year, since 1970. */
static uint64_t days_before_year(unsigned year)
{
    uint64_t past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

bool calendar_to_seconds(const struct calendar_time *time, uint64_t *seconds)
{
    uint64_t days;

    if (time->year < 1970 || time->month < 1 || time->month > 12 || time->day < 1 ||
        time->day > days_of_month(time->year, time->month) || time->hour > 23 || time->minute > 59 || time->second > 60)
        return false;
    days = days_before_year(time->year) + time->day - 1;
    for (unsigned month = 1; month < time->month; month++)
        days += days_of_month(time->year, month);
    *seconds = days * SECONDS_PER_DAY + time->hour * 3600u + time->minute * 60u + time->second;
    return true;
}

void calendar_from_seconds(uint64_t seconds, struct calendar_time *time)
{
    uint64_t days = seconds / SECONDS_PER_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);

    *time = (struct calendar_time){.year = 1970 + (unsigned)(days / 366),
                                   .month = 1,
                                   .hour = rest / 3600,
                                   .minute = rest / 60 % 60,
                                   .second = rest % 60};
    while (days_before_year(time->year + 1) <= days)
        time->year++;
    days -= days_before_year(time->year);
    while (days >= days_of_month(time->year, time->month))
        days -= days_of_month(time->year, time->month++);
    time->day = (unsigned)days + 1;
}

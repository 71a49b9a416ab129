/* Days and seconds (POSIX.1-2017, 4.16): the proleptic Gregorian calendar, no leap seconds. Pure C. */
#pragma once

#include <base/types.h>

struct calendar_time {
    unsigned year, month, day; /* month and day from 1 */
    unsigned hour, minute, second;
};

/* False where a field is out of range, or the year is before 1970. */
bool calendar_to_seconds(const struct calendar_time *time, uint64_t *seconds);
void calendar_from_seconds(uint64_t seconds, struct calendar_time *time);

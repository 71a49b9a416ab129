unit_test(rtc SOURCES test_rtc.c KERNEL drivers/rtc.c src/time/calendar.c)

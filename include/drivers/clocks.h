/* The clocks of a PC's chipset. Each registers what it is with time, or says why not. Context: init, after acpi_init.
 */
#pragma once

/* The HPET's counter, as a clock source. */
void hpet_init(void);
/* Its first comparator that can interrupt, as an event source; after the interrupt controllers. */
void hpet_event_init(void);

/* ACPI's power management timer (ACPI 6.5 4.8.2.1), as a clock source. */
void acpi_pm_timer_init(void);

/* Sets the wall clock from the CMOS clock. */
void rtc_init(void);

/* An interrupt that never goes away: the CMOS clock's, level-triggered, and nobody reads what would end it. */
#include <base/errno.h>
#include <cpu/io.h>
#include <irq/irq.h>
#include <time/clock.h>
#include <time/timer.h>

#include "fault.h"

#define CMOS_INDEX          0x70 /* Motorola MC146818A data sheet */
#define CMOS_DATA           0x71
#define RTC_STATUS_B        0x0b
#define RTC_STATUS_C        0x0c /* reading it ends the interrupt */
#define RTC_PERIODIC_ENABLE 0x40
#define RTC_GSI             8
#define WAIT_MS             2000u

static enum irq_result disown(void *context)
{
    (void)context;
    return IRQ_NOT_MINE;
}

static uint8_t read_cmos(uint8_t index)
{
    out8(CMOS_INDEX, index);
    return in8(CMOS_DATA);
}

static void write_cmos(uint8_t index, uint8_t value)
{
    out8(CMOS_INDEX, index);
    out8(CMOS_DATA, value);
}

static bool is_masked_as_storm(void)
{
    struct irq_statistics statistics;

    for (unsigned n = 0; irq_statistics(n, &statistics); n++)
        if (statistics.is_storming && statistics.has_gsi && statistics.gsi == RTC_GSI)
            return true;
    return false;
}

/* -EIO where the storm did not come, or was not stopped as one. */
FAULT(interrupt_storm, 41, "its source is masked with a message, and the kernel goes on")
{
    uint8_t status_b = read_cmos(RTC_STATUS_B);
    struct irq *irq;
    bool is_masked = false;
    int error = irq_request_gsi(RTC_GSI, IRQ_LEVEL, IRQ_ACTIVE_HIGH, 0, disown, NULL, "interrupt_storm", &irq);

    if (error)
        return error;
    (void)read_cmos(RTC_STATUS_C);
    write_cmos(RTC_STATUS_B, status_b | RTC_PERIODIC_ENABLE);
    for (unsigned i = 0; i < WAIT_MS && !is_masked; i++) {
        sleep_ns(NS_PER_MS);
        is_masked = is_masked_as_storm();
    }
    write_cmos(RTC_STATUS_B, status_b);
    (void)read_cmos(RTC_STATUS_C);
    irq_release(irq);
    return is_masked ? 0 : -EIO;
}

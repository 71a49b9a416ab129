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

/* Another device on the same line, which has something to say when `context`, its register, is true. */
static enum irq_result handle_neighbour(void *context)
{
    bool *wants_service = context;

    return __atomic_exchange_n(wants_service, false, __ATOMIC_RELAXED) ? IRQ_HANDLED : IRQ_NOT_MINE;
}

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

static void start_storm(uint8_t status_b)
{
    (void)read_cmos(RTC_STATUS_C);
    write_cmos(RTC_STATUS_B, status_b | RTC_PERIODIC_ENABLE);
}

static void end_storm(uint8_t status_b)
{
    write_cmos(RTC_STATUS_B, status_b);
    (void)read_cmos(RTC_STATUS_C);
}

static bool wait_until_masked(void)
{
    for (unsigned i = 0; i < WAIT_MS && !is_masked_as_storm(); i++)
        sleep_ns(NS_PER_MS);
    return is_masked_as_storm();
}

/* -EIO where the storm did not come, or was not stopped as one. */
FAULT(interrupt_storm, 41, "its source is masked with a message, and the kernel goes on")
{
    uint8_t status_b = read_cmos(RTC_STATUS_B);
    struct irq *irq;
    bool is_masked;
    int error = irq_request_gsi(RTC_GSI, IRQ_LEVEL, IRQ_ACTIVE_HIGH, 0, disown, NULL, "interrupt_storm", &irq);

    if (error)
        return error;
    start_storm(status_b);
    is_masked = wait_until_masked();
    end_storm(status_b);
    irq_release(irq);
    return is_masked ? 0 : -EIO;
}

/* Ten requests of the neighbour's, each served although the line they share is masked. */
static bool is_neighbour_served(bool *wants_service)
{
    for (unsigned request = 0; request < 10; request++) {
        __atomic_store_n(wants_service, true, __ATOMIC_RELAXED);
        for (unsigned i = 0; i < WAIT_MS && __atomic_load_n(wants_service, __ATOMIC_RELAXED); i++)
            sleep_ns(NS_PER_MS);
        if (__atomic_load_n(wants_service, __ATOMIC_RELAXED))
            return false;
    }
    return true;
}

/* -EIO where the storm was not stopped, or the other device on the line was not served any more. */
FAULT(interrupt_storm_shared, 41, "one of two devices on a line is stuck: masked with a message, the other goes on")
{
    uint8_t status_b = read_cmos(RTC_STATUS_B);
    struct irq *stuck, *neighbour;
    bool wants_service = false, is_good;
    int error =
        irq_request_gsi(RTC_GSI, IRQ_LEVEL, IRQ_ACTIVE_HIGH, IRQ_SHARED, disown, NULL, "interrupt_storm", &stuck);

    if (error)
        return error;
    error = irq_request_gsi(RTC_GSI, IRQ_LEVEL, IRQ_ACTIVE_HIGH, IRQ_SHARED, handle_neighbour, &wants_service,
                            "neighbour", &neighbour);
    if (error)
        goto release_stuck;
    start_storm(status_b);
    is_good = wait_until_masked() && is_neighbour_served(&wants_service);
    end_storm(status_b);
    error = is_good ? 0 : -EIO;
    irq_release(neighbour);
release_stuck:
    irq_release(stuck);
    return error;
}

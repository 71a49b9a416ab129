/* IA-PC HPET specification 1.0a. The low half of the counter is enough: 64-bit accesses are not for every bridge. */
#include <drivers/clocks.h>

#include <acpi/tables.h>
#include <base/errno.h>
#include <debug/log.h>
#include <hw/hpet.h>
#include <irq/irq.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>
#include <time/clock.h>
#include <time/source.h>

#define RATING_CLOCK 250
#define RATING_EVENT 100
#define DOUBT_SHIFT  14 /* 61 ppm: the clock may be the TSC, measured to 50 */
#define FS_PER_S     1000000000000000ull
#define TRIES        1000u
#define TICKS_LEAST  128u /* to write a comparator and still be in time */
#define PIT_GSI      2u   /* where the PIT is wired, which nobody here uses */
#define DEAD_MAX     4u   /* inputs that the interrupt did not come through: more are not tried */

static struct hpet_registers *registers; /* [I] */
static uint64_t hz;                      /* [I] */
static unsigned comparator;              /* [I] the one events come from */
static uint32_t comparator_config;       /* [I] without its enable bit */
static struct irq *event_irq;            /* [I] */

static uint64_t read_counter(struct clock_source *source)
{
    (void)source;
    return register_read(&registers->counter);
}

static struct clock_source clock = {.name = "hpet", .read = read_counter, .mask = 0xffffffff, .rating = RATING_CLOCK};

INIT static bool does_count(void)
{
    uint32_t first = register_read(&registers->counter);

    for (unsigned i = 0; i < TRIES; i++)
        if (register_read(&registers->counter) != first)
            return true;
    return false;
}

/* Up to 32 may be claimed, of which the block holds 24. */
INIT static unsigned nr_comparators(void)
{
    unsigned claimed = (register_read(&registers->capabilities) >> 8 & 0x1f) + 1;

    return claimed < HPET_COMPARATORS_MAX ? claimed : HPET_COMPARATORS_MAX;
}

/* Silent and counting; what the firmware left armed would interrupt. */
INIT static bool start(void)
{
    uint32_t period = register_read(&registers->period);

    if (period < HPET_PERIOD_MIN_FS || period > HPET_PERIOD_MAX_FS)
        return false;
    for (unsigned n = 0; n < nr_comparators(); n++)
        register_write(&registers->comparators[n].config, 0);
    register_write(&registers->configuration,
                   (register_read(&registers->configuration) & ~HPET_LEGACY_ROUTES) | HPET_ENABLE);
    hz = FS_PER_S / period;
    return does_count();
}

INIT void hpet_init(void)
{
    struct acpi_hpet_info info;
    int error = acpi_hpet_info(&info);

    if (error == -ENOENT)
        return;
    if (!error && info.base.value % HPET_BASE_ALIGNMENT != 0) {
        log_warn("hpet: its registers are said to be at 0x%lx, which is no multiple of %u: not usable", info.base.value,
                 HPET_BASE_ALIGNMENT);
        return;
    }
    if (!error)
        registers = device_map(info.base, HPET_SIZE, MAP_WRITE | MAP_UNCACHED);
    if (!registers || !start()) {
        log_warn("hpet: not usable");
        hz = 0;
        return;
    }
    clock.frequency_hz = hz;
    clock_source_register(&clock);
}

/* An equal comparison fires: one that the counter has passed while it was written would wait for a whole turn. */
static void arm(struct event_source *source, uint64_t delay_ns)
{
    uint32_t ticks = (uint32_t)(delay_ns * hz / NS_PER_S), target;

    (void)source;
    register_write(&registers->comparators[comparator].config, comparator_config | HPET_COMPARATOR_ENABLE);
    if (ticks < TICKS_LEAST)
        ticks = TICKS_LEAST;
    for (;;) {
        target = register_read(&registers->counter) + ticks;
        register_write(&registers->comparators[comparator].value, target);
        if ((int32_t)(target - register_read(&registers->counter)) > 0 || ticks >= 1u << 30)
            return;
        ticks *= 2;
    }
}

static void disarm(struct event_source *source)
{
    (void)source;
    register_write(&registers->comparators[comparator].config, comparator_config);
}

static struct event_source event = {
    .name = "hpet", .arm = arm, .disarm = disarm, .doubt_shift = DOUBT_SHIFT, .rating = RATING_EVENT};

static enum irq_result handle_event(void *context)
{
    (void)context;
    event_fired(&event);
    return IRQ_HANDLED;
}

INIT static bool program_route(unsigned n, uint32_t gsi)
{
    comparator = n;
    comparator_config = gsi << HPET_COMPARATOR_ROUTE_SHIFT | HPET_COMPARATOR_32_BITS;
    register_write(&registers->comparators[n].config, comparator_config);
    return (register_read(&registers->comparators[n].config) >> HPET_COMPARATOR_ROUTE_SHIFT & 0x1f) == gsi;
}

/* True when the interrupt comes through. */
INIT static bool route_to(unsigned n, uint32_t gsi)
{
    static unsigned nr_dead; /* [I] boot only */

    if (nr_dead >= DEAD_MAX)
        return false;
    if (!(register_read(&registers->comparators[n].routes) >> gsi & 1) ||
        irq_request_gsi(gsi, IRQ_EDGE, IRQ_ACTIVE_HIGH, 0, handle_event, NULL, "hpet", &event_irq) != 0)
        return false;
    if (program_route(n, gsi)) {
        if (event_source_register(&event) == 0)
            return true;
        log_warn("hpet: comparator %u does not interrupt through GSI %u", n, gsi);
        nr_dead++;
    }
    irq_release(event_irq);
    return false;
}

/* The PIT's input first; high ones, behind the ISA's, are PCI's, and those it takes for itself. */
INIT static bool find_route(void)
{
    for (unsigned n = 0; n < nr_comparators(); n++) {
        if (route_to(n, PIT_GSI))
            return true;
        for (uint32_t gsi = 32; gsi-- > 16;)
            if (route_to(n, gsi))
                return true;
    }
    return false;
}

INIT void hpet_event_init(void)
{
    if (hz == 0)
        return;
    event.max_delay_ns = (uint64_t)(1u << 30) * NS_PER_S / hz;
    if (!find_route())
        log_warn("hpet: its interrupt comes through no input that is free: no timer");
}

/* ACPI 6.5 4.8.2.1: 24 or 32 bits at 3.579545 MHz. */
#include <drivers/clocks.h>

#include <acpi/fadt.h>
#include <cpu/io.h>
#include <dev/register.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>
#include <time/source.h>

#define PM_TIMER_HZ 3579545u
#define RATING      200
#define TRIES       100u

static uint16_t port;          /* [I] */
static const reg32 *in_memory; /* [I] NULL where it is at the port */

static uint64_t read_once(void)
{
    return in_memory ? register_read(in_memory) : in32(port);
}

static uint64_t mask; /* [I] */

/* True when b is not before a, on a counter that wraps. */
static bool is_in_order(uint64_t a, uint64_t b)
{
    return ((b - a) & mask) <= mask / 2;
}

/* Old chipsets (PIIX4 erratum 1) may be read while they count, and show some bits of before and some of after: a value
 * that is between its neighbours was not. */
static uint64_t read_timer(struct clock_source *source)
{
    uint64_t first = read_once(), second = read_once(), third = read_once();

    (void)source;
    for (unsigned i = 0; i < TRIES && !(is_in_order(first, second) && is_in_order(second, third)); i++) {
        first = second;
        second = third;
        third = read_once();
    }
    return second & mask;
}

static struct clock_source pm_timer = {
    .name = "acpi_pm", .read = read_timer, .frequency_hz = PM_TIMER_HZ, .rating = RATING};

INIT static bool does_count(void)
{
    uint64_t first = read_once();

    for (unsigned i = 0; i < TRIES; i++)
        if (read_once() != first)
            return true;
    return false;
}

INIT void acpi_pm_timer_init(void)
{
    const struct acpi_fixed *fixed = acpi_fixed();

    if (!fixed || fixed->pm_timer.address == 0)
        return;
    if (fixed->pm_timer.space == ACPI_SPACE_MEMORY) {
        in_memory = device_map(paddr(fixed->pm_timer.address), sizeof(*in_memory), MAP_UNCACHED);
        if (!in_memory)
            return;
    }
    port = (uint16_t)fixed->pm_timer.address;
    mask = pm_timer.mask = fixed->flags & ACPI_FADT_TMR_VAL_EXT ? 0xffffffff : 0xffffff;
    if (does_count())
        clock_source_register(&pm_timer);
}

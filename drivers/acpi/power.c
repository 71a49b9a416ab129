/* Leaving the machine through ACPI: power-off (ACPI 6.5 7.4.2, 4.8.3.2.1 and, for hardware-reduced machines, 4.8.3.7)
 * and the reset register (4.8.3.6). The registers are mapped at boot, so that a kernel that is dying can use them.
 *
 * \_PTS, which some firmware wants to be told first, is not run: there is no interpreter. */
#include "power.h"

#include <acpi/fadt.h>
#include <acpi/tables.h>
#include <base/errno.h>
#include <cpu/io.h>
#include <cpu/reset.h>
#include <debug/log.h>
#include <dev/register.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

#include "aml.h"

#define WAIT_READS 1000000 /* a port read takes about a microsecond */
#define DELAY_PORT 0x80

/* One register, ready for use; is_there false: none. */
struct control {
    bool is_there;
    uint16_t port;
    void *at; /* NULL: a port */
};

static struct control pm1a, pm1b, sleep, reset; /* [I] after acpi_power_init */
static uint8_t s5_type_a, s5_type_b;            /* [I] */
static bool has_s5;                             /* [I] */

INIT static struct control prepare(const struct acpi_register *from)
{
    if (from->address == 0)
        return (struct control){0};
    if (from->space == ACPI_SPACE_IO)
        return (struct control){true, (uint16_t)from->address, NULL};
    void *at = device_map(paddr(from->address), from->width_bits / 8, MAP_WRITE | MAP_UNCACHED);
    return (struct control){at != NULL, 0, at};
}

static uint16_t read16(const struct control *control)
{
    return control->at ? register_read16(control->at) : in16(control->port);
}

static void write16(const struct control *control, uint16_t value)
{
    if (control->at)
        register_write16(control->at, value);
    else
        out16(control->port, value);
}

static void write8(const struct control *control, uint8_t value)
{
    if (control->at)
        register_write8(control->at, value);
    else
        out8(control->port, value);
}

static void wait_for_the_end(void)
{
    for (int i = 0; i < WAIT_READS; i++)
        (void)in8(DELAY_PORT);
}

/* The firmware may still have the power management registers: ACPI 6.5 4.8.2.5. */
static void take_over(const struct acpi_fixed *fixed)
{
    if (fixed->smi_command_port == 0 || fixed->acpi_enable == 0 || (read16(&pm1a) & ACPI_PM1_SCI_EN))
        return;
    out8(fixed->smi_command_port, fixed->acpi_enable);
    for (int i = 0; i < WAIT_READS && !(read16(&pm1a) & ACPI_PM1_SCI_EN); i++)
        ;
}

static uint16_t sleep_value(const struct control *control, uint8_t type)
{
    uint16_t value = read16(control) & (uint16_t) ~(ACPI_PM1_SLP_TYP_MASK | ACPI_PM1_SLP_EN);

    return (uint16_t)(value | (uint16_t)(type << ACPI_PM1_SLP_TYP_SHIFT));
}

static int power_off(void)
{
    const struct acpi_fixed *fixed = acpi_fixed();

    if (!fixed || !has_s5 || (!pm1a.is_there && !sleep.is_there))
        return -ENODEV;
    if (sleep.is_there) {
        write8(&sleep, (uint8_t)(s5_type_a << ACPI_SLEEP_SLP_TYP_SHIFT | ACPI_SLEEP_SLP_EN));
        wait_for_the_end();
        return -EIO;
    }
    take_over(fixed);
    uint16_t a = sleep_value(&pm1a, s5_type_a), b = pm1b.is_there ? sleep_value(&pm1b, s5_type_b) : 0;
    write16(&pm1a, a);
    if (pm1b.is_there)
        write16(&pm1b, b);
    write16(&pm1a, a | ACPI_PM1_SLP_EN);
    if (pm1b.is_there)
        write16(&pm1b, b | ACPI_PM1_SLP_EN);
    wait_for_the_end();
    return -EIO;
}

static void reset_by_register(void)
{
    if (!reset.is_there)
        return;
    write8(&reset, acpi_fixed()->reset_value);
    for (int i = 0; i < WAIT_READS / 100; i++)
        (void)in8(DELAY_PORT);
}

/* The DSDT is read first, then the SSDTs as listed. */
INIT static int find_s5(void)
{
    static const char *const signatures[] = {ACPI_DSDT, ACPI_SSDT};
    const struct acpi_header *table;
    int result = -ENOENT;

    for (unsigned i = 0; i < ARRAY_SIZE(signatures); i++)
        for (unsigned n = 0; result != 0 && (table = acpi_find_table(signatures[i], n)); n++) {
            int found = aml_find_s5((const uint8_t *)(table + 1), table->length - (uint32_t)sizeof(*table), &s5_type_a,
                                    &s5_type_b);
            if (found != -ENOENT)
                result = found;
        }
    return result;
}

INIT void acpi_power_init(void)
{
    const struct acpi_fixed *fixed = acpi_fixed();

    if (!fixed)
        return;
    pm1a = prepare(&fixed->pm1a_control);
    pm1b = prepare(&fixed->pm1b_control);
    sleep = prepare(&fixed->sleep_control);
    reset = prepare(&fixed->reset);
    int error = find_s5();
    has_s5 = error == 0;
    if (!has_s5)
        log_warn("acpi: no power-off: %s",
                 error == -ENOENT ? "the firmware does not define \\_S5" : "\\_S5 is not a package of constants");
    machine_set_power_off(power_off);
    machine_set_reset(reset_by_register);
}

bool acpi_sleep_types(uint8_t *type_a, uint8_t *type_b)
{
    *type_a = s5_type_a;
    *type_b = s5_type_b;
    return has_s5;
}

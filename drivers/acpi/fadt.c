/* The fixed description table in one form. Each revision is longer than the last; what a table is too short for reads
 * as 0, and means what it meant before there was such a field. */
#include <acpi/fadt.h>

#include <base/errno.h>
#include <lib/string.h>

#define REVISION_WITH_BOOT_ARCH 3
#define IO_SPACE_END            0x10000u

static bool is_reachable(const struct acpi_gas *gas, uint8_t width_bits)
{
    uint64_t bytes = width_bits / 8;

    if (gas->address == 0)
        return false;
    if (gas->space == ACPI_SPACE_IO)
        return gas->address <= IO_SPACE_END - bytes;
    return gas->space == ACPI_SPACE_MEMORY && gas->address <= UINT64_MAX - bytes;
}

static struct acpi_register decode_gas(const struct acpi_gas *gas, uint8_t width_bits)
{
    if (!is_reachable(gas, width_bits))
        return (struct acpi_register){0};
    return (struct acpi_register){(enum acpi_space)gas->space, gas->address, width_bits};
}

/* The 64-bit form where it is usable, else the port of old. */
static struct acpi_register decode_block(const struct acpi_gas *gas, uint32_t port, uint8_t width_bits)
{
    const struct acpi_gas old = {.space = ACPI_SPACE_IO, .address = port};

    return decode_gas(is_reachable(gas, width_bits) ? gas : &old, width_bits);
}

static void decode_blocks(const struct acpi_fadt *fadt, struct acpi_fixed *fixed)
{
    fixed->pm1a_control = decode_block(&fadt->x_pm1a_cnt_blk, fadt->pm1a_cnt_blk, 16);
    fixed->pm1b_control = decode_block(&fadt->x_pm1b_cnt_blk, fadt->pm1b_cnt_blk, 16);
    fixed->pm_timer = decode_block(&fadt->x_pm_tmr_blk, fadt->pm_tmr_blk, 32);
    if (fadt->flags & ACPI_FADT_HW_REDUCED_ACPI) {
        fixed->sleep_control = decode_gas(&fadt->sleep_control_reg, 8);
        fixed->sleep_status = decode_gas(&fadt->sleep_status_reg, 8);
    }
    if (fadt->flags & ACPI_FADT_RESET_REG_SUP)
        fixed->reset = decode_gas(&fadt->reset_reg, 8);
}

int acpi_fadt_decode(const struct acpi_header *table, struct acpi_fixed *fixed)
{
    struct acpi_fadt fadt = {0};

    if (table->length < ACPI_FADT_V1_SIZE)
        return -EBADMSG;
    memcpy(&fadt, table, table->length < sizeof(fadt) ? table->length : sizeof(fadt));
    bool tells_boot_arch = fadt.header.revision >= REVISION_WITH_BOOT_ARCH;

    *fixed = (struct acpi_fixed){
        .revision = fadt.header.revision,
        .flags = fadt.flags,
        .sci_irq = fadt.sci_int,
        .smi_command_port = fadt.smi_cmd < IO_SPACE_END ? (uint16_t)fadt.smi_cmd : 0,
        .acpi_enable = fadt.acpi_enable,
        .reset_value = fadt.reset_value,
        .rtc_century = fadt.century,
        .has_8042 = !tells_boot_arch || (fadt.iapc_boot_arch & ACPI_BOOT_ARCH_8042),
        .has_cmos_rtc = !(tells_boot_arch && (fadt.iapc_boot_arch & ACPI_BOOT_ARCH_NO_CMOS_RTC)),
        .may_use_msi = !(tells_boot_arch && (fadt.iapc_boot_arch & ACPI_BOOT_ARCH_NO_MSI)),
        .dsdt = paddr(fadt.x_dsdt ? fadt.x_dsdt : fadt.dsdt),
    };
    decode_blocks(&fadt, fixed);
    return 0;
}

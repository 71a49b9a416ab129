/* Single tables: MADT, FADT and MCFG, right, short and nonsense. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <acpi/fadt.h>
#include <acpi/madt.h>
#include <acpi/tables.h>
#include <base/errno.h>

#include "support/acpi_builder.h"

/* A copy of exactly the table's size, so that a read past its end is found. */
static struct acpi_header *table_of(const void *body, size_t length)
{
    struct acpi_header *header = calloc(1, sizeof(*header) + length);

    header->length = (uint32_t)(sizeof(*header) + length);
    memcpy(header + 1, body, length);
    return header;
}

static const uint8_t madt_body[] = {
    0x00, 0x00, 0xe0, 0xfe, 1,  0, 0,    0,                   /* LAPICs at 0xfee00000, 8259s */
    0,    8,    0,    3,    1,  0, 0,    0,                   /* LAPIC 3 */
    77,   5,    1,    2,    3,                                /* unknown */
    1,    12,   9,    0,    0,  0, 0xc0, 0xfe, 24,   0, 0, 0, /* IOAPIC */
    2,    9,    0,    0,    2,  0, 0,    0,    0,             /* an override one byte short */
    2,    10,   0,    9,    20, 0, 0,    0,    0x0d, 0,       /* a whole one */
    5,    12,   0,    0,    0,  0, 0,    0,    2,    0, 0, 0, /* LAPICs at 0x200000000 */
};

static void steps_through_a_madt(void **state)
{
    struct acpi_header *madt = table_of(madt_body, sizeof(madt_body));
    union acpi_madt_entry entry;
    uint32_t at = 0;

    assert_true(acpi_madt_next(madt, &at, &entry));
    assert_int_equal(entry.header.type, ACPI_MADT_LAPIC);
    assert_int_equal(entry.lapic.apic_id, 3);
    assert_true(acpi_madt_next(madt, &at, &entry));
    assert_int_equal(entry.ioapic.address, 0xfec00000);
    assert_int_equal(entry.ioapic.gsi_base, 24);
    assert_true(acpi_madt_next(madt, &at, &entry));
    assert_int_equal(entry.override.source, 9);
    assert_int_equal(entry.override.gsi, 20);
    assert_int_equal(entry.override.flags & ACPI_MPS_TRIGGER_MASK, ACPI_MPS_LEVEL);
    assert_true(acpi_madt_next(madt, &at, &entry));
    assert_false(acpi_madt_next(madt, &at, &entry));
    assert_false(acpi_madt_next(madt, &at, &entry));
    assert_int_equal(acpi_madt_lapic_base(madt), 0x200000000);
    assert_int_equal(acpi_madt_flags(madt), ACPI_MADT_PCAT_COMPAT);
    free(madt);
}

/* Cut anywhere, and with any byte of it any value, the walk ends within the table. */
static void survives_every_cut_and_byte(void **state)
{
    union acpi_madt_entry entry;

    for (size_t length = 0; length <= sizeof(madt_body); length++)
        for (unsigned value = 0; value < 256; value++) {
            struct acpi_header *madt = table_of(madt_body, length);

            if (length > 0)
                ((uint8_t *)(madt + 1))[length / 2] = (uint8_t)value;
            for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);)
                assert_in_range(at, sizeof(*madt), madt->length);
            (void)acpi_madt_lapic_base(madt);
            (void)acpi_madt_flags(madt);
            free(madt);
        }
}

static int decode(const struct acpi_fadt *fadt, uint8_t revision, size_t length, struct acpi_fixed *fixed)
{
    struct acpi_header *table = table_of(&fadt->header + 1, length - sizeof(fadt->header));
    int error;

    table->revision = revision;
    error = acpi_fadt_decode(table, fixed);
    free(table);
    return error;
}

static void an_old_fadt_has_ports(void **state)
{
    const struct acpi_fadt fadt = {.pm1a_cnt_blk = 0x604,
                                   .pm_tmr_blk = 0x608,
                                   .smi_cmd = 0xb2,
                                   .acpi_enable = 2,
                                   .dsdt = 0x1000,
                                   .sci_int = 9,
                                   .reset_reg = {ACPI_SPACE_IO, 8, 0, 1, 0xcf9},
                                   .iapc_boot_arch = 0};
    struct acpi_fixed fixed;

    assert_int_equal(decode(&fadt, 1, ACPI_FADT_V1_SIZE - 1, &fixed), -EBADMSG);
    assert_int_equal(decode(&fadt, 1, ACPI_FADT_V1_SIZE, &fixed), 0);
    assert_int_equal(fixed.pm1a_control.space, ACPI_SPACE_IO);
    assert_int_equal(fixed.pm1a_control.address, 0x604);
    assert_int_equal(fixed.pm1b_control.address, 0);
    assert_int_equal(fixed.pm_timer.address, 0x608);
    assert_int_equal(fixed.reset.address, 0);
    assert_int_equal(fixed.smi_command_port, 0xb2);
    assert_int_equal(fixed.dsdt.value, 0x1000);
    assert_true(fixed.has_8042 && fixed.has_cmos_rtc && fixed.may_use_msi);
}

static void a_new_fadt_has_addresses(void **state)
{
    struct acpi_fadt fadt = {.pm1a_cnt_blk = 0x604,
                             .dsdt = 0x1000,
                             .x_dsdt = 0x100000000,
                             .flags = ACPI_FADT_RESET_REG_SUP | ACPI_FADT_TMR_VAL_EXT,
                             .reset_value = 15,
                             .reset_reg = {ACPI_SPACE_IO, 8, 0, 1, 0xcf9},
                             .x_pm1a_cnt_blk = {ACPI_SPACE_MEMORY, 16, 0, 2, 0xfed00000},
                             .x_pm_tmr_blk = {ACPI_SPACE_IO, 32, 0, 3, 0xfffd}, /* its last byte is no port */
                             .pm_tmr_blk = 0x608,
                             .sleep_control_reg = {ACPI_SPACE_MEMORY, 8, 0, 1, 0xfe00}};
    struct acpi_fixed fixed;

    assert_int_equal(decode(&fadt, 6, sizeof(fadt), &fixed), 0);
    assert_int_equal(fixed.pm1a_control.space, ACPI_SPACE_MEMORY);
    assert_int_equal(fixed.pm1a_control.address, 0xfed00000);
    assert_int_equal(fixed.pm_timer.address, 0x608);
    assert_int_equal(fixed.dsdt.value, 0x100000000);
    assert_int_equal(fixed.reset.address, 0xcf9);
    assert_int_equal(fixed.reset_value, 15);
    assert_int_equal(fixed.sleep_control.address, 0);
    assert_false(fixed.has_8042);
    fadt.flags = ACPI_FADT_HW_REDUCED_ACPI;
    fadt.reset_reg.space = 0x7f;
    assert_int_equal(decode(&fadt, 6, sizeof(fadt), &fixed), 0);
    assert_int_equal(fixed.sleep_control.address, 0xfe00);
    assert_int_equal(fixed.reset.address, 0);
}

static void passes_over_odd_allocations(void **state)
{
    const struct {
        uint64_t reserved;
        struct acpi_mcfg_entry entries[5];
    } body = {0,
              {{0xb0000000, 0, 0, 255, 0},
               {0xb0000000, 1, 9, 8, 0},
               {0xb0000001, 2, 0, 1, 0},
               {UINT64_MAX - 4095, 3, 0, 255, 0},
               {0xc0000000, 4, 7, 7, 0}}};
    struct acpi_mcfg_entry entry;

    for (size_t length = 0; length <= sizeof(body); length++) {
        struct acpi_header *mcfg = table_of(&body, length);
        uint32_t at = 0;
        unsigned n = 0;

        for (; acpi_mcfg_next(mcfg, &at, &entry); n++)
            assert_int_equal(entry.segment, n == 0 ? 0 : 4);
        assert_int_equal(n, length == sizeof(body) ? 2 : length >= 8 + sizeof(entry));
        free(mcfg);
    }
}

static void a_firmware_may_opt_out_of_x2apic(void **state)
{
    for (uint8_t flags = 0; flags < 8; flags++) {
        const uint8_t body[] = {38, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

        for (size_t length = 0; length <= sizeof(body); length++) {
            struct acpi_header *dmar = table_of(body, length);

            assert_int_equal(acpi_dmar_forbids_x2apic(dmar), length == sizeof(body) && (flags & 3) == 3);
            free(dmar);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_through_a_madt),        cmocka_unit_test(survives_every_cut_and_byte),
        cmocka_unit_test(an_old_fadt_has_ports),       cmocka_unit_test(a_new_fadt_has_addresses),
        cmocka_unit_test(passes_over_odd_allocations), cmocka_unit_test(a_firmware_may_opt_out_of_x2apic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

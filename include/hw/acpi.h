/* ACPI system description tables (ACPI 6.5 5.2). Wire formats only: little-endian, unaligned, every byte hostile. */
#pragma once

#include <base/assert.h>
#include <base/compiler.h>
#include <base/types.h>

#define ACPI_SIGNATURE_SIZE 4u

#define ACPI_RSDT "RSDT" /* after the header: physical addresses of 32 bits */
#define ACPI_XSDT "XSDT" /* of 64 bits */
#define ACPI_FADT "FACP"
#define ACPI_MADT "APIC"
#define ACPI_HPET "HPET"
#define ACPI_MCFG "MCFG"
#define ACPI_DMAR "DMAR"
#define ACPI_DSDT "DSDT" /* after the header: AML */
#define ACPI_SSDT "SSDT" /* more AML */

/* Begins every table; `checksum` makes all `length` bytes sum to 0 (ACPI 6.5 5.2.6). */
struct PACKED acpi_header {
    char signature[ACPI_SIGNATURE_SIZE];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};
static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, length) == 4, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, revision) == 8, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, checksum) == 9, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, oem_id) == 10, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, oem_table_id) == 16, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, oem_revision) == 24, "ACPI 6.5 5.2.6");
static_assert(offsetof(struct acpi_header, creator_id) == 28, "ACPI 6.5 5.2.6");

/* Generic address structure (ACPI 6.5 5.2.3.2). */
struct PACKED acpi_gas {
    uint8_t space; /* enum acpi_space */
    uint8_t bit_width, bit_offset;
    uint8_t access_size; /* 0 undefined, 1 byte, 2 word, 3 dword, 4 qword */
    uint64_t address;
};
static_assert(sizeof(struct acpi_gas) == 12, "ACPI 6.5 5.2.3.2");
static_assert(offsetof(struct acpi_gas, bit_width) == 1, "ACPI 6.5 5.2.3.2");
static_assert(offsetof(struct acpi_gas, bit_offset) == 2, "ACPI 6.5 5.2.3.2");
static_assert(offsetof(struct acpi_gas, access_size) == 3, "ACPI 6.5 5.2.3.2");
static_assert(offsetof(struct acpi_gas, address) == 4, "ACPI 6.5 5.2.3.2");

enum acpi_space { ACPI_SPACE_MEMORY, ACPI_SPACE_IO, ACPI_SPACE_PCI_CONFIG };

/* Fixed ACPI description table (ACPI 6.5 5.2.9). ACPI 1.0's ends behind `flags`. */
struct PACKED acpi_fadt {
    struct acpi_header header;
    uint32_t firmware_ctrl, dsdt;
    uint8_t reserved_44, preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    uint32_t pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk, pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
    uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alrm, mon_alrm, century;
    uint16_t iapc_boot_arch;
    uint8_t reserved_111;
    uint32_t flags;
    struct acpi_gas reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_firmware_ctrl, x_dsdt;
    struct acpi_gas x_pm1a_evt_blk, x_pm1b_evt_blk, x_pm1a_cnt_blk, x_pm1b_cnt_blk, x_pm2_cnt_blk, x_pm_tmr_blk,
        x_gpe0_blk, x_gpe1_blk;
    struct acpi_gas sleep_control_reg, sleep_status_reg;
    uint64_t hypervisor_vendor;
};
static_assert(offsetof(struct acpi_fadt, pm_tmr_blk) == 76, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, iapc_boot_arch) == 109, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, reset_reg) == 116, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, x_pm_tmr_blk) == 208, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, sleep_control_reg) == 244, "ACPI 6.5 table 5.9");
static_assert(sizeof(struct acpi_fadt) == 276, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, dsdt) == 40, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, sci_int) == 46, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, smi_cmd) == 48, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, acpi_enable) == 52, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, pm1a_evt_blk) == 56, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, pm1a_cnt_blk) == 64, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, pm1b_cnt_blk) == 68, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, pm1_evt_len) == 88, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, pm1_cnt_len) == 89, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, pm_tmr_len) == 91, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, century) == 108, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, flags) == 112, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, reset_value) == 128, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, x_firmware_ctrl) == 132, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, x_pm1a_evt_blk) == 148, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, x_pm1a_cnt_blk) == 172, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, x_pm1b_cnt_blk) == 184, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, sleep_status_reg) == 256, "ACPI 6.5 table 5.9");
static_assert(offsetof(struct acpi_fadt, hypervisor_vendor) == 268, "ACPI 6.5 table 5.9");

#define ACPI_FADT_V1_SIZE 116u /* up to and with flags */

/* flags, ACPI 6.5 table 5.10 */
#define ACPI_FADT_TMR_VAL_EXT     (1u << 8) /* the PM timer has 32 bits, not 24 */
#define ACPI_FADT_RESET_REG_SUP   (1u << 10)
#define ACPI_FADT_HW_REDUCED_ACPI (1u << 20)

/* iapc_boot_arch, ACPI 6.5 table 5.11; meaningful from FADT revision 3 on */
#define ACPI_BOOT_ARCH_8042        (1u << 1)
#define ACPI_BOOT_ARCH_NO_MSI      (1u << 3)
#define ACPI_BOOT_ARCH_NO_CMOS_RTC (1u << 5)

/* PM1 control (ACPI 6.5 4.8.3.2.1) */
#define ACPI_PM1_SCI_EN        (1u << 0)
#define ACPI_PM1_SLP_TYP_SHIFT 10u
#define ACPI_PM1_SLP_TYP_MASK  (7u << ACPI_PM1_SLP_TYP_SHIFT)
#define ACPI_PM1_SLP_EN        (1u << 13)

/* Sleep control (ACPI 6.5 4.8.3.7), where HW_REDUCED_ACPI is set */
#define ACPI_SLEEP_SLP_TYP_SHIFT 2u
#define ACPI_SLEEP_SLP_EN        (1u << 5)

/* Multiple APIC description table (ACPI 6.5 5.2.12): entries of type, length and the type's own bytes follow. */
struct PACKED acpi_madt {
    struct acpi_header header;
    uint32_t lapic_address;
    uint32_t flags;
};
static_assert(sizeof(struct acpi_madt) == 44, "ACPI 6.5 5.2.12");
static_assert(offsetof(struct acpi_madt, lapic_address) == 36, "ACPI 6.5 5.2.12");
static_assert(offsetof(struct acpi_madt, flags) == 40, "ACPI 6.5 5.2.12");

#define ACPI_MADT_PCAT_COMPAT (1u << 0) /* there are 8259s as well */

enum acpi_madt_type {
    ACPI_MADT_LAPIC = 0,
    ACPI_MADT_IOAPIC = 1,
    ACPI_MADT_OVERRIDE = 2,
    ACPI_MADT_NMI_SOURCE = 3,
    ACPI_MADT_LAPIC_NMI = 4,
    ACPI_MADT_LAPIC_ADDRESS = 5,
    ACPI_MADT_X2APIC = 9,
    ACPI_MADT_X2APIC_NMI = 10,
};

struct PACKED acpi_madt_entry_header {
    uint8_t type; /* enum acpi_madt_type */
    uint8_t length;
};
static_assert(sizeof(struct acpi_madt_entry_header) == 2, "ACPI 6.5 5.2.12");

struct PACKED acpi_madt_lapic {
    struct acpi_madt_entry_header header;
    uint8_t processor_uid, apic_id;
    uint32_t flags;
};
static_assert(sizeof(struct acpi_madt_lapic) == 8, "ACPI 6.5 5.2.12.2");
static_assert(offsetof(struct acpi_madt_lapic, processor_uid) == 2, "ACPI 6.5 5.2.12.2");
static_assert(offsetof(struct acpi_madt_lapic, apic_id) == 3, "ACPI 6.5 5.2.12.2");
static_assert(offsetof(struct acpi_madt_lapic, flags) == 4, "ACPI 6.5 5.2.12.2");

#define ACPI_MADT_CPU_ENABLED        (1u << 0)
#define ACPI_MADT_CPU_ONLINE_CAPABLE (1u << 1)

struct PACKED acpi_madt_ioapic {
    struct acpi_madt_entry_header header;
    uint8_t id, reserved;
    uint32_t address, gsi_base;
};
static_assert(sizeof(struct acpi_madt_ioapic) == 12, "ACPI 6.5 5.2.12.3");
static_assert(offsetof(struct acpi_madt_ioapic, id) == 2, "ACPI 6.5 5.2.12.3");
static_assert(offsetof(struct acpi_madt_ioapic, address) == 4, "ACPI 6.5 5.2.12.3");
static_assert(offsetof(struct acpi_madt_ioapic, gsi_base) == 8, "ACPI 6.5 5.2.12.3");

struct PACKED acpi_madt_override {
    struct acpi_madt_entry_header header;
    uint8_t bus, source; /* bus 0: ISA; its interrupt */
    uint32_t gsi;
    uint16_t flags; /* ACPI_MPS_* */
};
static_assert(sizeof(struct acpi_madt_override) == 10, "ACPI 6.5 5.2.12.5");
static_assert(offsetof(struct acpi_madt_override, bus) == 2, "ACPI 6.5 5.2.12.5");
static_assert(offsetof(struct acpi_madt_override, source) == 3, "ACPI 6.5 5.2.12.5");
static_assert(offsetof(struct acpi_madt_override, gsi) == 4, "ACPI 6.5 5.2.12.5");
static_assert(offsetof(struct acpi_madt_override, flags) == 8, "ACPI 6.5 5.2.12.5");

/* MPS INTI flags, ACPI 6.5 table 5.26; 0 in either field: as the bus has it */
#define ACPI_MPS_POLARITY_MASK 0x3u
#define ACPI_MPS_ACTIVE_HIGH   0x1u
#define ACPI_MPS_ACTIVE_LOW    0x3u
#define ACPI_MPS_TRIGGER_MASK  0xcu
#define ACPI_MPS_EDGE          0x4u
#define ACPI_MPS_LEVEL         0xcu

struct PACKED acpi_madt_nmi_source {
    struct acpi_madt_entry_header header;
    uint16_t flags;
    uint32_t gsi;
};
static_assert(sizeof(struct acpi_madt_nmi_source) == 8, "ACPI 6.5 5.2.12.6");
static_assert(offsetof(struct acpi_madt_nmi_source, flags) == 2, "ACPI 6.5 5.2.12.6");
static_assert(offsetof(struct acpi_madt_nmi_source, gsi) == 4, "ACPI 6.5 5.2.12.6");

struct PACKED acpi_madt_lapic_nmi {
    struct acpi_madt_entry_header header;
    uint8_t processor_uid; /* 0xff: all */
    uint16_t flags;
    uint8_t lint;
};
static_assert(sizeof(struct acpi_madt_lapic_nmi) == 6, "ACPI 6.5 5.2.12.7");
static_assert(offsetof(struct acpi_madt_lapic_nmi, processor_uid) == 2, "ACPI 6.5 5.2.12.7");
static_assert(offsetof(struct acpi_madt_lapic_nmi, flags) == 3, "ACPI 6.5 5.2.12.7");
static_assert(offsetof(struct acpi_madt_lapic_nmi, lint) == 5, "ACPI 6.5 5.2.12.7");

struct PACKED acpi_madt_lapic_address {
    struct acpi_madt_entry_header header;
    uint16_t reserved;
    uint64_t address;
};
static_assert(sizeof(struct acpi_madt_lapic_address) == 12, "ACPI 6.5 5.2.12.8");
static_assert(offsetof(struct acpi_madt_lapic_address, address) == 4, "ACPI 6.5 5.2.12.8");

struct PACKED acpi_madt_x2apic {
    struct acpi_madt_entry_header header;
    uint16_t reserved;
    uint32_t apic_id, flags, processor_uid;
};
static_assert(sizeof(struct acpi_madt_x2apic) == 16, "ACPI 6.5 5.2.12.12");
static_assert(offsetof(struct acpi_madt_x2apic, apic_id) == 4, "ACPI 6.5 5.2.12.12");
static_assert(offsetof(struct acpi_madt_x2apic, flags) == 8, "ACPI 6.5 5.2.12.12");
static_assert(offsetof(struct acpi_madt_x2apic, processor_uid) == 12, "ACPI 6.5 5.2.12.12");

struct PACKED acpi_madt_x2apic_nmi {
    struct acpi_madt_entry_header header;
    uint16_t flags;
    uint32_t processor_uid; /* 0xffffffff: all */
    uint8_t lint;
    uint8_t reserved[3];
};
static_assert(sizeof(struct acpi_madt_x2apic_nmi) == 12, "ACPI 6.5 5.2.12.13");
static_assert(offsetof(struct acpi_madt_x2apic_nmi, flags) == 2, "ACPI 6.5 5.2.12.13");
static_assert(offsetof(struct acpi_madt_x2apic_nmi, processor_uid) == 4, "ACPI 6.5 5.2.12.13");
static_assert(offsetof(struct acpi_madt_x2apic_nmi, lint) == 8, "ACPI 6.5 5.2.12.13");

/* IA-PC High Precision Event Timer table (HPET specification 1.0a, 3.2.4). */
struct PACKED acpi_hpet_table {
    struct acpi_header header;
    uint32_t block_id;
    struct acpi_gas base;
    uint8_t number;
    uint16_t min_tick;
    uint8_t page_protection;
};
static_assert(sizeof(struct acpi_hpet_table) == 56, "HPET 1.0a 3.2.4");
static_assert(offsetof(struct acpi_hpet_table, block_id) == 36, "HPET 1.0a 3.2.4");
static_assert(offsetof(struct acpi_hpet_table, base) == 40, "HPET 1.0a 3.2.4");
static_assert(offsetof(struct acpi_hpet_table, number) == 52, "HPET 1.0a 3.2.4");
static_assert(offsetof(struct acpi_hpet_table, min_tick) == 53, "HPET 1.0a 3.2.4");

/* DMA remapping (Intel VT-d 4.0, 8.1): structures follow. */
struct PACKED acpi_dmar {
    struct acpi_header header;
    uint8_t address_width;
    uint8_t flags; /* ACPI_DMAR_... */
    uint8_t reserved[10];
};
static_assert(sizeof(struct acpi_dmar) == 48, "VT-d 4.0 8.1");
static_assert(offsetof(struct acpi_dmar, address_width) == 36, "VT-d 4.0 8.1");
static_assert(offsetof(struct acpi_dmar, flags) == 37, "VT-d 4.0 8.1");

#define ACPI_DMAR_INTR_REMAP     0x01
#define ACPI_DMAR_X2APIC_OPT_OUT 0x02 /* valid where that is set */

/* Memory mapped configuration space (PCI Firmware 3.3, 4.1.2): entries follow. */
struct PACKED acpi_mcfg {
    struct acpi_header header;
    uint64_t reserved;
};
static_assert(sizeof(struct acpi_mcfg) == 44, "PCI Firmware 3.3 4.1.2");

struct PACKED acpi_mcfg_entry {
    uint64_t base; /* of bus 0's space, also where first_bus is not 0 */
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
static_assert(sizeof(struct acpi_mcfg_entry) == 16, "PCI Firmware 3.3 4.1.2");
static_assert(offsetof(struct acpi_mcfg_entry, segment) == 8, "PCI Firmware 3.3 4.1.2");
static_assert(offsetof(struct acpi_mcfg_entry, first_bus) == 10, "PCI Firmware 3.3 4.1.2");
static_assert(offsetof(struct acpi_mcfg_entry, last_bus) == 11, "PCI Firmware 3.3 4.1.2");

/* PCI configuration space: offsets and bits (PCI Local Bus 3.0 chapter 6, PCI-to-PCI Bridge 1.2 chapter 3, PCI Express
 * Base 6.0 chapter 7). Formats only. */
#pragma once

#include <base/assert.h>
#include <base/types.h>
#include <dev/register.h>

#define PCI_CONFIG_BYTES         256u
#define PCI_EXPRESS_CONFIG_BYTES 4096u
#define PCI_NR_SLOTS             32u
#define PCI_NR_FUNCTIONS         8u

#define PCI_VENDOR_ID        0x00
#define PCI_DEVICE_ID        0x02
#define PCI_COMMAND          0x04
#define PCI_STATUS           0x06
#define PCI_REVISION         0x08 /* class code in the three bytes above it */
#define PCI_HEADER_TYPE      0x0e
#define PCI_BAR0             0x10
#define PCI_SUBSYSTEM_VENDOR 0x2c
#define PCI_SUBSYSTEM_ID     0x2e
#define PCI_ROM              0x30
#define PCI_CAPABILITIES     0x34
#define PCI_INTERRUPT_LINE   0x3c
#define PCI_INTERRUPT_PIN    0x3d

#define PCI_NO_VENDOR 0xffffu
#define PCI_NOT_READY 0x0001u /* PCI Express 6.0 2.3.1: the function has been reset and asks for time */

#define PCI_COMMAND_IO           (1u << 0)
#define PCI_COMMAND_MEMORY       (1u << 1)
#define PCI_COMMAND_MASTER       (1u << 2)
#define PCI_COMMAND_INTX_DISABLE (1u << 10)
#define PCI_STATUS_CAPABILITIES  (1u << 4)

#define PCI_HEADER_TYPE_MASK     0x7fu
#define PCI_HEADER_MULTIFUNCTION 0x80u
#define PCI_HEADER_DEVICE        0u
#define PCI_HEADER_BRIDGE        1u

#define PCI_BAR_IO           (1u << 0)
#define PCI_BAR_TYPE_MASK    (3u << 1)
#define PCI_BAR_TYPE_64      (2u << 1)
#define PCI_BAR_PREFETCHABLE (1u << 3)
#define PCI_BAR_IO_FLAGS     3u
#define PCI_BAR_MEMORY_FLAGS 15u
#define PCI_ROM_ENABLE       1u

/* Bridges */
#define PCI_PRIMARY_BUS                 0x18
#define PCI_SECONDARY_BUS               0x19
#define PCI_SUBORDINATE_BUS             0x1a
#define PCI_BRIDGE_IO_BASE              0x1c
#define PCI_BRIDGE_IO_LIMIT             0x1d
#define PCI_BRIDGE_MEMORY_BASE          0x20
#define PCI_BRIDGE_MEMORY_LIMIT         0x22
#define PCI_BRIDGE_PREFETCH_BASE        0x24
#define PCI_BRIDGE_PREFETCH_LIMIT       0x26
#define PCI_BRIDGE_PREFETCH_BASE_UPPER  0x28
#define PCI_BRIDGE_PREFETCH_LIMIT_UPPER 0x2c
#define PCI_BRIDGE_IO_BASE_UPPER        0x30
#define PCI_BRIDGE_IO_LIMIT_UPPER       0x32
#define PCI_BRIDGE_ROM                  0x38
#define PCI_BRIDGE_WIDE                 1u /* in the low bits of an I/O or prefetchable base: the upper registers exist */

/* Capabilities */
#define PCI_CAPABILITY_FIRST   0x40 /* the list lies behind the header */
#define PCI_CAPABILITY_MSI     0x05
#define PCI_CAPABILITY_VENDOR  0x09
#define PCI_CAPABILITY_EXPRESS 0x10
#define PCI_CAPABILITY_MSIX    0x11
#define PCI_EXTENDED_FIRST     0x100

/* The PCI Express capability, PCI Express 6.0 7.5.3 */
#define PCI_EXPRESS_CAPABILITIES          2
#define PCI_EXPRESS_TYPE(capabilities)    ((capabilities) >> 4 & 0xfu)
#define PCI_EXPRESS_ROOT_PORT             4u
#define PCI_EXPRESS_DOWNSTREAM_PORT       6u
#define PCI_EXPRESS_HAS_SLOT              (1u << 8)
#define PCI_EXPRESS_MESSAGE(capabilities) ((capabilities) >> 9 & 0x1fu) /* the vector of the port's own events */

#define PCI_EXPRESS_LINK_CAPABILITIES 0x0c
#define PCI_LINK_REPORTS_ACTIVE       (1u << 20)
#define PCI_EXPRESS_LINK_STATUS       0x12
#define PCI_LINK_ACTIVE               (1u << 13)

#define PCI_EXPRESS_SLOT_CAPABILITIES 0x14
#define PCI_SLOT_HAS_BUTTON           (1u << 0)
#define PCI_SLOT_HAS_POWER            (1u << 1)
#define PCI_SLOT_HAS_ATTENTION        (1u << 3) /* indicator */
#define PCI_SLOT_HAS_INDICATOR        (1u << 4) /* of its power */
#define PCI_SLOT_MAY_SURPRISE         (1u << 5)
#define PCI_SLOT_IS_HOTPLUG           (1u << 6)
#define PCI_SLOT_IS_SILENT            (1u << 18) /* does not say when a command is completed */
#define PCI_SLOT_NUMBER(capabilities) ((capabilities) >> 19 & 0x1fffu)

#define PCI_EXPRESS_SLOT_CONTROL    0x18
#define PCI_SLOT_ATTENTION_ON       (1u << 6)
#define PCI_SLOT_ATTENTION_OFF      (3u << 6)
#define PCI_SLOT_INDICATOR_ON       (1u << 8)
#define PCI_SLOT_INDICATOR_BLINK    (2u << 8)
#define PCI_SLOT_INDICATOR_OFF      (3u << 8)
#define PCI_SLOT_INDICATORS         (15u << 6)
#define PCI_SLOT_POWER_OFF          (1u << 10)
#define PCI_SLOT_ENABLE_INTERRUPT   (1u << 5)
#define PCI_SLOT_ENABLE_LINK_CHANGE (1u << 12)

/* Events in the status, written 1 to clear, and, below PCI_SLOT_ENABLE_INTERRUPT, their enable bits in the control. */
#define PCI_EXPRESS_SLOT_STATUS    0x1a
#define PCI_SLOT_BUTTON            (1u << 0)
#define PCI_SLOT_POWER_FAULT       (1u << 1)
#define PCI_SLOT_PRESENCE_CHANGE   (1u << 3)
#define PCI_SLOT_COMMAND_COMPLETED (1u << 4)
#define PCI_SLOT_IS_PRESENT        (1u << 6)
#define PCI_SLOT_LINK_CHANGE       (1u << 8)

#define PCI_MSI_CONTROL       2
#define PCI_MSI_ADDRESS       4
#define PCI_MSI_ADDRESS_UPPER 8 /* with PCI_MSI_64BIT */
#define PCI_MSI_DATA_32       8
#define PCI_MSI_DATA_64       12
#define PCI_MSI_ENABLE        (1u << 0)
#define PCI_MSI_MULTIPLE_MASK (7u << 4)
#define PCI_MSI_64BIT         (1u << 7)

#define PCI_MSIX_CONTROL   2
#define PCI_MSIX_TABLE     4      /* BAR in the low three bits, offset above */
#define PCI_MSIX_SIZE_MASK 0x7ffu /* entries - 1 */
#define PCI_MSIX_MASK_ALL  (1u << 14)
#define PCI_MSIX_ENABLE    (1u << 15)
#define PCI_BIR_MASK       7u

/* The same as structs, which prove the offsets above and lie over configuration space where it is memory (ECAM). What
 * all headers share: */
struct pci_header {
    const reg16 vendor_id, device_id;
    reg16 command, status;
    const reg8 revision, interface, subclass, class_code;
    reg8 cache_line_size, latency_timer;
    const reg8 header_type;
    reg8 self_test;
};
static_assert(sizeof(struct pci_header) == 0x10, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, vendor_id) == PCI_VENDOR_ID, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, device_id) == PCI_DEVICE_ID, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, command) == PCI_COMMAND, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, status) == PCI_STATUS, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, revision) == PCI_REVISION, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, interface) == 0x09, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, subclass) == 0x0a, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, class_code) == 0x0b, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, cache_line_size) == 0x0c, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, latency_timer) == 0x0d, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, header_type) == PCI_HEADER_TYPE, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_header, self_test) == 0x0f, "PCI Local Bus 3.0 6.1");

/* Type 0: a device. */
struct pci_device_header {
    struct pci_header header;
    reg32 bars[6];
    const reg32 cardbus;
    const reg16 subsystem_vendor, subsystem_id;
    reg32 rom;
    const reg8 capabilities;
    reg8 reserved_35[7];
    reg8 interrupt_line;
    const reg8 interrupt_pin, min_grant, max_latency;
};
static_assert(sizeof(struct pci_device_header) == 0x40, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, bars) == PCI_BAR0, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, cardbus) == 0x28, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, subsystem_vendor) == PCI_SUBSYSTEM_VENDOR, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, subsystem_id) == PCI_SUBSYSTEM_ID, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, rom) == 0x30, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, capabilities) == PCI_CAPABILITIES, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, interrupt_line) == PCI_INTERRUPT_LINE, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, interrupt_pin) == PCI_INTERRUPT_PIN, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, min_grant) == 0x3e, "PCI Local Bus 3.0 6.1");
static_assert(offsetof(struct pci_device_header, max_latency) == 0x3f, "PCI Local Bus 3.0 6.1");

/* Type 1: a bridge. */
struct pci_bridge_header {
    struct pci_header header;
    reg32 bars[2];
    reg8 primary_bus, secondary_bus, subordinate_bus, secondary_latency_timer;
    reg8 io_base, io_limit;
    reg16 secondary_status;
    reg16 memory_base, memory_limit, prefetch_base, prefetch_limit;
    reg32 prefetch_base_upper, prefetch_limit_upper;
    reg16 io_base_upper, io_limit_upper;
    const reg8 capabilities;
    reg8 reserved_35[3];
    reg32 rom;
    reg8 interrupt_line;
    const reg8 interrupt_pin;
    reg16 bridge_control;
};
static_assert(sizeof(struct pci_bridge_header) == 0x40, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, bars) == PCI_BAR0, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, primary_bus) == PCI_PRIMARY_BUS, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, secondary_bus) == PCI_SECONDARY_BUS, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, subordinate_bus) == PCI_SUBORDINATE_BUS, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, secondary_latency_timer) == 0x1b, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, io_base) == PCI_BRIDGE_IO_BASE, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, io_limit) == PCI_BRIDGE_IO_LIMIT, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, secondary_status) == 0x1e, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, memory_base) == PCI_BRIDGE_MEMORY_BASE, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, memory_limit) == PCI_BRIDGE_MEMORY_LIMIT, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, prefetch_base) == PCI_BRIDGE_PREFETCH_BASE,
              "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, prefetch_limit) == PCI_BRIDGE_PREFETCH_LIMIT,
              "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, prefetch_base_upper) == PCI_BRIDGE_PREFETCH_BASE_UPPER,
              "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, prefetch_limit_upper) == PCI_BRIDGE_PREFETCH_LIMIT_UPPER,
              "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, io_base_upper) == PCI_BRIDGE_IO_BASE_UPPER,
              "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, io_limit_upper) == PCI_BRIDGE_IO_LIMIT_UPPER,
              "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, capabilities) == PCI_CAPABILITIES, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, rom) == 0x38, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, interrupt_line) == PCI_INTERRUPT_LINE, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, interrupt_pin) == PCI_INTERRUPT_PIN, "PCI-to-PCI Bridge 1.2 3.2");
static_assert(offsetof(struct pci_bridge_header, bridge_control) == 0x3e, "PCI-to-PCI Bridge 1.2 3.2");

/* How every capability begins, PCI Local Bus 3.0 6.7. */
struct pci_capability {
    const reg8 id, next;
};
static_assert(sizeof(struct pci_capability) == 2, "PCI Local Bus 3.0 6.7");
static_assert(offsetof(struct pci_capability, id) == 0, "PCI Local Bus 3.0 6.7");
static_assert(offsetof(struct pci_capability, next) == 1, "PCI Local Bus 3.0 6.7");

/* The PCI Express capability as far as a port with a slot has it, PCI Express 6.0 7.5.3. */
struct pci_express_capability {
    struct pci_capability header;
    const reg16 capabilities;
    const reg32 device_capabilities;
    reg16 device_control, device_status;
    const reg32 link_capabilities;
    reg16 link_control, link_status;
    const reg32 slot_capabilities;
    reg16 slot_control, slot_status;
};
static_assert(sizeof(struct pci_express_capability) == 0x1c, "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, capabilities) == PCI_EXPRESS_CAPABILITIES,
              "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, device_capabilities) == 0x04, "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, device_control) == 0x08, "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, device_status) == 0x0a, "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, link_capabilities) == PCI_EXPRESS_LINK_CAPABILITIES,
              "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, link_control) == 0x10, "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, link_status) == PCI_EXPRESS_LINK_STATUS, "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, slot_capabilities) == PCI_EXPRESS_SLOT_CAPABILITIES,
              "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, slot_control) == PCI_EXPRESS_SLOT_CONTROL,
              "PCI Express 6.0 7.5.3");
static_assert(offsetof(struct pci_express_capability, slot_status) == PCI_EXPRESS_SLOT_STATUS, "PCI Express 6.0 7.5.3");

/* PCI Local Bus 3.0 6.8.1, in its two forms. */
struct pci_msi_capability_32 {
    struct pci_capability header;
    reg16 control;
    reg32 address;
    reg16 data;
};
static_assert(sizeof(struct pci_msi_capability_32) == 12, "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_32, control) == PCI_MSI_CONTROL, "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_32, address) == PCI_MSI_ADDRESS, "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_32, data) == PCI_MSI_DATA_32, "PCI Local Bus 3.0 6.8.1");

struct pci_msi_capability_64 {
    struct pci_capability header;
    reg16 control;
    reg32 address, address_upper;
    reg16 data;
};
static_assert(sizeof(struct pci_msi_capability_64) == 16, "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_64, control) == PCI_MSI_CONTROL, "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_64, address) == PCI_MSI_ADDRESS, "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_64, address_upper) == PCI_MSI_ADDRESS_UPPER,
              "PCI Local Bus 3.0 6.8.1");
static_assert(offsetof(struct pci_msi_capability_64, data) == PCI_MSI_DATA_64, "PCI Local Bus 3.0 6.8.1");

/* PCI Local Bus 3.0 6.8.2 */
struct pci_msix_capability {
    struct pci_capability header;
    reg16 control;
    const reg32 table, pending;
};
static_assert(sizeof(struct pci_msix_capability) == 12, "PCI Local Bus 3.0 6.8.2");
static_assert(offsetof(struct pci_msix_capability, control) == PCI_MSIX_CONTROL, "PCI Local Bus 3.0 6.8.2");
static_assert(offsetof(struct pci_msix_capability, table) == PCI_MSIX_TABLE, "PCI Local Bus 3.0 6.8.2");
static_assert(offsetof(struct pci_msix_capability, pending) == 8, "PCI Local Bus 3.0 6.8.2");

/* An entry of the MSI-X table, PCI Local Bus 3.0 6.8.2.6. */
struct pci_msix_entry {
    reg32 address, address_upper, data, control;
};
static_assert(sizeof(struct pci_msix_entry) == 16, "PCI Local Bus 3.0 6.8.2.6");
static_assert(offsetof(struct pci_msix_entry, address) == 0, "PCI Local Bus 3.0 6.8.2.6");
static_assert(offsetof(struct pci_msix_entry, address_upper) == 4, "PCI Local Bus 3.0 6.8.2.6");
static_assert(offsetof(struct pci_msix_entry, data) == 8, "PCI Local Bus 3.0 6.8.2.6");
static_assert(offsetof(struct pci_msix_entry, control) == 12, "PCI Local Bus 3.0 6.8.2.6");

#define PCI_MSIX_ENTRY_MASKED (1u << 0) /* in control */

/* The two ways to configuration space: memory mapped (PCI Express 6.0 7.2.2), and a pair of ports (PCI Local Bus 3.0
 * 3.2.2.3.2). */
#include "access.h"

#include <acpi/pci.h>
#include <acpi/tables.h>
#include <base/errno.h>
#include <boot/boot_info.h>
#include <cpu/features.h>
#include <cpu/io.h>
#include <dev/register.h>
#include <hw/pci.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>
#include <sync/spinlock.h>

#define ADDRESS_PORT   0xcf8
#define DATA_PORT      0xcfc
#define ADDRESS_ENABLE 0x80000000u

static struct spinlock port_lock = SPINLOCK_INITIALIZER("PCI configuration ports");

static void *ecam_register(const struct pci_bus *bus, unsigned devfn, unsigned offset)
{
    return (char *)bus->access_data + devfn * PCI_EXPRESS_CONFIG_BYTES + offset;
}

static uint32_t ecam_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    void *at = ecam_register(bus, devfn, offset);

    if (bytes == sizeof(uint8_t))
        return register_read8(at);
    return bytes == sizeof(uint16_t) ? register_read16(at) : register_read32(at);
}

static void ecam_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    void *at = ecam_register(bus, devfn, offset);

    if (bytes == sizeof(uint8_t))
        register_write8(at, (uint8_t)value);
    else if (bytes == sizeof(uint16_t))
        register_write16(at, (uint16_t)value);
    else
        register_write32(at, value);
}

static bool covers(const struct acpi_mcfg_entry *entry, uint16_t segment, uint8_t bus)
{
    return entry->segment == segment && bus >= entry->first_bus && bus <= entry->last_bus;
}

/* Sizing BARs writes to it: it must not be memory, whatever the firmware says. */
static bool is_memory(const struct acpi_mcfg_entry *entry)
{
    const struct boot_info *info = boot_info();
    uint64_t base = entry->base + entry->first_bus * ECAM_BYTES_PER_BUS;
    uint64_t end = entry->base + (entry->last_bus + 1ull) * ECAM_BYTES_PER_BUS;

    for (unsigned i = 0; i < info->nr_memory; i++)
        if (info->memory[i].kind != MEMORY_RESERVED && info->memory[i].base.value < end &&
            base < info->memory[i].base.value + info->memory[i].length_bytes)
            return true;
    return false;
}

bool pci_ecam_of(uint16_t segment, uint8_t bus, struct acpi_mcfg_entry *entry)
{
    const struct acpi_header *mcfg = acpi_find_table(ACPI_MCFG, 0);
    struct acpi_pci_root root = {0};

    for (uint32_t at = 0; mcfg && acpi_mcfg_next(mcfg, &at, entry);)
        if (covers(entry, segment, bus) && !is_memory(entry))
            return true;
    while (acpi_pci_next_root(&root)) {
        *entry = (struct acpi_mcfg_entry){root.ecam_base, root.segment, root.first_bus, root.last_bus, 0};
        if (covers(entry, segment, bus) && acpi_mcfg_is_sane(entry) && !is_memory(entry))
            return true;
    }
    return false;
}

static int ecam_open(struct pci_bus *bus)
{
    struct acpi_mcfg_entry entry;

    if (!pci_ecam_of(bus->segment, bus->number, &entry))
        return -ENODEV;
    uint64_t base = entry.base + bus->number * ECAM_BYTES_PER_BUS;
    if (base + ECAM_BYTES_PER_BUS > 1ull << cpu_identity()->physical_bits)
        return -ERANGE;
    bus->access_data = device_map(paddr(base), ECAM_BYTES_PER_BUS, MAP_WRITE | MAP_UNCACHED);
    bus->config_bytes = PCI_EXPRESS_CONFIG_BYTES;
    return bus->access_data ? 0 : -ENOMEM;
}

static void ecam_close(struct pci_bus *bus)
{
    device_unmap(bus->access_data);
}

const struct pci_access pci_ecam_access = {"ECAM", ecam_read, ecam_write, ecam_open, ecam_close};

static void select_register(const struct pci_bus *bus, unsigned devfn, unsigned offset)
{
    out32(ADDRESS_PORT, ADDRESS_ENABLE | (uint32_t)bus->number << 16 | devfn << 8 | (offset & 0xfcu));
}

static uint32_t ports_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    uint16_t port = (uint16_t)(DATA_PORT + (offset & 3));
    uint64_t flags = spinlock_lock_irqsave(&port_lock);
    uint32_t value;

    select_register(bus, devfn, offset);
    if (bytes == sizeof(uint8_t))
        value = in8(port);
    else
        value = bytes == sizeof(uint16_t) ? in16(port) : in32(port);
    spinlock_unlock_irqrestore(&port_lock, flags);
    return value;
}

static void ports_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    uint16_t port = (uint16_t)(DATA_PORT + (offset & 3));
    uint64_t flags = spinlock_lock_irqsave(&port_lock);

    select_register(bus, devfn, offset);
    if (bytes == sizeof(uint8_t))
        out8(port, (uint8_t)value);
    else if (bytes == sizeof(uint16_t))
        out16(port, (uint16_t)value);
    else
        out32(port, value);
    spinlock_unlock_irqrestore(&port_lock, flags);
}

static int ports_open(struct pci_bus *bus)
{
    if (bus->segment != 0)
        return -ENODEV;
    bus->config_bytes = PCI_CONFIG_BYTES;
    return 0;
}

static void ports_close(struct pci_bus *bus)
{
    (void)bus;
}

const struct pci_access pci_ports_access = {"ports 0xcf8 and 0xcfc", ports_read, ports_write, ports_open, ports_close};

bool pci_has_ports(void)
{
    uint32_t before = in32(ADDRESS_PORT);

    out32(ADDRESS_PORT, ADDRESS_ENABLE);
    bool has_ports = in32(ADDRESS_PORT) == ADDRESS_ENABLE;
    out32(ADDRESS_PORT, has_ports ? before : 0);
    return has_ports;
}

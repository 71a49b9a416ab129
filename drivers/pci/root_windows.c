/* Which addresses a root bus's devices may be given. Of what the firmware lists, or where it does not, of all below 4
 * GiB and all behind the last memory, the largest part that is nothing else. Ports from where chipsets have none of
 * their own. */
#include "root_windows.h"

#include <acpi/resource.h>
#include <base/align.h>
#include <boot/boot_info.h>
#include <cpu/features.h>

#include "access.h"

#define HOLE_END     0xfec00000u /* IOAPIC, HPET, LAPIC and flash lie behind it */
#define IO_PREFERRED 0xc000u
#define IO_LEAST     0x1000u /* below are ISA's, and chipsets' */
#define IO_END       0x10000u

/* Makes *best the larger of itself and [base, end). */
static void keep_larger(struct pci_window *best, uint64_t base, uint64_t end)
{
    base = align_up(base, MIB(1));
    if (end > base && end - base > best->end - best->base)
        *best = (struct pci_window){base, end};
}

static void keep_larger_around(struct pci_window *best, uint64_t base, uint64_t end, struct pci_window ecam)
{
    if (ecam.end <= base || ecam.base >= end) {
        keep_larger(best, base, end);
        return;
    }
    keep_larger(best, base, ecam.base < base ? base : ecam.base);
    keep_larger(best, ecam.end, end);
}

static struct pci_window ecam_of(const struct pci_bus *root)
{
    struct acpi_mcfg_entry entry;

    if (!pci_ecam_of(root->segment, root->number, &entry))
        return (struct pci_window){0, 0};
    return (struct pci_window){entry.base + entry.first_bus * ECAM_BYTES_PER_BUS,
                               entry.base + (entry.last_bus + 1ull) * ECAM_BYTES_PER_BUS};
}

/* The same of each part that the memory map leaves free; what firmware reserves may be a bridge's when that says so. */
static void keep_larger_free(struct pci_window *best, struct pci_window range, struct pci_window ecam, bool is_told)
{
    const struct boot_info *info = boot_info();
    uint64_t at = range.base;

    for (unsigned i = 0; i < info->nr_memory && at < range.end; i++) {
        uint64_t base = info->memory[i].base.value, end = base + info->memory[i].length_bytes;

        if (end <= at || (is_told && info->memory[i].kind == MEMORY_RESERVED))
            continue;
        keep_larger_around(best, at, base < range.end ? base : range.end, ecam);
        at = end;
    }
    if (at < range.end)
        keep_larger_around(best, at, range.end, ecam);
}

static struct pci_window clip(uint64_t base, uint64_t end, uint64_t least, uint64_t greatest)
{
    base = base > least ? base : least;
    end = end < greatest ? end : greatest;
    return base < end ? (struct pci_window){base, end} : (struct pci_window){0, 0};
}

static void use_ports(struct pci_bus *root, uint64_t base, uint64_t end)
{
    struct pci_window *best = &root->windows[PCI_SPACE_IO];
    struct pci_window ports = clip(base, end, IO_PREFERRED, IO_END);

    if (ports.end == 0)
        ports = clip(base, end, IO_LEAST, IO_PREFERRED);
    if (ports.end - ports.base > best->end - best->base)
        *best = ports;
}

void pci_use_root_resources(struct pci_bus *root, const struct acpi_pci_root *firmware)
{
    uint64_t address_end = 1ull << cpu_identity()->physical_bits;
    struct pci_window ecam = ecam_of(root);
    struct acpi_resource resource;

    for (uint32_t at = 0; acpi_resource_next(firmware->resources, firmware->resource_bytes, &at, &resource);) {
        uint64_t base = resource.base, end = base + resource.length;

        if (!resource.is_window)
            continue;
        if (resource.kind == ACPI_RESOURCE_IO)
            use_ports(root, base, end);
        if (resource.kind != ACPI_RESOURCE_MEMORY)
            continue;
        keep_larger_free(&root->windows[PCI_SPACE_MEMORY], clip(base, end, MIB(1), HOLE_END), ecam, true);
        keep_larger_free(&root->windows[PCI_SPACE_PREFETCH], clip(base, end, GIB(4), address_end), ecam, true);
    }
}

void pci_use_holes(struct pci_bus *root)
{
    const struct boot_info *info = boot_info();
    uint64_t last_end = GIB(4), address_end = 1ull << cpu_identity()->physical_bits;
    struct pci_window ecam = ecam_of(root);

    keep_larger_free(&root->windows[PCI_SPACE_MEMORY], (struct pci_window){MIB(1), HOLE_END}, ecam, false);
    root->windows[PCI_SPACE_IO] = (struct pci_window){IO_PREFERRED, IO_END};
    for (unsigned i = 0; i < info->nr_memory; i++) {
        uint64_t end = info->memory[i].base.value + info->memory[i].length_bytes;

        if (info->memory[i].kind != MEMORY_RESERVED && end > last_end)
            last_end = end;
    }
    if (ecam.base >= GIB(4) && ecam.end > last_end)
        last_end = ecam.end;
    last_end = align_up(last_end, GIB(1));
    if (last_end < address_end)
        root->windows[PCI_SPACE_PREFETCH] = (struct pci_window){last_end, address_end};
}

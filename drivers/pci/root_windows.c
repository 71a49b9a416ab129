/* Where a root bus's devices may be put when the firmware says nothing: below 4 GiB the largest hole that neither the
 * memory map, nor ECAM, nor the fixed places of interrupt controllers and firmware at the top take; above 4 GiB all
 * behind the last memory; I/O ports from where chipsets have none of their own. */
#include "root_windows.h"

#include <base/align.h>
#include <boot/boot_info.h>
#include <cpu/features.h>

#include "access.h"

#define HOLE_END           0xfec00000u /* IOAPIC, HPET, LAPIC and flash lie behind it */
#define IO_BASE            0xc000u
#define IO_END             0x10000u
#define ECAM_BYTES_PER_BUS MIB(1)

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

void pci_find_root_windows(struct pci_bus *root)
{
    const struct boot_info *info = boot_info();
    struct pci_window low = {0, 0}, ecam = {0, 0};
    struct acpi_mcfg_entry entry;
    uint64_t at = MIB(1), last_end = GIB(4), address_end = 1ull << cpu_identity()->physical_bits;

    if (pci_ecam_of(root->segment, root->number, &entry))
        ecam = (struct pci_window){entry.base + entry.first_bus * ECAM_BYTES_PER_BUS,
                                   entry.base + (entry.last_bus + 1ull) * ECAM_BYTES_PER_BUS};
    for (unsigned i = 0; i < info->nr_memory; i++) {
        uint64_t base = info->memory[i].base.value, end = base + info->memory[i].length_bytes;

        if (at < HOLE_END)
            keep_larger_around(&low, at, base < HOLE_END ? base : HOLE_END, ecam);
        at = end > at ? end : at;
        if (info->memory[i].kind != MEMORY_RESERVED && end > last_end)
            last_end = end;
    }
    if (at < HOLE_END)
        keep_larger_around(&low, at, HOLE_END, ecam);
    if (ecam.base >= GIB(4) && ecam.end > last_end)
        last_end = ecam.end;
    root->windows[PCI_SPACE_MEMORY] = low;
    root->windows[PCI_SPACE_IO] = (struct pci_window){IO_BASE, IO_END};
    last_end = align_up(last_end, GIB(1));
    if (last_end < address_end)
        root->windows[PCI_SPACE_PREFETCH] = (struct pci_window){last_end, address_end};
}

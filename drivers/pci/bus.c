/* The machine's PCI bus: from its root to devices of the device model. */
#include <acpi/tables.h>
#include <base/errno.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

#include "access.h"
#include "root_windows.h"

static struct pci_tree tree; /* [I] after pci_init */

static bool is_end(const struct pci_match *match)
{
    return match->vendor == 0 && match->device == 0 && match->class_mask == 0;
}

static bool match(const struct device *device, const struct driver *driver)
{
    const struct pci_device *function = CONTAINER_OF(device, struct pci_device, device);

    for (const struct pci_match *wanted = driver->matches; !is_end(wanted); wanted++)
        if ((wanted->vendor == PCI_ANY || wanted->vendor == function->vendor) &&
            (wanted->device == PCI_ANY || wanted->device == function->id) &&
            (function->class_code & wanted->class_mask) == (wanted->class_code & wanted->class_mask))
            return true;
    return false;
}

const struct bus pci_bus_type = {"pci", match};

struct pci_device *pci_first(void)
{
    return tree.first;
}

void *pci_map_bar(struct pci_device *device, unsigned index, uint64_t offset, uint64_t length)
{
    const struct pci_bar *bar = index < PCI_NR_BARS ? &device->bars[index] : NULL;
    const char *why = NULL;

    if (!bar || bar->length == 0)
        why = "it does not exist";
    else if (bar->is_io)
        why = "it is an I/O BAR";
    else if (bar->base.value == 0)
        why = "it has no address";
    else if (length == 0 || offset > bar->length || length > bar->length - offset)
        why = "it is too short";
    void *at = why ? NULL : device_map(paddr_add(bar->base, offset), length, MAP_WRITE | MAP_UNCACHED);
    if (!at)
        log_warn("pci: %s: 0x%lx bytes at 0x%lx of BAR %u cannot be used: %s", device->device.name, length, offset,
                 index, why ? why : "there is no memory to map it");
    return at;
}

/* ECAM where it shows what the ports show; the firmware's word alone is not enough. */
static const struct pci_access *choose_access(uint16_t segment, uint8_t first_bus)
{
    struct acpi_mcfg_entry entry;
    struct pci_bus probe = {.access = &pci_ecam_access, .segment = segment, .number = first_bus};
    bool has_ports = segment == 0 && pci_has_ports();

    if (!pci_ecam_of(segment, first_bus, &entry) || pci_ecam_access.open(&probe) < 0)
        return has_ports ? &pci_ports_access : NULL;
    uint32_t by_memory = pci_bus_read(&probe, 0, PCI_VENDOR_ID, sizeof(uint32_t));
    device_unmap(probe.access_data);
    if (!has_ports)
        return &pci_ecam_access;
    probe = (struct pci_bus){.access = &pci_ports_access, .config_bytes = PCI_CONFIG_BYTES, .number = first_bus};
    if (pci_bus_read(&probe, 0, PCI_VENDOR_ID, sizeof(uint32_t)) == by_memory)
        return &pci_ecam_access;
    log_warn("pci: what the firmware calls configuration space is none: the ports are used");
    return &pci_ports_access;
}

static void scan_root(uint16_t segment, uint8_t first, uint8_t last)
{
    const struct pci_access *access = choose_access(segment, first);
    struct pci_bus *root = NULL;

    if (!access)
        return;
    int found = pci_scan(&tree, access, segment, first, last, &root);
    if (found < 0)
        log_error("pci: the scan of segment %u ended early, error %d", segment, -found);
    if (root)
        pci_find_root_windows(root);
    if (found >= 0)
        log_info("pci: %d functions by %s", found, access->name);
}

void pci_init(void)
{
    const struct acpi_header *mcfg = acpi_find_table(ACPI_MCFG, 0);
    struct acpi_mcfg_entry entry;
    bool has_segment_0 = false;

    for (uint32_t at = 0; mcfg && acpi_mcfg_next(mcfg, &at, &entry);) {
        scan_root(entry.segment, entry.first_bus, entry.last_bus);
        has_segment_0 |= entry.segment == 0;
    }
    if (!has_segment_0)
        scan_root(0, 0, UINT8_MAX);
    if (tree.first_bus)
        (void)pci_assign(&tree);
    for (struct pci_device *device = tree.first; device; device = device->next) {
        device->device.bus = &pci_bus_type;
        if (device_add(&device->device) < 0)
            log_warn("pci: %s is there twice", device->device.name);
    }
}

/* Finding root buses: as the definition blocks name them, else one for each allocation of the MCFG table, and bus 0 of
 * segment 0 in any case. */
#include "roots.h"

#include <acpi/pci.h>
#include <acpi/tables.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <mm/vmalloc.h>

#include "access.h"
#include "root_windows.h"

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

static const struct pci_bus *root_of(const struct pci_tree *tree, uint16_t segment, uint8_t bus)
{
    const struct pci_bus *root = tree->first_bus;

    while (root && (root->parent || root->segment != segment || bus < root->number || bus > root->last))
        root = root->next;
    return root;
}

static bool is_told(uint16_t segment)
{
    struct acpi_pci_root root = {0};

    while (acpi_pci_next_root(&root))
        if (root.segment == segment)
            return true;
    return false;
}

/* Where nothing says how far a root's bus numbers go, they end before the next root's. */
static uint8_t last_bus_of(const struct acpi_pci_root *root)
{
    struct acpi_pci_root other = {0};
    uint8_t last = root->last_bus;

    while (acpi_pci_next_root(&other))
        if (other.segment == root->segment && other.first_bus > root->first_bus && other.first_bus <= last)
            last = (uint8_t)(other.first_bus - 1);
    return last;
}

/* The holes of the memory map are for one root: which of several passes which on is not known. */
static void set_windows(const struct pci_tree *tree, struct pci_bus *bus, const struct acpi_pci_root *root)
{
    if (root->resources)
        pci_use_root_resources(bus, root);
    else if (bus == tree->first_bus)
        pci_use_holes(bus);
}

static void scan_root(struct pci_tree *tree, const struct acpi_pci_root *root)
{
    if (root_of(tree, root->segment, root->first_bus)) {
        log_warn("pci: bus %02x of segment %u has two roots", root->first_bus, root->segment);
        return;
    }
    const struct pci_access *access = choose_access(root->segment, root->first_bus);
    struct pci_bus *bus = NULL;

    if (!access) {
        if (root->node)
            log_warn("pci: there is no way to bus %02x of segment %u", root->first_bus, root->segment);
        return;
    }
    int found = pci_scan(tree, access, root->segment, root->first_bus, last_bus_of(root), &bus);
    if (found < 0)
        log_error("pci: the scan of segment %u ended early, error %d", root->segment, -found);
    if (bus) {
        bus->firmware = root->node;
        set_windows(tree, bus, root);
    }
    if (found >= 0)
        log_info("pci: %d functions from bus %02x on by %s", found, root->first_bus, access->name);
}

void pci_scan_roots(struct pci_tree *tree)
{
    const struct acpi_header *mcfg = acpi_find_table(ACPI_MCFG, 0);
    const struct acpi_pci_root first = {.last_bus = UINT8_MAX};
    struct acpi_pci_root root = {0};
    struct acpi_mcfg_entry entry;

    while (acpi_pci_next_root(&root))
        scan_root(tree, &root);
    for (uint32_t at = 0; mcfg && acpi_mcfg_next(mcfg, &at, &entry);) {
        root =
            (struct acpi_pci_root){.segment = entry.segment, .first_bus = entry.first_bus, .last_bus = entry.last_bus};
        if (!is_told(entry.segment))
            scan_root(tree, &root);
    }
    if (!root_of(tree, 0, 0))
        scan_root(tree, &first);
}

/* What the parts of the PCI bus driver share. */
#pragma once

#include <acpi/pci.h>
#include <base/compiler.h>
#include <pci/pci.h>

struct pci_bus;

/* A way to configuration space: ECAM, ports 0xcf8 and 0xcfc, or a model of it in tests. bytes is 1, 2 or 4 and offset a
 * multiple of it, within the bus's config_bytes. What is not there reads all ones. Context: any. */
struct pci_access {
    const char *name;
    uint32_t (*read)(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes);
    void (*write)(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value);
    /* Makes a bus's space reachable and sets its config_bytes and access_data. Returns 0 or an error. */
    int (*open)(struct pci_bus *bus);
    void (*close)(struct pci_bus *bus);
};

enum pci_space { PCI_SPACE_IO, PCI_SPACE_MEMORY, PCI_SPACE_PREFETCH, PCI_NR_SPACES };

/* Addresses that devices of a bus can be given; end == base: none. end is behind the last byte. */
struct pci_window {
    uint64_t base, end;
};

/* What the devices below still need. */
struct pci_demand {
    uint64_t bytes, alignment;
};

struct pci_bus {
    const struct pci_access *access;
    void *access_data;
    unsigned config_bytes;
    uint16_t segment;
    uint8_t number, last; /* the bus and the last of all behind it */
    bool is_numbered_by_us;
    struct pci_bus *parent;          /* NULL for a root */
    struct pci_device *bridge;       /* NULL for a root */
    const struct aml_node *firmware; /* [I] what stands for the bus in definition blocks, or NULL */
    unsigned next_devfn;             /* of the scan */
    struct pci_window windows[PCI_NR_SPACES];
    struct pci_demand demand[PCI_NR_SPACES];
    struct pci_bus *next; /* all buses, in the order found */
};

/* All functions and buses found, in order: a bridge comes before what is behind it. Changed by boot and by pieces of
 * work only (docs/locking.md). */
struct pci_tree {
    struct pci_device *first, *last;
    struct pci_bus *first_bus, *last_bus;
};

uint32_t pci_bus_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes);
void pci_bus_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value);

static inline unsigned pci_devfn(const struct pci_device *device)
{
    return (unsigned)device->slot << 3 | device->function;
}

static inline bool pci_is_bridge(const struct pci_device *device)
{
    return device->header_type == 1;
}

/* Finds everything on a root bus with this number and behind its bridges up to bus number `last`, numbering bridges
 * that the firmware did not. Returns the number of functions or an error; what was found before an error stays in the
 * tree. */
MUST_CHECK int pci_scan(struct pci_tree *tree, const struct pci_access *access, uint16_t segment, uint8_t first,
                        uint8_t last, struct pci_bus **root);
/* The same on a bus that is open and empty, within its numbers. */
MUST_CHECK int pci_scan_bus(struct pci_tree *tree, struct pci_bus *bus);

void pci_tree_add(struct pci_tree *tree, struct pci_device *device);
void pci_tree_add_bus(struct pci_tree *tree, struct pci_bus *bus);
/* Takes a function out, and the bus behind it, on which nothing is any more. Both structures stay. */
void pci_tree_remove(struct pci_tree *tree, struct pci_device *device);
/* The last found of all on this bus and behind its bridges; NULL when it is empty. */
struct pci_device *pci_tree_last_behind(const struct pci_tree *tree, const struct pci_bus *bus);
void pci_tree_free(struct pci_tree *tree);
/* Closes and frees a bus that is in no tree; NULL does nothing. */
void pci_bus_free(struct pci_bus *bus);

/* The machine's tree. Scans a bus that is empty, gives addresses to what is there, and offers it to drivers. Returns
 * the number of functions, or an error. Context: work. */
MUST_CHECK int pci_bus_populate(struct pci_bus *bus);
/* Takes everything on the bus and behind it from its drivers and out of the tree. Context: work. */
void pci_bus_empty(struct pci_bus *bus);
bool pci_bus_is_empty(const struct pci_bus *bus);

/* The offset of the PCI Express capability of a port that leads to other devices (of a root complex or a switch), 0 for
 * everything else. */
unsigned pci_downstream_port(const struct pci_device *device);
/* The same of one whose slot announces what comes and goes. */
unsigned pci_hotplug_port(const struct pci_device *device);

/* Reads where the BARs are and how long. Decoding is off meanwhile, and then as before. */
void pci_size_bars(struct pci_device *device);
/* Writes a BAR's base to the device; false, and the BAR without an address, where it does not take it. */
MUST_CHECK bool pci_write_bar(struct pci_device *device, unsigned bar, uint64_t base);
unsigned pci_nr_bars(const struct pci_device *device);

/* The addresses the bridge before a bus passes on, as the firmware set them, and setting them. */
void pci_read_windows(struct pci_bus *bus);
void pci_write_window(struct pci_bus *bus, enum pci_space space, struct pci_window window);
/* Takes addresses of the firmware's away that cannot be, each with a log line; before pci_assign. */
void pci_check_addresses(const struct pci_tree *tree);
/* Gives every BAR without an address one out of its root's windows, and bridges the windows for it. `plugged`: a bus
 * behind a slot, on which everything is new, so that its windows may be moved; or NULL. Returns the number of BARs that
 * could not be given one, each with a log line. */
unsigned pci_assign(struct pci_tree *tree, struct pci_bus *plugged);

/* Sets what stands for each bus in the definition blocks; the roots' are set. */
void pci_find_firmware_nodes(struct pci_tree *tree);
/* Where the device's pin is wired to: by _PRT, or as the firmware left it in the line register. 0, -ENOENT where it
 * does not say; the errors of acpi_pci_route. */
MUST_CHECK int pci_route_by_table(const struct pci_device *device, struct acpi_pci_route *route);
MUST_CHECK int pci_route_by_line(const struct pci_device *device, struct acpi_pci_route *route);

void pci_device_name(const struct pci_device *device, char *name, size_t size);

/* PCI and PCI Express functions (PCI 3.0; PCI Express 6.0). The PCI bus driver enumerates, sizes and where needed
 * assigns BARs, and turns functions into devices; drivers match by ids. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <dev/device.h>
#include <irq/irq.h>

#define PCI_NR_BARS 6
#define PCI_ANY     0xffffu

struct pci_match {
    uint16_t vendor, device;         /* PCI_ANY matches all */
    uint32_t class_code, class_mask; /* 24 bits: class, subclass, interface */
};                                   /* a table ends with class_mask, vendor and device all 0 */

struct pci_bar {
    paddr_t base;    /* 0 when not assigned */
    uint64_t length; /* 0 when not implemented */
    bool is_io, is_64bit, is_prefetchable;
    bool is_refused; /* there was no address for it */
};

struct pci_device {
    struct device device;
    uint16_t segment;
    uint8_t bus, slot, function;
    uint16_t vendor, id, subsystem_vendor, subsystem_id;
    uint32_t class_code;
    uint8_t revision, header_type;
    struct pci_bar bars[PCI_NR_BARS];
    uint8_t interrupt_pin; /* 1 to 4, 0 for none */
    struct pci_bus *on;
    struct pci_bus *behind;            /* of a bridge whose bus is open, else NULL */
    struct pci_device *next;           /* all functions, in the order found */
    struct pci_interrupts *interrupts; /* the driver's: of pci_interrupts_request */
    uint32_t nr_vectors;               /* [a] for who looks: in use, 0 without */
    uint32_t interrupt_mode;           /* [a] enum pci_interrupt_mode */
};

/* Configuration space; a register beyond what the function has reads all ones, and so does a function that is gone.
 * Context: any. */
uint8_t pci_read8(const struct pci_device *device, unsigned offset);
uint16_t pci_read16(const struct pci_device *device, unsigned offset);
uint32_t pci_read32(const struct pci_device *device, unsigned offset);
void pci_write8(struct pci_device *device, unsigned offset, uint8_t value);
void pci_write16(struct pci_device *device, unsigned offset, uint16_t value);
void pci_write32(struct pci_device *device, unsigned offset, uint32_t value);

/* The offset of the first capability with this id at or after the one at `from` (0: the first of all); 0 when there is
 * none. Looping and truncated lists end. Context: any. */
unsigned pci_find_capability(const struct pci_device *device, uint8_t id, unsigned from);
unsigned pci_find_extended_capability(const struct pci_device *device, uint16_t id, unsigned from);

/* Turns decoding and bus mastering on (we set the command register: firmware leaves it as it likes). Context: thread.
 */
#define PCI_ENABLE_MEMORY (1u << 1)
#define PCI_ENABLE_IO     (1u << 0)
#define PCI_ENABLE_MASTER (1u << 2)
void pci_enable(struct pci_device *device, unsigned what);
void pci_disable(struct pci_device *device);

/* Finds all functions, gives addresses to BARs that have none, and offers the functions to drivers. Context: init,
 * once; needs the heap and ACPI. */
void pci_init(void);

/* The bus of struct driver, whose matches are a table of struct pci_match. */
extern const struct bus pci_bus_type;

/* Drives the slots that devices can be plugged into while the kernel runs. Context: init, once. */
void pci_hotplug_init(void);

/* Maps length bytes at offset of a memory BAR, uncached. NULL, with a message, when it is not assigned, too short, or
 * I/O. */
MUST_CHECK void *pci_map_bar(struct pci_device *device, unsigned bar, uint64_t offset, uint64_t length);

enum pci_interrupt_mode { PCI_MSIX, PCI_MSI, PCI_INTX };

struct pci_handler {
    irq_handler run;
    void *context;
    uint32_t cpu; /* which a vector of its own is to interrupt; IRQ_ANY_CPU: whichever has few */
};

/* Gives the device up to `wanted` interrupt vectors: MSI-X, else MSI, else INTx (one). With fewer vectors than wanted,
 * the last vector calls all remaining handlers. A CPU that is not there, that no message reaches, or that has no vector
 * left is replaced by any. Returns the number of vectors or an error. Context: thread. */
MUST_CHECK int pci_interrupts_request(struct pci_device *device, unsigned wanted, const struct pci_handler *handlers,
                                      const char *name);
/* The pin alone, where the device has no room for messages after all. Returns 0 or an error. Context: thread. */
MUST_CHECK int pci_interrupts_request_pin(struct pci_device *device, irq_handler handler, void *context,
                                          const char *name);
void pci_interrupts_release(struct pci_device *device);
enum pci_interrupt_mode pci_interrupts_mode(const struct pci_device *device);
/* The vectors in use; 0 before the request. */
unsigned pci_interrupts_count(const struct pci_device *device);

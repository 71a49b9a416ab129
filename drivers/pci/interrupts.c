/* Interrupts of a function: MSI-X, else MSI, else its pin (PCI Local Bus 3.0 6.8 and 2.2.6).
 *
 * Every vector's handler is run_vector; only the last vector knows more than one of the driver's handlers. So when
 * there are fewer vectors than handlers, found out half way through, nothing needs to be set up again. */
#include <acpi/fadt.h>
#include <base/errno.h>
#include <hw/pci.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>

#include "pci_internal.h"

#define MAX_VECTORS 2048u /* what an MSI-X table can have */

struct pci_vector {
    struct pci_interrupts *interrupts;
    struct pci_handler handler; /* [I] */
    struct irq *irq;
};

struct pci_interrupts {
    enum pci_interrupt_mode mode;
    unsigned capability;
    unsigned nr_vectors;  /* [I] once the request has returned; 0 before */
    unsigned nr_handlers; /* [I] */
    struct pci_msix_entry *table;
    struct pci_vector vectors[]; /* nr_handlers */
};

/* The handlers behind the last vector's own. */
static NOINLINE enum irq_result run_rest(struct pci_vector *vector, enum irq_result result)
{
    const struct pci_vector *end = vector->interrupts->vectors + vector->interrupts->nr_handlers;

    while (++vector < end)
        if (vector->handler.run(vector->handler.context) == IRQ_HANDLED)
            result = IRQ_HANDLED;
    return result;
}

static enum irq_result run_vector(void *context)
{
    struct pci_vector *vector = context;
    const struct pci_interrupts *interrupts = vector->interrupts;
    enum irq_result result = vector->handler.run(vector->handler.context);

    if (LIKELY(interrupts->nr_vectors == interrupts->nr_handlers) ||
        (unsigned)(vector - interrupts->vectors) + 1 != interrupts->nr_vectors)
        return result;
    return run_rest(vector, result);
}

static void set_pin(struct pci_device *device, bool is_on)
{
    uint16_t command = pci_read16(device, PCI_COMMAND) & (uint16_t)~PCI_COMMAND_INTX_DISABLE;

    pci_write16(device, PCI_COMMAND, is_on ? command : command | PCI_COMMAND_INTX_DISABLE);
}

static void write_entry(struct pci_msix_entry *entry, const struct msi_message *message)
{
    register_write32(&entry->address, (uint32_t)message->address);
    register_write32(&entry->address_upper, (uint32_t)(message->address >> 32));
    register_write32(&entry->data, message->data);
    register_write32(&entry->control, register_read32(&entry->control) & ~PCI_MSIX_ENTRY_MASKED);
}

/* On the CPU that its handler asks for; where that has none to give, on any. */
static int claim_message(struct pci_vector *vector, const char *name, struct msi_message *message)
{
    int error = irq_request_msi_to(vector->handler.cpu, run_vector, vector, name, message, &vector->irq);

    if (vector->handler.cpu != IRQ_ANY_CPU && (error == -ENODEV || error == -ERANGE || error == -ENOSPC))
        error = irq_request_msi(run_vector, vector, name, message, &vector->irq);
    return error;
}

/* Vectors of their own for as many handlers as the CPU and the table have. */
static int claim_messages(struct pci_interrupts *interrupts, unsigned limit, const char *name,
                          struct msi_message *first)
{
    unsigned n = 0;
    int error = 0;

    for (; n < limit; n++) {
        struct msi_message message;

        error = claim_message(&interrupts->vectors[n], name, &message);
        if (error)
            break;
        if (n == 0)
            *first = message;
        if (interrupts->table)
            write_entry(&interrupts->table[n], &message);
    }
    interrupts->nr_vectors = n;
    return n == 0 ? error : 0;
}

static int use_msix(struct pci_device *device, struct pci_interrupts *interrupts, const char *name)
{
    unsigned at = pci_find_capability(device, PCI_CAPABILITY_MSIX, 0);
    struct msi_message first;

    if (at == 0)
        return -ENODEV;
    uint16_t control = pci_read16(device, at + PCI_MSIX_CONTROL);
    uint32_t place = pci_read32(device, at + PCI_MSIX_TABLE);
    unsigned nr_entries = (control & PCI_MSIX_SIZE_MASK) + 1u;
    unsigned limit = interrupts->nr_handlers < nr_entries ? interrupts->nr_handlers : nr_entries;

    interrupts->table =
        pci_map_bar(device, place & PCI_BIR_MASK, place & ~PCI_BIR_MASK, nr_entries * sizeof(struct pci_msix_entry));
    if (!interrupts->table)
        return -ENODEV;
    pci_enable(device, PCI_ENABLE_MEMORY | PCI_ENABLE_MASTER);
    pci_write16(device, at + PCI_MSIX_CONTROL, control | PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    for (unsigned i = 0; i < nr_entries; i++)
        register_write32(&interrupts->table[i].control, PCI_MSIX_ENTRY_MASKED);
    int error = claim_messages(interrupts, limit, name, &first);
    if (error) {
        pci_write16(device, at + PCI_MSIX_CONTROL, control & (uint16_t)~PCI_MSIX_ENABLE);
        device_unmap(interrupts->table);
        interrupts->table = NULL;
        return error;
    }
    interrupts->mode = PCI_MSIX;
    interrupts->capability = at;
    pci_write16(device, at + PCI_MSIX_CONTROL, (control & (uint16_t)~PCI_MSIX_MASK_ALL) | PCI_MSIX_ENABLE);
    return 0;
}

static int use_msi(struct pci_device *device, struct pci_interrupts *interrupts, const char *name)
{
    unsigned at = pci_find_capability(device, PCI_CAPABILITY_MSI, 0);
    struct msi_message message;

    if (at == 0)
        return -ENODEV;
    uint16_t control = pci_read16(device, at + PCI_MSI_CONTROL) & (uint16_t) ~(PCI_MSI_ENABLE | PCI_MSI_MULTIPLE_MASK);
    int error = claim_messages(interrupts, 1, name, &message);
    if (error)
        return error;
    pci_enable(device, PCI_ENABLE_MASTER);
    pci_write32(device, at + PCI_MSI_ADDRESS, (uint32_t)message.address);
    if (control & PCI_MSI_64BIT)
        pci_write32(device, at + PCI_MSI_ADDRESS_UPPER, (uint32_t)(message.address >> 32));
    pci_write16(device, at + (control & PCI_MSI_64BIT ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), (uint16_t)message.data);
    interrupts->mode = PCI_MSI;
    interrupts->capability = at;
    pci_write16(device, at + PCI_MSI_CONTROL, control | PCI_MSI_ENABLE);
    return 0;
}

static int claim_input(struct pci_interrupts *interrupts, const struct acpi_pci_route *route, const char *name)
{
    return irq_request_gsi(route->gsi, route->is_level ? IRQ_LEVEL : IRQ_EDGE,
                           route->is_active_low ? IRQ_ACTIVE_LOW : IRQ_ACTIVE_HIGH, route->is_level ? IRQ_SHARED : 0,
                           run_vector, &interrupts->vectors[0], name, &interrupts->vectors[0].irq);
}

static int use_pin(struct pci_device *device, struct pci_interrupts *interrupts, const char *name)
{
    struct acpi_pci_route route;

    interrupts->mode = PCI_INTX;
    interrupts->nr_vectors = 1;
    int error = pci_route_by_table(device, &route);
    if (error == 0)
        error = claim_input(interrupts, &route, name);
    if (error && pci_route_by_line(device, &route) == 0)
        error = claim_input(interrupts, &route, name);
    if (error == 0)
        set_pin(device, true);
    return error == -ENOENT || error == -ENOTSUP ? -ENODEV : error;
}

/* What firmware may have left on, and what would keep the pin silent. */
static void disable_messages(struct pci_device *device)
{
    unsigned msix = pci_find_capability(device, PCI_CAPABILITY_MSIX, 0);
    unsigned msi = pci_find_capability(device, PCI_CAPABILITY_MSI, 0);

    if (msix != 0)
        pci_write16(device, msix + PCI_MSIX_CONTROL,
                    pci_read16(device, msix + PCI_MSIX_CONTROL) & (uint16_t)~PCI_MSIX_ENABLE);
    if (msi != 0)
        pci_write16(device, msi + PCI_MSI_CONTROL,
                    pci_read16(device, msi + PCI_MSI_CONTROL) & (uint16_t)~PCI_MSI_ENABLE);
}

static int use_best(struct pci_device *device, struct pci_interrupts *interrupts, const char *name)
{
    const struct acpi_fixed *fixed = acpi_fixed();
    int error = -ENODEV;

    set_pin(device, false);
    disable_messages(device);
    if (!fixed || fixed->may_use_msi)
        error = use_msix(device, interrupts, name);
    if (error && (!fixed || fixed->may_use_msi))
        error = use_msi(device, interrupts, name);
    return error ? use_pin(device, interrupts, name) : 0;
}

typedef int (*use_function)(struct pci_device *device, struct pci_interrupts *interrupts, const char *name);

static int request(struct pci_device *device, use_function use, unsigned wanted, const struct pci_handler *handlers,
                   const char *name)
{
    if (wanted == 0 || wanted > MAX_VECTORS)
        return -EINVAL;
    if (device->interrupts)
        return -EBUSY;
    struct pci_interrupts *interrupts =
        kmalloc(sizeof(*interrupts) + wanted * sizeof(interrupts->vectors[0]), ALLOC_ZERO);
    if (!interrupts)
        return -ENOMEM;
    interrupts->nr_handlers = wanted;
    for (unsigned i = 0; i < wanted; i++)
        interrupts->vectors[i] = (struct pci_vector){.interrupts = interrupts, .handler = handlers[i]};
    int error = use(device, interrupts, name);
    if (error) {
        kfree(interrupts);
        return error;
    }
    device->interrupts = interrupts;
    __atomic_store_n(&device->interrupt_mode, interrupts->mode, __ATOMIC_RELAXED);
    __atomic_store_n(&device->nr_vectors, interrupts->nr_vectors, __ATOMIC_RELEASE); /* pairs with ..._count */
    return (int)interrupts->nr_vectors;
}

int pci_interrupts_request(struct pci_device *device, unsigned wanted, const struct pci_handler *handlers,
                           const char *name)
{
    return request(device, use_best, wanted, handlers, name);
}

int pci_interrupts_request_pin(struct pci_device *device, irq_handler handler, void *context, const char *name)
{
    const struct pci_handler only = {.run = handler, .context = context, .cpu = IRQ_ANY_CPU};
    int result = request(device, use_pin, 1, &only, name);

    return result < 0 ? result : 0;
}

void pci_interrupts_release(struct pci_device *device)
{
    struct pci_interrupts *interrupts = device->interrupts;
    uint16_t enable = PCI_MSI_ENABLE;

    if (!interrupts)
        return;
    if (interrupts->mode == PCI_MSIX)
        enable = PCI_MSIX_ENABLE;
    if (interrupts->mode == PCI_INTX) {
        set_pin(device, false);
    } else {
        unsigned control = interrupts->capability + PCI_MSI_CONTROL; /* at the same place for both */

        pci_write16(device, control, pci_read16(device, control) & (uint16_t)~enable);
    }
    for (unsigned i = 0; i < interrupts->nr_vectors; i++)
        irq_release(interrupts->vectors[i].irq);
    if (interrupts->table)
        device_unmap(interrupts->table);
    __atomic_store_n(&device->nr_vectors, 0, __ATOMIC_RELAXED);
    device->interrupts = NULL;
    kfree(interrupts);
}

enum pci_interrupt_mode pci_interrupts_mode(const struct pci_device *device)
{
    if (pci_interrupts_count(device) == 0)
        return PCI_INTX;
    return (enum pci_interrupt_mode)__atomic_load_n(&device->interrupt_mode, __ATOMIC_RELAXED);
}

unsigned pci_interrupts_count(const struct pci_device *device)
{
    return __atomic_load_n(&device->nr_vectors, __ATOMIC_ACQUIRE);
}

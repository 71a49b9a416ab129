/* Intel 82093AA data sheet. */
#include "ioapic.h"

#include <base/errno.h>
#include <debug/log.h>
#include <hw/ioapic.h>
#include <irq/chip.h>
#include <mm/kmalloc.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>
#include <sync/spinlock.h>

struct ioapic {
    struct irq_chip chip;
    struct spinlock lock;               /* of the two registers */
    struct ioapic_registers *registers; /* [I] */
};

static uint32_t read_register(const struct ioapic *ioapic, unsigned index)
{
    register_write(&ioapic->registers->select, index);
    return register_read(&ioapic->registers->window);
}

static void write_register(const struct ioapic *ioapic, unsigned index, uint32_t value)
{
    register_write(&ioapic->registers->select, index);
    register_write(&ioapic->registers->window, value);
}

static struct ioapic *ioapic_of(struct irq_chip *chip)
{
    return CONTAINER_OF(chip, struct ioapic, chip);
}

static unsigned low_half(unsigned input)
{
    return IOAPIC_REGISTER_REDIRECT + 2 * input;
}

static void write_entry(struct ioapic *ioapic, unsigned input, uint32_t low, uint32_t high)
{
    uint64_t flags = spinlock_lock_irqsave(&ioapic->lock);

    write_register(ioapic, low_half(input), IOAPIC_MASKED); /* never half an entry in use */
    write_register(ioapic, low_half(input) + 1, high);
    write_register(ioapic, low_half(input), low);
    spinlock_unlock_irqrestore(&ioapic->lock, flags);
}

static void change_low_half(struct ioapic *ioapic, unsigned input, uint32_t clear, uint32_t set)
{
    uint64_t flags = spinlock_lock_irqsave(&ioapic->lock);

    write_register(ioapic, low_half(input), (read_register(ioapic, low_half(input)) & ~clear) | set);
    spinlock_unlock_irqrestore(&ioapic->lock, flags);
}

static void route(struct irq_chip *chip, unsigned input, const struct irq_route *to)
{
    uint32_t low = IOAPIC_MASKED | to->vector;

    if (to->trigger == IRQ_LEVEL)
        low |= IOAPIC_LEVEL;
    if (to->polarity == IRQ_ACTIVE_LOW)
        low |= IOAPIC_ACTIVE_LOW;
    write_entry(ioapic_of(chip), input, low, irq_controller_id(to->cpu) << IOAPIC_DESTINATION_SHIFT);
}

static void mask(struct irq_chip *chip, unsigned input)
{
    change_low_half(ioapic_of(chip), input, 0, IOAPIC_MASKED);
}

static void unmask(struct irq_chip *chip, unsigned input)
{
    change_low_half(ioapic_of(chip), input, IOAPIC_MASKED, 0);
}

/* 0 where there is none: an empty bus answers all ones or zeros. */
INIT static unsigned count_inputs(const struct ioapic *ioapic)
{
    uint32_t version = read_register(ioapic, IOAPIC_REGISTER_VERSION);
    unsigned nr_inputs = (version >> 16 & 0xff) + 1;

    if ((version & 0xff) == 0 || (version & 0xff) == 0xff || nr_inputs > IOAPIC_INPUTS_MAX)
        return 0;
    return nr_inputs;
}

INIT static int start(struct ioapic *ioapic)
{
    ioapic->chip.nr_inputs = count_inputs(ioapic);
    if (ioapic->chip.nr_inputs == 0)
        return -ENODEV;
    for (unsigned input = 0; input < ioapic->chip.nr_inputs; input++)
        write_entry(ioapic, input, IOAPIC_MASKED, 0);
    return irq_chip_register(&ioapic->chip);
}

INIT int ioapic_add(paddr_t base, uint32_t gsi_base)
{
    struct ioapic *ioapic = kmalloc(sizeof(*ioapic), ALLOC_ZERO);
    int error = -ENOMEM;

    if (!ioapic)
        return -ENOMEM;
    ioapic->chip =
        (struct irq_chip){.name = "ioapic", .gsi_base = gsi_base, .route = route, .mask = mask, .unmask = unmask};
    spinlock_init(&ioapic->lock, "ioapic");
    ioapic->registers = device_map(base, sizeof(struct ioapic_registers), MAP_WRITE | MAP_UNCACHED);
    if (!ioapic->registers)
        goto free_ioapic;
    error = start(ioapic);
    if (error)
        goto unmap;
    log_info("apic: IOAPIC at 0x%lx, GSIs %u to %u", base.value, gsi_base, gsi_base + ioapic->chip.nr_inputs - 1);
    return 0;
unmap:
    device_unmap(ioapic->registers);
free_ioapic:
    kfree(ioapic);
    return error;
}

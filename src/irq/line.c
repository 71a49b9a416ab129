/* Lines: chips bring theirs, and masking. */
#include "internal.h"

#include <base/errno.h>
#include <debug/log.h>
#include <mm/kmalloc.h>

struct spinlock irq_table_lock = SPINLOCK_INITIALIZER("irq table");
struct list irq_lines = LIST_INITIALIZER(irq_lines); /* [irq_table_lock] */

static struct spinlock mask_lock = SPINLOCK_INITIALIZER("irq mask");
static struct irq_chip *chips; /* [irq table] */

void irq_line_init(struct irq_line *line, enum line_kind kind)
{
    *line = (struct irq_line){.kind = kind};
    spinlock_init(&line->lock, "irq line");
    list_init(&line->claims);
}

static bool overlaps(const struct irq_chip *a, const struct irq_chip *b)
{
    return (uint64_t)a->gsi_base < (uint64_t)b->gsi_base + b->nr_inputs &&
           (uint64_t)b->gsi_base < (uint64_t)a->gsi_base + a->nr_inputs;
}

static int insert_chip(struct irq_chip *chip)
{
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);
    struct irq_chip **link = &chips;
    int error = 0;

    for (; *link && !error; link = &(*link)->next)
        if (overlaps(*link, chip))
            error = -EEXIST;
    if (!error) {
        chip->next = NULL;
        *link = chip;
    }
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    return error;
}

int irq_chip_register(struct irq_chip *chip)
{
    struct irq_line *lines = kmalloc(chip->nr_inputs * sizeof(struct irq_line), ALLOC_ZERO);
    int error;

    if (!lines)
        return -ENOMEM;
    for (unsigned i = 0; i < chip->nr_inputs; i++) {
        irq_line_init(&lines[i], LINE_INPUT);
        lines[i].chip = chip;
        lines[i].input = i;
        lines[i].mask_depth = 1;
    }
    chip->lines = lines;
    error = insert_chip(chip);
    if (error) {
        chip->lines = NULL;
        kfree(lines);
    }
    return error;
}

struct irq_line *irq_find_line(uint32_t gsi)
{
    assert_held(&irq_table_lock);
    for (struct irq_chip *chip = chips; chip; chip = chip->next)
        if (gsi >= chip->gsi_base && gsi - chip->gsi_base < chip->nr_inputs)
            return &chip->lines[gsi - chip->gsi_base];
    return NULL;
}

void irq_line_mask(struct irq_line *line)
{
    uint64_t flags = spinlock_lock_irqsave(&mask_lock);

    if (line->mask_depth++ == 0 && line->chip)
        line->chip->mask(line->chip, line->input);
    spinlock_unlock_irqrestore(&mask_lock, flags);
}

void irq_line_unmask(struct irq_line *line)
{
    uint64_t flags = spinlock_lock_irqsave(&mask_lock);

    ASSERT(line->mask_depth > 0);
    if (--line->mask_depth == 0 && line->chip)
        line->chip->unmask(line->chip, line->input);
    spinlock_unlock_irqrestore(&mask_lock, flags);
}

void irq_mask(struct irq *irq)
{
    irq_line_mask(irq->line);
}

void irq_unmask(struct irq *irq)
{
    irq_line_unmask(irq->line);
}

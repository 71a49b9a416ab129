/* The vectors of each CPU: who has which. */
#include "internal.h"

#include <base/errno.h>
#include <cpu/percpu.h>
#include <cpu/trap_frame.h>

/* The controller's own are asked for by number, above; 0x20 to 0x2f are where the 8259s were moved to: a stray one of
 * theirs shall meet nobody. */
#define FIRST_DEVICE_VECTOR 0x30
#define LAST_DEVICE_VECTOR  0xef

static PER_CPU struct irq_line *lines[NR_VECTORS]; /* [t] to change; read with interrupts off */

struct irq_line *vector_line(unsigned vector)
{
    struct irq_line **table = (struct irq_line **)this_cpu_pointer(lines);

    return __atomic_load_n(&table[vector], __ATOMIC_ACQUIRE); /* pairs with the release in vector_assign */
}

/* The free vector that shares its priority class (bits 4 to 7) with the fewest: a class holds up to two of each source
 * without loss (SDM 3A 11.8.4). */
static unsigned find_free(void)
{
    unsigned best = 0, best_used = 17;

    for (unsigned class = FIRST_DEVICE_VECTOR; class <= LAST_DEVICE_VECTOR; class += 16) {
        unsigned used = 0, vector = 0;

        for (unsigned i = 16; i-- > 0;) {
            if (vector_line(class + i))
                used++;
            else
                vector = class + i;
        }
        if (vector && used < best_used) {
            best = vector;
            best_used = used;
        }
    }
    return best;
}

int vector_assign(struct irq_line *line, unsigned wanted)
{
    unsigned vector = wanted ? wanted : find_free();
    struct irq_line **table = (struct irq_line **)this_cpu_pointer(lines);

    assert_held(&irq_table_lock);
    if (vector == 0)
        return -ENOSPC;
    if (vector < NR_EXCEPTIONS || vector >= NR_VECTORS)
        return -EINVAL;
    if (vector_line(vector))
        return -EBUSY;
    line->vector = (uint8_t)vector;
    line->cpu = this_cpu_read(percpu.cpu_number);
    __atomic_store_n(&table[vector], line, __ATOMIC_RELEASE);
    return 0;
}

void irq_cpu_init(void)
{
    struct irq_line **table = (struct irq_line **)this_cpu_pointer(lines);
    struct irq_line **boot_table = (struct irq_line **)percpu_of(0, lines);
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);

    for (unsigned vector = NR_EXCEPTIONS; vector < NR_VECTORS; vector++)
        if (boot_table[vector] && (boot_table[vector]->flags & IRQ_EVERY_CPU))
            __atomic_store_n(&table[vector], boot_table[vector], __ATOMIC_RELEASE); /* pairs as in vector_assign */
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
}

/* On the line's own CPU: with interrupts off nobody here is between looking the line up and taking its lock. */
void vector_free(struct irq_line *line)
{
    struct irq_line **table = (struct irq_line **)this_cpu_pointer(lines);

    assert_held(&irq_table_lock);
    ASSERT(table[line->vector] == line && line->cpu == this_cpu_read(percpu.cpu_number));
    __atomic_store_n(&table[line->vector], NULL, __ATOMIC_RELEASE);
}

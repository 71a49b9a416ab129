/* The vectors of each CPU: who has which, and the CPUs' ids. */
#include "internal.h"

#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/trap_frame.h>
#include <debug/test.h>

/* The controller's own are asked for by number, above; 0x20 to 0x2f are where the 8259s were moved to: a stray one of
 * theirs shall meet nobody. */
#define FIRST_DEVICE_VECTOR 0x30
#define LAST_DEVICE_VECTOR  0xef

/* Lines of every CPU. */
#define FIRST_OWN_VECTOR (IPI_LAST_VECTOR + 1)

/* A message names its CPU in 8 bits, of which all ones are every CPU (SDM 3A 11.11.1). An input of an I/O APIC too. */
#define LAST_DEVICE_TARGET 254u

struct cpu_vectors {
    struct irq_line *lines[NR_VECTORS];                 /* [t] to change; read with interrupts off */
    uint64_t own_counts[NR_VECTORS - FIRST_OWN_VECTOR]; /* [c] of lines of every CPU */
    struct irq_line *running; /* [a] written by this CPU: whose handlers it is about to run, or runs */
    uint32_t nr_devices;      /* [t] vectors of devices */
    uint32_t controller_id;   /* [I] once is_open */
    bool is_open;             /* [a] its controller can be sent to */
};

static PER_CPU struct cpu_vectors vectors; /* [t] and [c]: as its fields say */

struct irq_line *vector_line(unsigned vector)
{
    return __atomic_load_n(&this_cpu_pointer(vectors)->lines[vector], __ATOMIC_ACQUIRE); /* pairs with vector_assign */
}

/* Looks again after it has said which: vector_free takes the line out of the table and then waits for who has said it.
 * One of the two sees the other (both sequentially consistent), so a line that is returned stays until vector_leave. */
struct irq_line *vector_enter(unsigned vector)
{
    struct cpu_vectors *own = this_cpu_pointer(vectors);
    struct irq_line *line;

    for (;;) {
        line = __atomic_load_n(&own->lines[vector], __ATOMIC_ACQUIRE); /* pairs with vector_assign */
        if (!line)
            return NULL;
        __atomic_store_n(&own->running, line, __ATOMIC_SEQ_CST);
        if (LIKELY(__atomic_load_n(&own->lines[vector], __ATOMIC_SEQ_CST) == line))
            return line;
        __atomic_store_n(&own->running, NULL, __ATOMIC_RELEASE);
    }
}

void vector_leave(void)
{
    /* pairs with the load in wait_for_end: what the handlers did is done */
    __atomic_store_n(&this_cpu_pointer(vectors)->running, NULL, __ATOMIC_RELEASE);
}

/* The free vector that shares its priority class (bits 4 to 7) with the fewest: a class holds up to two of each source
 * without loss (SDM 3A 11.8.4). [t] */
static unsigned find_free(const struct cpu_vectors *of_cpu)
{
    unsigned best = 0, best_used = 17;

    for (unsigned class = FIRST_DEVICE_VECTOR; class <= LAST_DEVICE_VECTOR; class += 16) {
        unsigned used = 0, vector = 0;

        for (unsigned i = 16; i-- > 0;) {
            if (of_cpu->lines[class + i])
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

/* 0, or why a device's interrupts cannot go there. */
static int check_target(uint32_t cpu)
{
    const struct cpu_vectors *of_cpu;

    if (cpu >= percpu_nr_cpus())
        return -ENODEV;
    of_cpu = percpu_of(cpu, vectors);
    if (!__atomic_load_n(&of_cpu->is_open, __ATOMIC_ACQUIRE)) /* pairs with the release in open_cpu */
        return -ENODEV;
    return of_cpu->controller_id <= LAST_DEVICE_TARGET ? 0 : -ERANGE;
}

/* The CPU with the fewest devices of those that they can reach: the lowest of several. The boot CPU is always one.
 * [t] */
static uint32_t choose_cpu(void)
{
    uint32_t best = 0;

    for (uint32_t cpu = 1; cpu < percpu_nr_cpus(); cpu++)
        if (check_target(cpu) == 0 && percpu_of(cpu, vectors)->nr_devices < percpu_of(best, vectors)->nr_devices)
            best = cpu;
    return best;
}

static void assign(struct irq_line *line, uint32_t cpu, unsigned vector)
{
    struct cpu_vectors *of_cpu = percpu_of(cpu, vectors);

    line->vector = (uint8_t)vector;
    line->cpu = cpu;
    of_cpu->nr_devices += line->kind != LINE_LOCAL;
    __atomic_store_n(&of_cpu->lines[vector], line, __ATOMIC_RELEASE); /* pairs with the readers' acquire */
}

int vector_assign(struct irq_line *line, uint32_t cpu)
{
    int error;
    unsigned vector;

    assert_held(&irq_table_lock);
    if (cpu == IRQ_ANY_CPU)
        cpu = choose_cpu();
    error = cpu == 0 ? 0 : check_target(cpu);
    if (error)
        return error;
    vector = find_free(percpu_of(cpu, vectors));
    if (vector == 0)
        return -ENOSPC;
    assign(line, cpu, vector);
    return 0;
}

int vector_assign_local(struct irq_line *line, unsigned wanted)
{
    struct cpu_vectors *own = this_cpu_pointer(vectors);
    unsigned vector = wanted ? wanted : find_free(own);

    assert_held(&irq_table_lock);
    if (vector == 0)
        return -ENOSPC;
    if (vector < NR_EXCEPTIONS || vector >= NR_VECTORS || ((line->flags & IRQ_EVERY_CPU) && vector < FIRST_OWN_VECTOR))
        return -EINVAL;
    if (own->lines[vector])
        return -EBUSY;
    assign(line, this_cpu_read(percpu.cpu_number), vector);
    return 0;
}

void vector_free(uint32_t cpu, unsigned vector)
{
    struct cpu_vectors *of_cpu = percpu_of(cpu, vectors);

    assert_held(&irq_table_lock);
    ASSERT(of_cpu->lines[vector]);
    of_cpu->nr_devices -= of_cpu->lines[vector]->kind != LINE_LOCAL;
    __atomic_store_n(&of_cpu->lines[vector], NULL, __ATOMIC_SEQ_CST); /* pairs with vector_enter */
}

void vector_wait(uint32_t cpu, const struct irq_line *line)
{
    const struct cpu_vectors *of_cpu = percpu_of(cpu, vectors);

    while (__atomic_load_n(&of_cpu->running, __ATOMIC_SEQ_CST) == line) /* pairs with vector_enter and vector_leave */
        cpu_relax();
}

void vector_count_own(unsigned vector)
{
    uint64_t *count = &this_cpu_pointer(vectors)->own_counts[vector - FIRST_OWN_VECTOR];

    WRITE_ONCE(*count, *count + 1); /* other CPUs read it */
}

uint64_t vector_own_count(uint32_t cpu, unsigned vector)
{
    return READ_ONCE(percpu_of(cpu, vectors)->own_counts[vector - FIRST_OWN_VECTOR]);
}

static void open_cpu(struct cpu_vectors *own)
{
    if (irq_controller())
        own->controller_id = irq_controller()->own_id();
    __atomic_store_n(&own->is_open, true, __ATOMIC_RELEASE); /* pairs with check_target */
}

void vectors_open_boot_cpu(void)
{
    open_cpu(this_cpu_pointer(vectors));
}

void irq_cpu_init(void)
{
    struct cpu_vectors *own = this_cpu_pointer(vectors), *boot = percpu_of(0, vectors);
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);

    for (unsigned vector = NR_EXCEPTIONS; vector < NR_VECTORS; vector++)
        if (boot->lines[vector] && (boot->lines[vector]->flags & IRQ_EVERY_CPU))
            __atomic_store_n(&own->lines[vector], boot->lines[vector], __ATOMIC_RELEASE); /* pairs as in assign */
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    open_cpu(own);
}

void irq_cpu_close(uint32_t cpu)
{
    __atomic_store_n(&percpu_of(cpu, vectors)->is_open, false, __ATOMIC_RELEASE); /* pairs with check_target */
}

uint32_t irq_controller_id(uint32_t cpu)
{
    return percpu_of(cpu, vectors)->controller_id;
}

/* For tests, which leave as many as they found. */
static uint64_t count_taken(void)
{
    uint64_t count = 0;

    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        for (unsigned vector = 0; vector < NR_VECTORS; vector++)
            count += __atomic_load_n(&percpu_of(cpu, vectors)->lines[vector], __ATOMIC_RELAXED) != NULL;
    return count;
}

TEST_COUNTER(vectors, "interrupt vectors", NULL, count_taken);

/* Claims on lines: made and given back. Everything that can fail is done before anything changes. */
#include "internal.h"

#include <base/errno.h>
#include <cpu/percpu.h>
#include <debug/log.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define NR_ISA_IRQS 16

struct isa_route {
    bool is_overridden;
    uint32_t gsi;
    enum irq_trigger trigger;
    enum irq_polarity polarity;
};

static struct isa_route isa_routes[NR_ISA_IRQS]; /* [I] after boot */

static struct irq *claim_new(irq_handler handler, void *context, const char *name)
{
    struct irq *irq = kmalloc(sizeof(*irq), ALLOC_ZERO);

    if (irq)
        *irq = (struct irq){.handler = handler, .context = context, .name = name};
    return irq;
}

/* [t] */
static void add_claim(struct irq_line *line, struct irq *irq)
{
    spinlock_lock_irq_off(&line->lock);
    irq->line = line;
    if (list_is_empty(&line->claims))
        list_add_last(&irq_lines, &line->link);
    list_add_last(&line->claims, &irq->link);
    line->watch = (struct storm_watch){0};
    spinlock_unlock_irq_off(&line->lock);
}

/* [t] */
static int check_sharing(const struct irq_line *line, enum irq_trigger trigger, enum irq_polarity polarity,
                         unsigned flags)
{
    if (list_is_empty(&line->claims))
        return 0;
    if (!(flags & line->flags & IRQ_SHARED) || trigger != IRQ_LEVEL || line->trigger != IRQ_LEVEL ||
        line->polarity != polarity)
        return -EBUSY;
    return 0;
}

/* The first claim on an input. [t] */
static int start_input(struct irq_line *line, enum irq_trigger trigger, enum irq_polarity polarity, unsigned flags)
{
    int error = vector_assign(line, IRQ_ANY_CPU);

    if (error)
        return error;
    line->trigger = trigger;
    line->polarity = polarity;
    line->flags = flags;
    line->is_storming = false;
    line->unclaimed = 0;
    line->chip->route(
        line->chip, line->input,
        &(struct irq_route){.cpu = line->cpu, .vector = line->vector, .trigger = trigger, .polarity = polarity});
    return 0;
}

/* [t] */
static int claim_input(uint32_t gsi, enum irq_trigger trigger, enum irq_polarity polarity, unsigned flags,
                       struct irq *irq)
{
    struct irq_line *line = irq_find_line(gsi);
    int error;

    if (!line || !irq_controller())
        return -ENODEV;
    error = check_sharing(line, trigger, polarity, flags);
    if (error)
        return error;
    if (!list_is_empty(&line->claims)) {
        add_claim(line, irq);
        return 0;
    }
    error = start_input(line, trigger, polarity, flags);
    if (error)
        return error;
    add_claim(line, irq);
    irq_line_unmask(line);
    return 0;
}

int irq_request_gsi(uint32_t gsi, enum irq_trigger trigger, enum irq_polarity polarity, unsigned flags,
                    irq_handler handler, void *context, const char *name, struct irq **irq)
{
    struct irq *claim = claim_new(handler, context, name);
    uint64_t irq_flags;
    int error;

    if (!claim)
        return -ENOMEM;
    irq_flags = spinlock_lock_irqsave(&irq_table_lock);
    error = claim_input(gsi, trigger, polarity, flags, claim);
    if (!error)
        *irq = claim; /* before the first interrupt can come: interrupts are off */
    spinlock_unlock_irqrestore(&irq_table_lock, irq_flags);
    if (error)
        kfree(claim);
    return error;
}

int irq_isa_override(unsigned isa_irq, uint32_t gsi, enum irq_trigger trigger, enum irq_polarity polarity)
{
    if (isa_irq >= NR_ISA_IRQS)
        return -EINVAL;
    isa_routes[isa_irq] =
        (struct isa_route){.is_overridden = true, .gsi = gsi, .trigger = trigger, .polarity = polarity};
    return 0;
}

/* Another ISA interrupt is wired to the input of this one's number (0 to GSI 2, and 2 is the 8259s' cascade). */
static bool is_taken_by_override(unsigned isa_irq)
{
    for (unsigned other = 0; other < NR_ISA_IRQS; other++)
        if (other != isa_irq && isa_routes[other].is_overridden && isa_routes[other].gsi == isa_irq)
            return true;
    return false;
}

int irq_request_isa(unsigned isa_irq, irq_handler handler, void *context, const char *name, struct irq **irq)
{
    struct isa_route route;

    if (isa_irq >= NR_ISA_IRQS)
        return -ENODEV;
    route = isa_routes[isa_irq];
    if (!route.is_overridden) {
        if (is_taken_by_override(isa_irq))
            return -ENODEV;
        route = (struct isa_route){.gsi = isa_irq, .trigger = IRQ_EDGE, .polarity = IRQ_ACTIVE_HIGH};
    }
    return irq_request_gsi(route.gsi, route.trigger, route.polarity, route.trigger == IRQ_LEVEL ? IRQ_SHARED : 0,
                           handler, context, name, irq);
}

/* A line with one claim and no chip: a message to `where`, a CPU, or a vector of this CPU, `where`. */
static int request_plain(enum line_kind kind, uint32_t where, unsigned flags, struct irq *claim, struct irq **irq)
{
    struct irq_line *line = kmalloc(sizeof(*line), ALLOC_ZERO);
    uint64_t irq_flags;
    int error;

    if (!line)
        return -ENOMEM;
    irq_line_init(line, kind);
    line->flags = flags;
    irq_flags = spinlock_lock_irqsave(&irq_table_lock);
    line->own_claim = claim;
    error = kind == LINE_MESSAGE ? vector_assign(line, where) : vector_assign_local(line, where);
    if (!error) {
        add_claim(line, claim);
        *irq = claim;
    }
    spinlock_unlock_irqrestore(&irq_table_lock, irq_flags);
    if (error)
        kfree(line);
    return error;
}

int irq_request_msi(irq_handler handler, void *context, const char *name, struct msi_message *message, struct irq **irq)
{
    return irq_request_msi_to(IRQ_ANY_CPU, handler, context, name, message, irq);
}

int irq_request_msi_to(uint32_t cpu, irq_handler handler, void *context, const char *name, struct msi_message *message,
                       struct irq **irq)
{
    struct irq *claim;
    int error;

    if (!irq_controller())
        return -ENODEV;
    claim = claim_new(handler, context, name);
    if (!claim)
        return -ENOMEM;
    error = request_plain(LINE_MESSAGE, cpu, 0, claim, irq);
    if (error) {
        kfree(claim);
        return error;
    }
    irq_controller()->compose_message(claim->line->cpu, claim->line->vector, message);
    return 0;
}

int irq_request_local(unsigned vector, unsigned flags, irq_handler handler, void *context, const char *name,
                      uint8_t *assigned, struct irq **irq)
{
    struct irq *claim = claim_new(handler, context, name);
    int error;

    if (!claim)
        return -ENOMEM;
    error = request_plain(LINE_LOCAL, vector, flags, claim, irq);
    if (error) {
        kfree(claim);
        return error;
    }
    *assigned = claim->line->vector;
    return 0;
}

/* The last claim goes: masked at the chip, whatever the depth was. [t] */
static void stop_line(struct irq_line *line)
{
    if (line->kind == LINE_INPUT) {
        irq_line_mask(line);
        line->mask_depth = 1;
    }
    list_remove(&line->link);
    vector_free(line->cpu, line->vector);
}

void irq_release(struct irq *irq)
{
    struct irq_line *line = irq->line;
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);
    uint32_t cpu = line->cpu;
    bool is_last;

    ASSERT(!(line->flags & IRQ_EVERY_CPU)); /* they stay for ever */
    spinlock_lock_irq_off(&line->lock);     /* waits for the handlers */
    list_remove(&irq->link);
    is_last = list_is_empty(&line->claims);
    spinlock_unlock_irq_off(&line->lock);
    if (is_last)
        stop_line(line);
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    if (is_last && line->kind != LINE_INPUT) {
        vector_wait(cpu, line);
        kfree(line);
    }
    kfree(irq);
}

/* [t] and [l] */
static int move_input(struct irq_line *line, uint32_t cpu)
{
    uint32_t old_cpu = line->cpu;
    uint8_t old_vector = line->vector;
    int error = vector_assign(line, cpu);

    if (error)
        return error;
    irq_line_mask(line);
    line->chip->route(
        line->chip, line->input,
        &(struct irq_route){
            .cpu = line->cpu, .vector = line->vector, .trigger = line->trigger, .polarity = line->polarity});
    irq_line_unmask(line);
    vector_free(old_cpu, old_vector);
    return 0;
}

int irq_move(struct irq *irq, uint32_t cpu)
{
    struct irq_line *line = irq->line;
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);
    int error = 0;

    if (line->kind != LINE_INPUT) {
        error = -ENOTSUP;
    } else if (line->cpu != cpu) {
        spinlock_lock_irq_off(&line->lock);
        error = move_input(line, cpu);
        spinlock_unlock_irq_off(&line->lock);
        if (!error)
            irq_line_poll(line); /* one that was on its way is nobody's now */
    }
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    return error;
}

int irq_raise(struct irq *irq)
{
    const struct irq_line *line = irq->line;

    if (line->kind == LINE_INPUT || !irq_controller())
        return -ENOTSUP;
    irq_controller()->send_ipi(irq_controller_id(line->cpu), IRQ_IPI_VECTOR, line->vector);
    return 0;
}

bool irq_is_here(const struct irq *irq)
{
    return READ_ONCE(irq->line->cpu) == this_cpu_read(percpu.cpu_number);
}

static uint64_t count_handled(const struct irq_line *line, const struct irq *irq)
{
    uint64_t handled = 0;

    if (!(line->flags & IRQ_EVERY_CPU))
        return irq->handled;
    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        handled += vector_own_count(cpu, line->vector);
    return handled;
}

static void fill_statistics(const struct irq_line *line, const struct irq *irq, struct irq_statistics *statistics)
{
    static const char *const kinds[] = {[LINE_INPUT] = "input", [LINE_MESSAGE] = "message", [LINE_LOCAL] = "local"};

    *statistics = (struct irq_statistics){
        .chip = line->chip ? line->chip->name : kinds[line->kind],
        .gsi = line->chip ? line->chip->gsi_base + line->input : 0,
        .has_gsi = line->chip != NULL,
        .trigger = line->trigger,
        .polarity = line->polarity,
        .cpu = line->flags & IRQ_EVERY_CPU ? IRQ_ALL_CPUS : line->cpu,
        .vector = line->vector,
        .handled = count_handled(line, irq),
        .unclaimed = line->unclaimed,
        .is_masked = READ_ONCE(line->mask_depth) > 0,
        .is_storming = line->is_storming,
    };
    strlcpy(statistics->name, irq->name, sizeof(statistics->name));
}

/* The n-th of those between CPUs that were claimed. */
static bool ipi_statistics(unsigned n, struct irq_statistics *statistics)
{
    for (unsigned vector = IPI_FIRST_VECTOR; vector <= IPI_LAST_VECTOR; vector++) {
        if (!irq_ipi_name(vector) || n-- > 0)
            continue;
        *statistics = (struct irq_statistics){
            .chip = "between CPUs", .trigger = IRQ_EDGE, .cpu = IRQ_ALL_CPUS, .vector = (uint8_t)vector};
        strlcpy(statistics->name, irq_ipi_name(vector), sizeof(statistics->name));
        for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
            statistics->handled += irq_ipi_count(vector, cpu);
        return true;
    }
    return false;
}

bool irq_statistics(unsigned n, struct irq_statistics *statistics)
{
    uint64_t flags = spinlock_lock_irqsave(&irq_table_lock);
    unsigned nr_claims = 0;
    struct irq_line *line;
    struct irq *irq;

    list_for_each_entry (line, &irq_lines, link) {
        list_for_each_entry (irq, &line->claims, link) {
            if (nr_claims++ == n)
                fill_statistics(line, irq, statistics);
        }
    }
    spinlock_unlock_irqrestore(&irq_table_lock, flags);
    return n < nr_claims || ipi_statistics(n - nr_claims, statistics);
}

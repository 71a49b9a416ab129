/* One event source for all CPUs: a machine whose local APICs have no timer that works. It is armed for the earliest
 * moment that any CPU waits for. Its interrupt comes to one CPU, which interrupts the others that are due.
 *
 * As with a CPU's own (timer.c), it is armed for the first moment or an earlier one, never for a later one; an
 * interrupt that finds nothing due arms it anew. */
#include "event_shared.h"

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/log.h>
#include <irq/chip.h>
#include <irq/ipi.h>
#include <time/clock.h>

#include "clock_internal.h"

#define KICK_VECTOR (IPI_LAST_VECTOR - 1)

static struct spinlock lock = SPINLOCK_INITIALIZER("shared event source");
static PER_CPU uint64_t wish_ns;       /* [lock] 0: never asked, or UINT64_MAX: nothing */
static uint64_t armed_ns = UINT64_MAX; /* [lock] */

static bool is_wish(uint64_t deadline_ns)
{
    return deadline_ns != 0 && deadline_ns != UINT64_MAX;
}

void event_shared_program(struct event_source *source, uint64_t deadline_ns)
{
    spinlock_lock_irq_off(&lock);
    this_cpu_write(wish_ns, deadline_ns ? deadline_ns : 1);
    if (deadline_ns < armed_ns) {
        armed_ns = deadline_ns;
        event_arm(source, deadline_ns);
    }
    spinlock_unlock_irq_off(&lock);
}

static void kick(uint32_t cpu)
{
    irq_ipi_send(irq_controller_id(cpu), IRQ_IPI_VECTOR, KICK_VECTOR);
}

/* Takes out whose wish is due, and interrupts those of other CPUs; returns the first of the rest. [lock] */
static uint64_t take_due(uint64_t now_ns)
{
    uint32_t own = this_cpu_read(percpu.cpu_number);
    uint64_t first_ns = UINT64_MAX;

    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++) {
        uint64_t *wish = percpu_of(cpu, wish_ns);

        if (!is_wish(*wish))
            continue;
        if (*wish > now_ns) {
            first_ns = *wish < first_ns ? *wish : first_ns;
            continue;
        }
        *wish = UINT64_MAX;
        if (cpu != own)
            kick(cpu);
    }
    return first_ns;
}

void event_shared_fired(struct event_source *source)
{
    spinlock_lock_irq_off(&lock);
    armed_ns = take_due(clock_now_ns());
    if (armed_ns != UINT64_MAX)
        event_arm(source, armed_ns);
    spinlock_unlock_irq_off(&lock);
}

void event_shared_forget(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    armed_ns = UINT64_MAX;
    spinlock_unlock_irqrestore(&lock, flags);
}

void event_kick_others(void)
{
    uint64_t flags = irq_save();
    uint32_t own = this_cpu_read(percpu.cpu_number);

    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        if (cpu != own)
            kick(cpu);
    irq_restore(flags);
}

INIT void event_kick_init(void)
{
    if (irq_ipi_claim(KICK_VECTOR, timer_kicked, "timers") != 0)
        log_error("timer: vector %u is taken: other CPUs' timers may be late", KICK_VECTOR);
}

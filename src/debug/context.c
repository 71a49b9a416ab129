/* Why a context must not sleep, for the end of the kernel that asked it to. */
#include <cpu/preempt.h>
#include <debug/backtrace.h>
#include <debug/panic.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sync/spinlock.h>

static void describe_lock(char *text, size_t size, const struct spinlock *lock)
{
    char where[120];

    format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)lock->acquired_at, true);
    snprintf(text, size, "lock '%s', taken at %s, is held; give it back first, or take a mutex instead", lock->name,
             where);
}

/* ", since ...": where what is off was turned off, in builds that note it. */
static void add_place(char *text, size_t size, const void *place)
{
    char where[120];

    if (!place)
        return;
    format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)place, true);
    snprintf(text + strlen(text), size - strlen(text), ", since %s", where);
}

void allocation_is_forbidden(const char *function)
{
    panic("allocation in %s: %s; allocate before, use kmalloc, or leave it to a piece of work (dev/work.h)",
          this_cpu_read(percpu.nmi_depth) > 0 ? "an NMI or machine check" : "an interrupt", function);
}

void sleep_is_forbidden(const char *function)
{
    const struct spinlock *lock = this_cpu_read(percpu.held_locks);
    char why[200];

    if (this_cpu_read(percpu.nmi_depth) > 0)
        strlcpy(why, "in an NMI or machine check; leave it to deferred work and that to a piece of work", sizeof(why));
    else if (lock)
        describe_lock(why, sizeof(why), lock);
    else if (this_cpu_read(percpu.interrupt_depth) > 0)
        strlcpy(why, "in an interrupt; leave it to a piece of work (dev/work.h)", sizeof(why));
    else if (preempt_depth() > 0) {
        snprintf(why, sizeof(why), "preemption is off (depth %u)", preempt_depth());
        add_place(why, sizeof(why), preempt_off_place());
    } else {
        strlcpy(why, "interrupts are off", sizeof(why));
        add_place(why, sizeof(why), irqs_off_place());
    }
    panic("sleeping where it is forbidden: %s: %s", function, why);
}

/* Which event source is used, and programming it. */
#include "clock_internal.h"
#include "event_shared.h"

#include <base/errno.h>
#include <cpu/interrupts.h>
#include <debug/log.h>
#include <time/clock.h>

#define TRIAL_NS    (20 * NS_PER_US)
#define PATIENCE_NS (500 * NS_PER_MS) /* an emulator's timers are as late as its host is busy */

static struct event_source *sources; /* [time lock] best first */
static struct event_source *current; /* [a] */
static bool is_tsc_distrusted;       /* [time lock] */

struct event_source *event_source_current(void)
{
    return __atomic_load_n(&current, __ATOMIC_ACQUIRE);
}

void event_arm(struct event_source *source, uint64_t deadline_ns)
{
    uint64_t now = clock_now_ns(), delay;

    delay = deadline_ns > now ? deadline_ns - now : 0;
    if (source->doubt_shift)
        delay += delay >> source->doubt_shift;
    source->arm(source, delay < source->max_delay_ns ? delay : source->max_delay_ns);
}

void event_program(uint64_t deadline_ns)
{
    struct event_source *source = event_source_current();

    if (!source)
        return;
    if (!source->is_per_cpu)
        event_shared_program(source, deadline_ns);
    else if (deadline_ns == UINT64_MAX)
        source->disarm(source);
    else
        event_arm(source, deadline_ns);
}

void event_source_use(struct event_source *source)
{
    struct event_source *old = event_source_current();
    uint64_t flags = irq_save(); /* or the old one could fire, and be armed again, before it is not the one in use */

    if (old && old != source)
        old->disarm(old);
    __atomic_store_n(&current, source, __ATOMIC_RELEASE);
    event_shared_forget();
    timer_reprogram();
    event_kick_others();
    irq_restore(flags);
}

void event_rearm_all(void)
{
    uint64_t flags = irq_save();

    timer_reprogram();
    event_kick_others();
    irq_restore(flags);
}

/* A timer may be dead, or its wire (Bochs 2.7 does not connect its HPET to input 2): nobody shall wait for it. What is
 * armed in the source that is used may share the hardware, and is armed again. */
static bool does_fire(struct event_source *source)
{
    uint64_t before = READ_ONCE(source->nr_fired), begin = clock_now_ns(), flags = irq_save();
    bool has_fired;

    source->arm(source, TRIAL_NS);
    irq_enable();
    while (READ_ONCE(source->nr_fired) == before && clock_now_ns() - begin < PATIENCE_NS)
        cpu_relax();
    irq_disable();
    has_fired = READ_ONCE(source->nr_fired) != before;
    source->disarm(source);
    event_shared_forget();
    irq_restore(flags);
    timer_reprogram();
    return has_fired;
}

/* [time lock] */
static void insert(struct event_source *source)
{
    struct event_source **link = &sources;

    assert_held(&time_lock);
    if (is_tsc_distrusted && source->goes_by_tsc)
        source->rating = 0;
    while (*link && (*link)->rating >= source->rating)
        link = &(*link)->next;
    source->next = *link;
    *link = source;
}

void event_sources_done(void)
{
    event_kick_init();
    if (!event_source_current())
        log_warn("timer: nothing here can interrupt at a moment: timers are polled, and the CPU does not halt");
}

/* Interrupts stay off until it is used: one of them could end the trust in the TSC. */
int event_source_register(struct event_source *source)
{
    uint64_t flags;
    bool is_best;

    if (!does_fire(source))
        return -EIO;
    flags = irq_save();
    spinlock_lock(&time_lock);
    insert(source);
    is_best = sources == source;
    spinlock_unlock(&time_lock);
    if (is_best)
        event_source_use(source);
    irq_restore(flags);
    log_info("timer: %s can interrupt%s", source->name, is_best ? ", in use" : "");
    return 0;
}

/* What goes by it comes last from now on. A source in use that does not is left alone, best or not. */
void event_sources_distrust_tsc(void)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);
    struct event_source *rest = sources, *used, *best;

    is_tsc_distrusted = true;
    sources = NULL;
    while (rest) {
        struct event_source *source = rest;

        rest = source->next;
        insert(source);
    }
    best = sources;
    spinlock_unlock_irqrestore(&time_lock, flags);
    used = event_source_current();
    if (!used || !used->goes_by_tsc)
        return;
    if (best->goes_by_tsc) {
        log_warn("timer: %s goes by the TSC, and nothing else can interrupt: timers fire late or early", used->name);
        return;
    }
    event_source_use(best);
    log_warn("timer: %s goes by the TSC; %s is used", used->name, best->name);
}

struct event_source *event_source_at(unsigned n)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);
    struct event_source *source = sources;

    while (source && n-- > 0)
        source = source->next;
    spinlock_unlock_irqrestore(&time_lock, flags);
    return source;
}

/* Who looks, and when.
 *
 * W1. A CPU that leaves the idle loop watches, and sees to it that its neighbour does: the next CPU in order, and the
 *     first is the last one's. A CPU that watches looks at all others every so often, by a timer of its own.
 * W2. It stops when it has found all of them quiet, itself aside if it is halted as well.
 * W3. A CPU that leaves the idle loop says so first, then looks whether there are watchers; a watcher that stops says
 *     so first, then looks again whether somebody is busy. With a full fence between both, one of them sees the other:
 *     no busy CPU goes unwatched.
 *
 * So whichever CPUs hang, unless it is all, there is one among the others that watches: the neighbour of one of them,
 * which W2 keeps from stopping. While all are idle there is no timer. A CPU that is alone watches itself: its timer is
 * taken back before it halts. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/log.h>
#include <irq/ipi.h>
#include <sched/watch.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/timer.h>

#include "hung.h"
#include "lockup.h"

#define VECTOR_WATCH   0xf3 /* among those of IPIs */
#define LOOKS_PER_TIME 8    /* so many in the shorter of the two times: what is found is found that much late at most */
#define LATE_PERIODS   3    /* a watcher that did not run for so many cannot tell who else did */

struct watcher {
    struct timer timer;   /* [c] */
    uint64_t looked_ns;   /* [c] interrupts off */
    uint32_t is_watching; /* [a] written by its CPU */
};

static PER_CPU struct watcher watcher; /* [c] and [a]: as its fields say */
static uint64_t period_ns;             /* [I] */

/* False where all are quiet, this CPU aside. */
static bool look_at_others(uint64_t now, bool was_late)
{
    uint32_t here = this_cpu_read(percpu.cpu_number), cpu;
    bool is_busy = false;

    cpu_mask_for_each(cpu, smp_online()) if (cpu != here && lockup_look_at(cpu, now, was_late)) is_busy = true;
    return is_busy;
}

bool watch_is_anybody_busy(void)
{
    uint32_t here = this_cpu_read(percpu.cpu_number), cpu;
    struct sched_progress progress;

    cpu_mask_for_each(cpu, smp_online())
    {
        sched_get_progress(cpu, &progress);
        if (cpu == here ? !progress.is_halted : !progress.is_quiet)
            return true;
    }
    return false;
}

static void set_watching(struct watcher *mine, bool is_watching)
{
    /* An exchange is the fence of W3. */
    __atomic_exchange_n(&mine->is_watching, is_watching, __ATOMIC_SEQ_CST);
}

static void go_on(struct watcher *mine, uint64_t now)
{
    mine->looked_ns = now;
    timer_set(&mine->timer, now + period_ns);
}

static void watch_by_timer(struct timer *timer)
{
    struct watcher *mine = CONTAINER_OF(timer, struct watcher, timer);
    uint64_t now = clock_now_ns();
    bool was_late = now - mine->looked_ns > LATE_PERIODS * period_ns;

    if (smp_nr_online() == 1) {
        (void)lockup_look_at(this_cpu_read(percpu.cpu_number), now, was_late);
    } else if (!look_at_others(now, was_late) && !watch_is_anybody_busy()) {
        set_watching(mine, false);
        if (!watch_is_anybody_busy())
            return;
        set_watching(mine, true);
    }
    go_on(mine, now);
}

/* Interrupts off. */
static void begin_to_watch(void)
{
    struct watcher *mine = this_cpu_pointer(watcher);

    if (mine->is_watching)
        return;
    set_watching(mine, true);
    if (!mine->timer.function)
        timer_init(&mine->timer, watch_by_timer);
    go_on(mine, clock_now_ns());
}

/* W1 */
static void cpu_is_busy(void)
{
    uint32_t here = this_cpu_read(percpu.cpu_number), neighbour = smp_next_online(here);

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* W3 */
    begin_to_watch();
    hung_watch();
    if (neighbour != here && !__atomic_load_n(&percpu_of(neighbour, watcher)->is_watching, __ATOMIC_RELAXED))
        irq_ipi_send(smp_apic_id(neighbour), IRQ_IPI_VECTOR, VECTOR_WATCH);
}

static void cpu_is_idle(void)
{
    struct watcher *mine = this_cpu_pointer(watcher);

    if (smp_nr_online() > 1 || !mine->is_watching)
        return;
    (void)timer_cancel(&mine->timer);
    mine->is_watching = false;
}

static const struct sched_watch watch = {.busy = cpu_is_busy, .idle = cpu_is_idle};

INIT void watchdog_init(const struct watchdog_options *options)
{
    uint64_t shorter = options->soft_ns && (!options->hard_ns || options->soft_ns < options->hard_ns)
                           ? options->soft_ns
                           : options->hard_ns;
    uint64_t flags;

    watchdog = *options;
    period_ns = shorter / LOOKS_PER_TIME;
    if (period_ns == 0 || !timer_will_interrupt()) {
        log_info("watchdog: off%s", period_ns ? ", for want of timers that interrupt" : "");
        return;
    }
    if (irq_ipi_claim(VECTOR_WATCH, begin_to_watch, "watchdog") < 0) {
        log_warn("watchdog: off, its vector is taken");
        return;
    }
    sched_set_watch(&watch);
    flags = irq_save();
    cpu_is_busy();
    irq_restore(flags);
}

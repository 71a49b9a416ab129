/* Finds threads that wait too long, without waking a machine where nobody does.
 *
 * A wait can only begin on a busy CPU. So a CPU that gets busy arms the timer, if nobody has, for hung_ns later: what
 * began to wait after that cannot be due before. The timer looks at all threads and is armed again for the first that
 * will be due; or hung_ns later while a CPU is busy; else it is not, as in W3 of watch.c. */
#include "hung.h"

#include <cpu/tsc.h>
#include <debug/log.h>
#include <time/clock.h>
#include <time/timer.h>

#include "lockup.h"
#include "sleepers.h"

#define CHAIN_MAX        16u /* links shown of a chain */
#define REPORTS_PER_LOOK 4u  /* the timer's function must not take for ever; the others come a second later */
#define NEVER            UINT64_MAX

static struct timer timer;
static uint32_t is_armed; /* [a] */

/* With a reference, or NULL. */
static struct thread *get_waited_for(const struct thread_info *info)
{
    uintptr_t address = info->state == THREAD_WAITING ? sleeper_waits_for(info) : 0;
    struct thread *thread;

    thread_for_each(thread) if ((uintptr_t)thread == address) return thread;
    return NULL;
}

static void log_line(const char *line)
{
    log_warn("  %s", line);
}

static bool is_shown(const uint32_t *numbers, unsigned count, uint32_t number)
{
    while (count > 0)
        if (numbers[--count] == number)
            return true;
    return false;
}

static void show_chain(struct thread *thread)
{
    uint32_t numbers[CHAIN_MAX];
    struct thread *link = thread_get(thread), *next;
    struct thread_info info;
    unsigned count = 0;

    while (link && count < CHAIN_MAX && !is_shown(numbers, count, thread_number(link))) {
        thread_get_info(link, &info);
        sleeper_describe(link, &info, log_line);
        sleeper_describe_stack(link, log_line);
        numbers[count++] = info.number;
        next = get_waited_for(&info);
        thread_put(link);
        link = next;
    }
    if (!link) {
        log_warn("  end of the chain, %u thread%s", count, count == 1 ? "" : "s");
        return;
    }
    log_warn(count < CHAIN_MAX ? "  a circle: thread %u is waited for again" : "  and so on, with thread %u",
             thread_number(link));
    thread_put(link);
}

static void report_hung(struct thread *thread, const struct thread_info *info, uint64_t waited_ns)
{
    log_warn("watchdog: hung thread %u '%s': waits for %s for %lu.%lu s", info->number, info->name,
             thread_wait_name(info->wait), waited_ns / NS_PER_S, waited_ns % NS_PER_S / (NS_PER_S / 10));
    show_chain(thread);
}

/* Returns in how many nanoseconds somebody is due; NEVER: nobody waits that was not reported. */
static uint64_t look_at_threads(void)
{
    uint64_t now = tsc_now_ns(), next_ns = NEVER, waited_ns, due_ns;
    unsigned nr_reported = 0;
    struct thread_info info;
    struct thread *thread;

    thread_for_each(thread)
    {
        thread_get_info(thread, &info);
        if (info.state != THREAD_WAITING || !sleeper_should_end(info.wait) || info.waiting_since_ns == 0)
            continue;
        waited_ns = now > info.waiting_since_ns ? now - info.waiting_since_ns : 0;
        due_ns = waited_ns < watchdog.hung_ns ? watchdog.hung_ns - waited_ns : NS_PER_S;
        if (waited_ns >= watchdog.hung_ns) {
            if (nr_reported < REPORTS_PER_LOOK && thread_note_hung(thread, info.waiting_since_ns)) {
                report_hung(thread, &info, waited_ns);
                nr_reported++;
            }
            if (nr_reported < REPORTS_PER_LOOK)
                continue;
        }
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

static void look_for_hung(struct timer *fired)
{
    uint64_t next_ns = look_at_threads();

    if (next_ns == NEVER) {
        if (!watch_is_anybody_busy()) {
            __atomic_exchange_n(&is_armed, 0, __ATOMIC_SEQ_CST); /* the fence of W3 */
            if (!watch_is_anybody_busy() || __atomic_exchange_n(&is_armed, 1, __ATOMIC_SEQ_CST))
                return;
        }
        next_ns = watchdog.hung_ns;
    }
    timer_set(fired, clock_now_ns() + next_ns);
}

void hung_watch(void)
{
    if (!watchdog.hung_ns || __atomic_load_n(&is_armed, __ATOMIC_RELAXED) ||
        __atomic_exchange_n(&is_armed, 1, __ATOMIC_SEQ_CST))
        return;
    if (!timer.function)
        timer_init(&timer, look_for_hung);
    timer_set(&timer, clock_now_ns() + watchdog.hung_ns);
}

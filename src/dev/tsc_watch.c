#include <dev/tsc_watch.h>

#include <dev/work.h>
#include <smp/cpu.h>
#include <smp/tsc.h>
#include <time/clock.h>
#include <time/source.h>

#define COMPARE_EVERY_NS (4 * NS_PER_S)

static uint64_t last_ns; /* [a] */
static uint32_t next;    /* [work] only the piece of it */

static void compare_next(struct work *work)
{
    (void)work;
    next = smp_next_online(next);
    (void)smp_tsc_check(next); /* it says what it finds */
}

static struct work compare_work = {.run = compare_next};

/* Of several CPUs that come by at once one queues it. */
static void compare_later(void)
{
    uint64_t last = __atomic_load_n(&last_ns, __ATOMIC_RELAXED), now = clock_now_ns();

    if (now - last < COMPARE_EVERY_NS || now < last) /* a CPU that is behind sees the future */
        return;
    if (__atomic_compare_exchange_n(&last_ns, &last, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        work_queue(&compare_work);
}

void tsc_watch_init(void)
{
    if (smp_nr_online() > 1)
        clock_watch_connect(compare_later);
}

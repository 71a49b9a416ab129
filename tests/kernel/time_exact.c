/* How exactly the kernel sleeps, on a machine whose time is what it executes (debug/test.h, TEST_EXACT_PREFIX). */
#include <cpu/interrupts.h>
#include <debug/console.h>
#include <debug/test.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

#define LATE_PART 100u /* of the delay: 1 % */

/* The clock may be wrong in the same way as what is armed by it: another counter is asked as well. */
static struct clock_source *other_clock(void)
{
    struct clock_source *source;

    for (unsigned n = 0; (source = clock_source_at(n)) != NULL; n++)
        if (source != clock_source_current() && source->mask / source->frequency_hz >= 2)
            return source;
    return NULL;
}

static bool is_exact(uint64_t slept_ns, uint64_t delay_ns)
{
    return slept_ns >= delay_ns && slept_ns - delay_ns <= delay_ns / LATE_PART;
}

/* What another clock counts may end a count early. */
static bool is_near(uint64_t slept_ns, uint64_t delay_ns)
{
    return slept_ns + delay_ns / LATE_PART >= delay_ns && slept_ns <= delay_ns + delay_ns / LATE_PART;
}

static bool sleep_exactly(const struct event_source *events, uint64_t delay_ns)
{
    struct clock_source *other = other_clock();
    uint64_t count = other ? other->read(other) : 0, begin = clock_now_ns(), slept, by_other = delay_ns;

    sleep_ns(delay_ns);
    slept = clock_now_ns() - begin;
    if (other)
        by_other = ((other->read(other) - count) & other->mask) * NS_PER_S / other->frequency_hz;
    console_printf("%s: %lu ns asked for, %lu slept, %lu by %s\n", events->name, delay_ns, slept, by_other,
                   other ? other->name : "no other clock");
    if (is_exact(slept, delay_ns) && is_near(by_other, delay_ns))
        return true;
    test_fail(__FILE_NAME__, __LINE__, "%s: %lu ns asked for, %lu slept, %lu by another clock", events->name, delay_ns,
              slept, by_other);
    return false;
}

KERNEL_TEST(exact_sleep, TEST_EXACT_PREFIX "sleeping_is_within_1_percent")
{
    static const uint64_t delays_ns[] = {NS_PER_MS, 10 * NS_PER_MS, NS_PER_S};
    struct event_source *used = event_source_current(), *source;

    EXPECT(used);
    for (unsigned n = 0; (source = event_source_at(n)) != NULL; n++) {
        event_source_use(source);
        if (CONFIG_LOCKDEP)
            sleep_ns(NS_PER_MS); /* the lock checker learns once what is taken behind this source's interrupt: 0.1 ms */
        for (unsigned i = 0; i < ARRAY_SIZE(delays_ns); i++)
            (void)sleep_exactly(source, delays_ns[i]);
    }
    event_source_use(used);
}

/* The clock against the next best source: a TSC whose frequency changes, or that stops while the CPU sleeps, is found
 * by what it has gained or lost. There is no timer for it, so that an idle CPU sleeps on: whenever an event or the
 * prompt's idle loop comes by, and the last look is long enough ago. */
#include "clock_internal.h"
#include "clock_math.h"

#include <cpu/interrupts.h>
#include <debug/idle.h>
#include <irq/deferred.h>
#include <lib/format.h>
#include <time/clock.h>

#define LOOK_EVERY_NS NS_PER_S
#define READINGS      3u
#define STRIKES_MAX   3u
/* A reading held up for longer, by a host that was busy, says nothing. */
#define DOUBT_MAX_NS 200000u

struct look {
    uint64_t now_ns, doubt_ns; /* of the clock */
    uint64_t count;            /* of the reference */
};

static struct clock_source *watched, *reference; /* [time lock] whom `last` is of */
static struct look last;                         /* [time lock] */
static unsigned strikes;                         /* [time lock] in a row */

/* The reading of the reference that is closest between two of the clock. */
static struct look take_look(struct clock_source *source)
{
    struct look best = {.doubt_ns = UINT64_MAX};

    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = clock_now_ns();
        uint64_t count = source->read(source);
        uint64_t after = clock_now_ns();

        if (after - before < best.doubt_ns)
            best = (struct look){.now_ns = before + (after - before) / 2, .doubt_ns = after - before, .count = count};
    }
    return best;
}

/* The best but the one in use. */
static struct clock_source *find_reference(const struct clock_source *current)
{
    struct clock_source *source;

    for (unsigned n = 0; (source = clock_source_at(n)) != NULL; n++)
        if (source != current && source->rating > 0)
            return source;
    return NULL;
}

/* Returns the difference in *difference_ns, and true when it is too much. [time lock] */
static bool judge(const struct look *look, int64_t *difference_ns)
{
    uint64_t elapsed = look->now_ns - last.now_ns;
    uint64_t counts = (look->count - last.count) & reference->mask;
    uint64_t by_reference = clock_counts_to_ns(counts, clock_multiplier(reference->frequency_hz));

    *difference_ns =
        clock_difference_ns(elapsed, by_reference, clock_wrap_ns(reference->mask, reference->frequency_hz));
    return clock_has_drifted(elapsed, *difference_ns, look->doubt_ns + last.doubt_ns);
}

/* Signed: another CPU may have looked since now_ns was read. */
static bool is_time(uint64_t now_ns)
{
    return (int64_t)(now_ns - __atomic_load_n(&last.now_ns, __ATOMIC_RELAXED)) >= (int64_t)LOOK_EVERY_NS;
}

/* True when the strikes are enough: *difference_ns off in *elapsed_ns. [time lock] */
static bool look_now(struct clock_source *current, struct clock_source *other, uint64_t *elapsed_ns,
                     int64_t *difference_ns)
{
    struct look look = take_look(other);
    bool is_first = watched != current || reference != other;

    if (!is_first && look.doubt_ns > DOUBT_MAX_NS)
        return false;
    *elapsed_ns = look.now_ns - last.now_ns;
    strikes = !is_first && judge(&look, difference_ns) ? strikes + 1 : 0;
    watched = current;
    reference = other;
    last = look;
    return strikes >= STRIKES_MAX;
}

void clock_watch(void)
{
    struct clock_source *current = clock_source_current(), *other;
    int64_t difference = 0;
    uint64_t elapsed = 0, flags;
    bool is_guilty;
    char reason[112];

    if (!current || !is_time(clock_now_ns()) || (other = find_reference(current)) == NULL)
        return;
    flags = spinlock_lock_irqsave(&time_lock);
    /* Once more: two looks within microseconds would show no drift, and take the strikes back. */
    is_guilty = is_time(clock_now_ns()) && look_now(current, other, &elapsed, &difference);
    spinlock_unlock_irqrestore(&time_lock, flags);
    if (is_guilty) {
        snprintf(reason, sizeof(reason), "%ld ns off in %lu ns by %s", difference, elapsed, other->name);
        clock_source_distrust(current, reason);
    }
}

static void (*compare_cpus)(void); /* [I] */

void clock_watch_connect(void (*compare)(void))
{
    compare_cpus = compare;
}

static void run_watch(struct deferred *deferred)
{
    (void)deferred;
    clock_watch();
}

static struct deferred watch_work = DEFERRED_INITIALIZER(run_watch);

void clock_watch_later(void)
{
    if (compare_cpus)
        compare_cpus();
    if (is_time(clock_now_ns()))
        deferred_queue(&watch_work);
}

IDLE_WORK(clock_watch, clock_watch);

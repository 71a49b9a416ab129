/* The clock: nanoseconds out of whichever counter is best.
 *
 * What turns counts into nanoseconds is kept twice. The writer makes the sequence number odd, changes copy 0, makes it
 * even, changes copy 1; a reader uses the copy that is not being changed, and looks again when the number has changed
 * meanwhile. So a reader in an NMI that interrupted the writer does not wait for it.
 *
 * The clock never goes back: a new source's base is the count first and the old clock's time then, so that it is ahead
 * of the old one by the moment in between. */
#include <time/clock.h>

#include "clock_internal.h"
#include "clock_math.h"

#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <debug/log.h>
#include <time/timer.h>

struct view {
    struct clock_source *source; /* NULL: the TSC as it was at boot */
    uint64_t base_count, base_ns, multiplier;
    bool is_tsc; /* the source is */
};

struct spinlock time_lock = SPINLOCK_INITIALIZER("time");

static struct clock_source *sources; /* [time lock] best first */
static struct view views[2];         /* [time lock] to write; readers go by sequence, as above */
static uint64_t sequence;            /* [a] */
static uint64_t wall_offset_ns;      /* [I] after boot; 0: there is no wall clock */

static NOINLINE uint64_t read_other(const struct view *view)
{
    struct clock_source *source = view->source;

    if (!source)
        return tsc_now_ns();
    return view->base_ns +
           clock_counts_to_ns((source->read(source) - view->base_count) & source->mask, view->multiplier);
}

/* Another CPU's counter may be a little behind that of the one that made the view. */
static ALWAYS_INLINE uint64_t read_view(const struct view *view)
{
    int64_t counts;

    if (UNLIKELY(!view->is_tsc))
        return read_other(view);
    __asm__ volatile("lfence" : : : "memory"); /* not a count from before the view was looked at */
    counts = (int64_t)(rdtsc() - view->base_count);
    return view->base_ns + clock_counts_to_ns(counts < 0 ? 0 : (uint64_t)counts, view->multiplier);
}

uint64_t clock_now_ns(void)
{
    uint64_t before, now;

    do {
        before = __atomic_load_n(&sequence, __ATOMIC_ACQUIRE); /* pairs with the releases in publish */
        now = read_view(&views[before & 1]);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (UNLIKELY(__atomic_load_n(&sequence, __ATOMIC_RELAXED) != before));
    return now;
}

static void publish(const struct view *view)
{
    assert_held(&time_lock);
    __atomic_store_n(&sequence, sequence + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    views[0] = *view;
    __atomic_store_n(&sequence, sequence + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    views[1] = *view;
}

/* From now on counted from here, and by lead_ns later: for a new source, and before the one in use wraps. [time lock]
 */
static void use(struct clock_source *source, uint64_t lead_ns)
{
    struct view view = {
        .source = source, .multiplier = clock_multiplier(source->frequency_hz), .is_tsc = source->is_tsc};

    view.base_count = source->read(source);
    view.base_ns = clock_now_ns() + lead_ns;
    publish(&view);
}

/* [time lock] */
static void select_with_lead(uint64_t lead_ns)
{
    assert_held(&time_lock);
    if (sources && sources->rating > 0 && sources != views[1].source)
        use(sources, lead_ns);
}

void clock_select_locked(void)
{
    select_with_lead(0);
}

static void insert(struct clock_source *source)
{
    struct clock_source **link = &sources;

    while (*link && (*link)->rating >= source->rating)
        link = &(*link)->next;
    source->next = *link;
    *link = source;
}

void clock_source_register(struct clock_source *source)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);

    insert(source);
    clock_select_locked();
    spinlock_unlock_irqrestore(&time_lock, flags);
    log_info("clock: %s, %lu Hz%s", source->name, source->frequency_hz,
             clock_source_current() == source ? ", in use" : "");
    clock_keep_from_wrapping();
}

void clock_source_distrust(struct clock_source *source, const char *reason)
{
    clock_source_distrust_ahead(source, reason, 0);
}

void clock_source_distrust_ahead(struct clock_source *source, const char *reason, uint64_t lead_ns)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);
    struct clock_source **link = &sources;

    while (*link && *link != source)
        link = &(*link)->next;
    if (*link) {
        *link = source->next;
        source->rating = 0;
        insert(source);
        select_with_lead(lead_ns);
    }
    spinlock_unlock_irqrestore(&time_lock, flags);
    log_warn("clock: %s is not trusted any more: %s; %s is used", source->name, reason, clock_source_current()->name);
    if (source->is_tsc)
        event_sources_distrust_tsc();
    if (lead_ns > 0)
        event_rearm_all(); /* what was armed is due earlier by that */
    clock_keep_from_wrapping();
}

struct clock_source *clock_source_at(unsigned n)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);
    struct clock_source *source = sources;

    while (source && n-- > 0)
        source = source->next;
    spinlock_unlock_irqrestore(&time_lock, flags);
    return source;
}

struct clock_source *clock_source_current(void)
{
    return views[1].source;
}

static uint64_t current_wrap_ns(void)
{
    const struct clock_source *source = clock_source_current();

    return source ? clock_wrap_ns(source->mask, source->frequency_hz) : UINT64_MAX;
}

static void rebase(struct timer *timer);
static struct timer wrap_timer = {.function = rebase};

/* Half way: a queue that runs a little late still comes in time. */
static bool set_wrap_timer(void)
{
    uint64_t wrap_ns = current_wrap_ns();

    if (wrap_ns != UINT64_MAX)
        timer_set(&wrap_timer, clock_now_ns() + wrap_ns / 2);
    return wrap_ns != UINT64_MAX;
}

/* Another CPU may have changed the clock meanwhile. What it set or cancelled then is right, and this does not undo it:
 * a timer's function may not cancel it. */
static void rebase(struct timer *timer)
{
    uint64_t flags = spinlock_lock_irqsave(&time_lock);

    (void)timer;
    use(views[1].source, 0);
    spinlock_unlock_irqrestore(&time_lock, flags);
    (void)set_wrap_timer();
}

void clock_keep_from_wrapping(void)
{
    if (!set_wrap_timer())
        (void)timer_cancel(&wrap_timer);
}

void clock_set_wall(uint64_t seconds)
{
    wall_offset_ns = seconds * NS_PER_S - clock_now_ns();
}

uint64_t clock_wall_ns(void)
{
    return wall_offset_ns ? wall_offset_ns + clock_now_ns() : 0;
}

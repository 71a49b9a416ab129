/* The lock checker in the running kernel: what a spinlock tells it, in threads and in interrupts. The graph is tested
 * on the host; what reports look like, by the provoked faults. */
#include <debug/test.h>
#include <dev/work.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <irq/irq.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sync/lockdep_report.h>
#include <sync/mutex.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/timer.h>

static struct lock_finding found; /* the last */
static unsigned nr_found, nr_circles;

static void observe(const struct lock_finding *finding)
{
    found = *finding;
    nr_found++;
    nr_circles += finding->kind == LOCK_FINDING_CIRCLE;
}

/* What was found once is not found again: each run of a test has classes of its own. */
static void make_lock(struct spinlock *lock, const char *name)
{
    static char names[16][LOCK_CLASS_NAME_MAX];
    static unsigned nr_made;
    char *mine = names[nr_made++ % ARRAY_SIZE(names)]; /* the checker copies it when the lock is first taken */

    snprintf(mine, LOCK_CLASS_NAME_MAX, "test %s %u", name, nr_made);
    spinlock_init(lock, mine);
}

static void begin(void)
{
    nr_found = nr_circles = 0;
    lockdep_set_observer(observe);
}

static unsigned end(void)
{
    lockdep_set_observer(NULL);
    return nr_found;
}

static void take_both(struct spinlock *one, struct spinlock *other)
{
    uint64_t flags = spinlock_lock_irqsave(one);

    spinlock_lock(other);
    spinlock_unlock(other);
    spinlock_unlock_irqrestore(one, flags);
}

KERNEL_TEST(lockdep_order, "lockdep/both_orders_are_found_once")
{
    static struct spinlock a, b;

    make_lock(&a, "order a");
    make_lock(&b, "order b");
    begin();
    take_both(&a, &b);
    take_both(&a, &b);
    EXPECT_EQ(end(), 0);
    begin();
    take_both(&b, &a);
    take_both(&b, &a);
    take_both(&a, &b);
    EXPECT_EQ(end(), 1);
    EXPECT_EQ(found.kind, LOCK_FINDING_CIRCLE);
    EXPECT(found.held == b.lockdep.class && found.taken == a.lockdep.class);
    EXPECT_EQ(found.nr_path, 1);
}

KERNEL_TEST(lockdep_try, "lockdep/who_does_not_wait_is_not_in_a_circle")
{
    static struct spinlock a, b;

    make_lock(&a, "try a");
    make_lock(&b, "try b");
    begin();
    take_both(&a, &b);
    spinlock_lock(&b);
    EXPECT(spinlock_try_lock(&a));
    spinlock_unlock(&a);
    spinlock_unlock(&b);
    EXPECT_EQ(end(), 0);
}

KERNEL_TEST(lockdep_number, "lockdep/locks_of_one_class_by_number")
{
    static struct spinlock locks[3];

    make_lock(&locks[0], "number");
    for (unsigned i = 0; i < 3; i++) {
        spinlock_init(&locks[i], locks[0].name);
        if (i > 0)
            lockdep_set_number(&locks[i].lockdep, i);
    }
    begin();
    take_both(&locks[1], &locks[2]);
    EXPECT_EQ(end(), 0);
    begin();
    take_both(&locks[2], &locks[1]);
    EXPECT_EQ(end(), 1);
    EXPECT_EQ(found.kind, LOCK_FINDING_ONE_CLASS);
}

/* The ranks are looked up by name: these are not the locks that have them, but of their classes. */
KERNEL_TEST(lockdep_rank, "lockdep/a_lower_rank_is_refused_on_the_first_try")
{
    static struct spinlock lower = SPINLOCK_INITIALIZER("TSC comparison"), higher = SPINLOCK_INITIALIZER("irq mask");
    static bool is_known;

    begin();
    take_both(&higher, &lower);
    EXPECT_EQ(end(), is_known ? 0 : 1);
    EXPECT(is_known || found.kind == LOCK_FINDING_RANK);
    is_known = true;
}

static enum irq_result take_in_interrupt(void *lock)
{
    spinlock_lock((struct spinlock *)lock);
    spinlock_unlock(lock);
    return IRQ_HANDLED;
}

static bool interrupt(struct spinlock *lock)
{
    struct irq *irq;
    uint8_t vector;

    if (irq_request_local(0, 0, take_in_interrupt, lock, "lockdep", &vector, &irq) != 0)
        return false;
    if (irq_controller()->send_to_self(vector) == 0)
        sleep_ns(NS_PER_MS);
    irq_release(irq);
    return true;
}

KERNEL_TEST(lockdep_interrupt, "lockdep/an_interrupt_and_interrupts_on")
{
    static struct spinlock lock, safe;
    uint64_t flags;

    make_lock(&lock, "interrupt");
    make_lock(&safe, "safe");
    begin();
    EXPECT(interrupt(&safe));
    flags = spinlock_lock_irqsave(&safe);
    spinlock_unlock_irqrestore(&safe, flags);
    EXPECT_EQ(end(), 0);
    begin();
    EXPECT(interrupt(&lock));
    spinlock_lock(&lock);
    spinlock_unlock(&lock);
    EXPECT_EQ(end(), 1);
    EXPECT_EQ(found.kind, LOCK_FINDING_INTERRUPT);
    EXPECT(found.safe == found.open);
}

/* What was interrupted is not what the interrupt holds: no order is learnt from one to the other. */
KERNEL_TEST(lockdep_contexts, "lockdep/an_interrupt_does_not_continue_what_it_interrupted")
{
    static struct spinlock a, b;
    const struct lock_class *class_a, *edge_to = NULL;

    make_lock(&a, "context a");
    make_lock(&b, "context b");
    begin();
    spinlock_lock(&a);
    if (irq_controller()) {
        struct irq *irq;
        uint8_t vector;

        if (irq_request_local(0, 0, take_in_interrupt, &b, "lockdep", &vector, &irq) == 0) {
            (void)irq_controller()->send_to_self(vector);
            for (unsigned i = 0; i < 1000 && !b.lockdep.class; i++)
                cpu_relax();
            spinlock_unlock(&a);
            irq_release(irq);
        }
    }
    EXPECT_EQ(end(), 0);
    class_a = a.lockdep.class;
    EXPECT(class_a && b.lockdep.class);
    for (const struct lock_edge *edge = class_a->out; edge; edge = edge->next_out)
        if (edge->to == b.lockdep.class)
            edge_to = edge->to;
    EXPECT(!edge_to);
}

static struct spinlock waited_under; /* taken by what is waited for while it is held */
static struct mutex waited_under_mutex;
static bool has_run; /* [a] */

static void take_waited_under(void)
{
    uint64_t flags = spinlock_lock_irqsave(&waited_under);

    spinlock_unlock_irqrestore(&waited_under, flags);
    __atomic_store_n(&has_run, true, __ATOMIC_RELEASE);
}

static void wait_until_it_has_run(void)
{
    for (unsigned ms = 0; ms < 1000 && !__atomic_load_n(&has_run, __ATOMIC_ACQUIRE); ms++)
        sleep_ns(NS_PER_MS);
    EXPECT(has_run);
    has_run = false;
}

static void take_in_timer(struct timer *timer)
{
    (void)timer;
    take_waited_under();
}

/* Nothing hangs: the timer is not even set when it is cancelled. Nor is it found a second time. */
KERNEL_TEST(lockdep_timer, "lockdep/a_timer_that_is_waited_for_under_its_lock")
{
    static struct timer timer;
    uint64_t flags;

    make_lock(&waited_under, "of a timer");
    timer_init(&timer, take_in_timer);
    begin();
    timer_set(&timer, clock_now_ns());
    wait_until_it_has_run();
    (void)timer_cancel(&timer);
    EXPECT_EQ(nr_found, 0);
    for (unsigned i = 0; i < 2; i++) {
        flags = spinlock_lock_irqsave(&waited_under);
        (void)timer_cancel(&timer);
        spinlock_unlock_irqrestore(&waited_under, flags);
    }
    EXPECT_EQ(end(), 1);
    EXPECT_EQ(found.kind, LOCK_FINDING_CIRCLE);
    EXPECT_EQ(strcmp(found.taken->name, "timer take_in_timer()"), 0);
    EXPECT(found.held == waited_under.lockdep.class);
}

static void take_in_deferred(struct deferred *deferred)
{
    (void)deferred;
    take_waited_under();
}

KERNEL_TEST(lockdep_deferred, "lockdep/deferred_work_that_is_waited_for_under_its_lock")
{
    static struct deferred deferred = DEFERRED_INITIALIZER(take_in_deferred);

    make_lock(&waited_under, "of deferred work");
    begin();
    deferred_queue(&deferred);
    deferred_flush(&deferred);
    EXPECT(has_run);
    has_run = false;
    EXPECT_EQ(nr_found, 0);
    spinlock_lock(&waited_under); /* interrupts stay on: a finding of its own */
    deferred_flush(&deferred);
    spinlock_unlock(&waited_under);
    EXPECT_EQ(end(), 2);
    EXPECT_EQ(nr_circles, 1);
}

static void take_mutex_in_work(struct work *work)
{
    (void)work;
    mutex_lock(&waited_under_mutex);
    mutex_unlock(&waited_under_mutex);
    __atomic_store_n(&has_run, true, __ATOMIC_RELEASE);
}

KERNEL_TEST(lockdep_work, "lockdep/work_that_is_waited_for_under_its_mutex")
{
    static struct work work = {.run = take_mutex_in_work};
    static char name[LOCK_CLASS_NAME_MAX];
    static unsigned nr_runs;

    snprintf(name, sizeof(name), "test of work %u", nr_runs++);
    mutex_init(&waited_under_mutex, name);
    begin();
    work_queue(&work);
    work_run();
    EXPECT(has_run);
    has_run = false;
    EXPECT_EQ(nr_found, 0);
    mutex_lock(&waited_under_mutex);
    work_run();
    mutex_unlock(&waited_under_mutex);
    EXPECT_EQ(end(), 1);
    EXPECT_EQ(found.kind, LOCK_FINDING_CIRCLE);
}

static enum irq_result take_in_handler(void *context)
{
    (void)context;
    take_waited_under();
    return IRQ_HANDLED;
}

/* Waiting for a handler is taking its line's lock. */
KERNEL_TEST(lockdep_release, "lockdep/an_interrupt_that_is_released_under_its_lock")
{
    struct irq *irq;
    uint64_t flags;
    uint8_t vector;

    make_lock(&waited_under, "of a handler");
    if (!irq_controller() || irq_request_local(0, 0, take_in_handler, NULL, "lockdep", &vector, &irq) != 0)
        return;
    begin();
    (void)irq_controller()->send_to_self(vector);
    wait_until_it_has_run();
    EXPECT_EQ(nr_found, 0);
    flags = spinlock_lock_irqsave(&waited_under);
    irq_release(irq);
    spinlock_unlock_irqrestore(&waited_under, flags);
    (void)end();
    EXPECT(nr_circles > 0);
}

KERNEL_TEST(lockdep_missed, "lockdep/nothing_was_missed")
{
    struct lockdep_figures figures;

    lockdep_get_figures(&figures);
    EXPECT(!figures.is_full);
    EXPECT(figures.bytes_left > 64u * 1024);
    EXPECT(figures.nr_classes > 10 && figures.nr_edges > 5);
}

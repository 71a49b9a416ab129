/* A FIFO thread is not delayed by fair ones, on any CPU. What is counted is what the fair ones did on that CPU between
 * its wake-up and its next instruction: so a host that lets virtual CPUs stand still is not in it. */
#include <cpu/cpu_mask.h>
#include <cpu/percpu.h>
#include <debug/log.h>
#include <debug/test.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/timer.h>

#define WAKE_UPS     50u
#define PERIOD_NS    NS_PER_MS
#define FAIR_PER_CPU 2u
#define PIECE_BYTES  3000u

struct place {
    struct cpu_mask cpu;
    thread_function work; /* of the fair ones */
    struct thread *fair[FAIR_PER_CPU], *fifo;
    uint64_t turns; /* [a] of the fair ones */
    bool must_end;  /* [a] of the fair ones: when the FIFO thread is through, other CPUs may need the host's */

    struct timer timer;
    bool is_due;            /* [a] */
    uint64_t turns_at_wake; /* noted by the timer, in the interrupt that wakes the thread */
    uint64_t woken_ns;      /* the same */
    uint64_t turns_late;    /* the sum of all wake-ups */
    uint64_t sum_ns, most_ns;
};

static bool is_over(const struct place *place)
{
    return __atomic_load_n(&place->must_end, __ATOMIC_RELAXED);
}

static int spin(void *argument)
{
    struct place *place = argument;

    while (!is_over(place))
        __atomic_fetch_add(&place->turns, 1, __ATOMIC_RELAXED);
    return 0;
}

/* In the kernel's own sections without preemption and without interrupts, most of the time. */
static int allocate(void *argument)
{
    struct place *place = argument;

    while (!is_over(place)) {
        void *large = vmalloc(4 * PIECE_BYTES, ALLOC_NORMAL), *small = kmalloc(PIECE_BYTES, ALLOC_NORMAL);

        kfree(small);
        vfree(large);
        __atomic_fetch_add(&place->turns, 1, __ATOMIC_RELAXED);
    }
    return 0;
}

static void wake(struct timer *timer)
{
    struct place *place = CONTAINER_OF(timer, struct place, timer);

    place->turns_at_wake = __atomic_load_n(&place->turns, __ATOMIC_RELAXED);
    place->woken_ns = clock_now_ns();
    __atomic_store_n(&place->is_due, true, __ATOMIC_RELEASE); /* pairs with the acquire in wait_for_timer */
    (void)thread_wake(place->fifo);
}

static void wait_for_timer(struct place *place)
{
    thread_wait_begin(WAIT_EVENT, place);
    while (!__atomic_load_n(&place->is_due, __ATOMIC_ACQUIRE)) {
        (void)!thread_wait_until(UINT64_MAX);
        thread_wait_begin(WAIT_EVENT, place);
    }
    thread_wait_end();
}

/* The FIFO thread. */
static int wake_up_often(void *argument)
{
    struct place *place = argument;

    place->fifo = thread_current();
    timer_init(&place->timer, wake);
    for (unsigned i = 0; i < WAKE_UPS; i++) {
        uint64_t late_ns;

        place->is_due = false;
        timer_set(&place->timer, clock_now_ns() + PERIOD_NS);
        wait_for_timer(place);
        place->turns_late += __atomic_load_n(&place->turns, __ATOMIC_RELAXED) - place->turns_at_wake;
        late_ns = clock_now_ns() - place->woken_ns;
        place->sum_ns += late_ns;
        place->most_ns = late_ns > place->most_ns ? late_ns : place->most_ns;
    }
    (void)timer_cancel(&place->timer);
    __atomic_store_n(&place->must_end, true, __ATOMIC_RELAXED);
    return 0;
}

static bool start(struct place *place, uint32_t cpu, thread_function work)
{
    struct thread_options fair = {.name = "fair", .nice = -20, .affinity = &place->cpu};
    struct thread_options fifo = {.name = "fifo", .class = SCHED_FIFO, .priority = 1, .affinity = &place->cpu};

    *place = (struct place){.work = work};
    cpu_mask_set(&place->cpu, cpu);
    for (unsigned i = 0; i < FAIR_PER_CPU; i++)
        if (thread_create(&place->fair[i], &fair, work, place) != 0)
            return false;
    return thread_create(&place->fifo, &fifo, wake_up_often, place) == 0;
}

static void end(struct place *place)
{
    (void)thread_join(place->fifo, NULL);
    for (unsigned i = 0; i < FAIR_PER_CPU; i++)
        (void)thread_join(place->fair[i], NULL);
}

static void expect_not_delayed(thread_function work, const char *what)
{
    uint32_t nr_cpus = smp_nr_online();
    struct place *places = kmalloc(nr_cpus * sizeof(*places), ALLOC_NORMAL);
    uint64_t turns = 0, sum_ns = 0, most_ns = 0;

    EXPECT(places != NULL);
    for (uint32_t cpu = 0; cpu < nr_cpus; cpu++)
        EXPECT(start(&places[cpu], cpu, work));
    for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
        end(&places[cpu]);
        turns += places[cpu].turns_late;
        sum_ns += places[cpu].sum_ns;
        most_ns = places[cpu].most_ns > most_ns ? places[cpu].most_ns : most_ns;
    }
    log_info(
        "fifo: %u CPUs, beside fair threads that %s: %lu turns of theirs in %u wake-ups, %lu ns on average, %lu at "
        "most",
        nr_cpus, what, turns, nr_cpus * WAKE_UPS, sum_ns / (nr_cpus * WAKE_UPS), most_ns);
    EXPECT_EQ(turns, 0);
    kfree(places);
}

KERNEL_TEST(fifo_beside_spinning, "thread/fifo_is_not_delayed_by_fair_ones_that_spin")
{
    if (timer_will_interrupt())
        expect_not_delayed(spin, "spin");
}

KERNEL_TEST(fifo_beside_allocating, "thread/fifo_is_not_delayed_by_fair_ones_that_allocate")
{
    if (timer_will_interrupt())
        expect_not_delayed(allocate, "allocate");
}

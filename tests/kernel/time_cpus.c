/* One CPU's counter set ahead of the others': noticed, said, and the clock goes back nowhere. Of exact/: what it does
 * to the clock stays for the rest of the boot. Once with the real counter, where the machine lets that be set (QEMU's
 * TCG ignores it, Bochs does it), and once with a source that is the TSC but for what is planted on a CPU. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <debug/test.h>
#include <lib/string.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <smp/ipi.h>
#include <smp/tsc.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

#define MSR_TSC     0x10u /* SDM 4, table 2-2 */
#define AHEAD_PART  20u   /* of a second: 50 ms */
#define NR_READERS  2u
#define PATIENCE_NS (30 * NS_PER_S)
#define AFTER_NS    (200 * NS_PER_MS)

struct reader {
    struct thread *thread;
    uint64_t last_ns, nr_back; /* the thread's, until it is joined */
};

static struct reader readers[NR_READERS];
static bool is_over;     /* [a] */
static bool do_compare;  /* [a] with the other CPU too */
static uint64_t latest;  /* [latest lock] of any CPU */
static uint64_t nr_back; /* [latest lock] */
static struct spinlock latest_lock = SPINLOCK_INITIALIZER("latest time");

/* Both CPUs under one lock: its order is the order of the readings. */
static void read_together(void)
{
    uint64_t flags = spinlock_lock_irqsave(&latest_lock), now = clock_now_ns();

    if (now < latest)
        nr_back++;
    latest = now;
    spinlock_unlock_irqrestore(&latest_lock, flags);
}

static int read_on(void *argument)
{
    struct reader *reader = argument;

    while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
        uint64_t now = clock_now_ns();

        if (now < reader->last_ns)
            reader->nr_back++;
        reader->last_ns = now;
        if (__atomic_load_n(&do_compare, __ATOMIC_ACQUIRE))
            read_together();
        thread_yield();
    }
    return 0;
}

static int start_readers(void)
{
    for (unsigned i = 0; i < NR_READERS; i++) {
        struct cpu_mask only = {0};
        int error;

        cpu_mask_set(&only, i);
        error = thread_create(&readers[i].thread, &(struct thread_options){.name = "reader", .affinity = &only},
                              read_on, &readers[i]);
        if (error)
            return error;
    }
    return 0;
}

static void join_readers(void)
{
    int code;

    __atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < NR_READERS; i++) {
        if (!readers[i].thread)
            continue;
        EXPECT_EQ(thread_join(readers[i].thread, &code), 0);
        EXPECT_EQ(readers[i].nr_back, 0);
    }
}

static void add_to_counter(void *ticks)
{
    wrmsr(MSR_TSC, rdtsc() + *(const uint64_t *)ticks);
}

static uint64_t planted_ticks; /* [a] on CPU 1 */

static uint64_t read_planted(struct clock_source *source)
{
    (void)source;
    return rdtsc() + (this_cpu_read(percpu.cpu_number) == 1 ? READ_ONCE(planted_ticks) : 0);
}

#define PLANTED(source_name)                                                                              \
    {                                                                                                     \
        .name = source_name, .read = read_planted, .mask = UINT64_MAX, .rating = 1000, .is_per_cpu = true \
    }

/* They stay registered, and are never used again. */
static struct clock_source planted[] = {PLANTED("planted"), PLANTED("planted again")};

static void add_to_planted(void *ticks)
{
    WRITE_ONCE(planted_ticks, planted_ticks + *(const uint64_t *)ticks);
}

static bool set_ahead(struct clock_source *source, smp_function add, uint64_t ticks)
{
    struct tsc_distance distance;

    smp_call_one(1, add, &ticks);
    distance = smp_tsc_distance(source, 1);
    return distance.most >= (int64_t)ticks && !distance.do_agree;
}

/* Nothing here asks for a comparison: the events of the clock's own watch have to. */
static void wait_for_notice(const struct clock_source *source)
{
    uint64_t begin = clock_now_ns();

    while (clock_source_current() == source && clock_now_ns() - begin < PATIENCE_NS)
        sleep_ns(10 * NS_PER_MS);
}

/* Tests run on the first CPU, which is behind: the clock has to jump. */
static void check_here(const struct clock_source *source)
{
    (void)source;
    EXPECT_EQ(this_cpu_read(percpu.cpu_number), 0);
    EXPECT(!smp_tsc_check(1));
}

static void compare_for_a_while(const struct clock_source *source)
{
    EXPECT(clock_source_current() != source);
    EXPECT_EQ(source->rating, 0);
    __atomic_store_n(&do_compare, true, __ATOMIC_RELEASE);
    sleep_ns(AFTER_NS);
}

static void plant(struct clock_source *source, smp_function add, void (*notice)(const struct clock_source *source))
{
    uint64_t ticks = tsc_measured_hz() / AHEAD_PART, back = -ticks;

    EXPECT(smp_nr_online() > 1 && clock_source_current() == source);
    if (smp_nr_online() < 2 || clock_source_current() != source)
        return;
    EXPECT(smp_tsc_check_all());
    is_over = do_compare = false;
    latest = nr_back = 0;
    memset(readers, 0, sizeof(readers));
    EXPECT_EQ(start_readers(), 0);
    if (set_ahead(source, add, ticks)) {
        log_info("time: CPU 1's counter is %lu ticks ahead", ticks);
        notice(source);
        compare_for_a_while(source);
        smp_call_one(1, add, &back);
    } else {
        test_fail(__FILE_NAME__, __LINE__, "this CPU's counter cannot be set");
    }
    join_readers();
    EXPECT_EQ(nr_back, 0);
    EXPECT(latest > 0);
}

static void plant_in_source(struct clock_source *source, void (*notice)(const struct clock_source *source))
{
    EXPECT(tsc_measured_hz() > 0 && source->frequency_hz == 0); /* once a boot */
    source->frequency_hz = tsc_measured_hz();
    clock_source_register(source);
    plant(source, add_to_planted, notice);
}

KERNEL_TEST(exact_watched_ahead, TEST_EXACT_PREFIX "a_source_that_is_ahead_on_one_cpu_is_noticed")
{
    plant_in_source(&planted[0], wait_for_notice);
}

KERNEL_TEST(exact_planted_ahead, TEST_EXACT_PREFIX "a_source_that_is_ahead_on_one_cpu_is_dropped")
{
    plant_in_source(&planted[1], check_here);
}

KERNEL_TEST(exact_tsc_ahead, TEST_EXACT_PREFIX "a_tsc_that_is_ahead_on_one_cpu_is_dropped")
{
    struct clock_source *source = clock_source_current();

    EXPECT(source && source->is_tsc);
    if (source && source->is_tsc)
        plant(source, add_to_counter, check_here);
}

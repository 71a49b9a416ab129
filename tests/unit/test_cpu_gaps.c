/* Who asks one CPU after the other, with gaps in the numbers: a CPU that stopped while it joined keeps its own. The
 * sources are compiled as part of this file, so that each CPU of the model has its own of what is per CPU. */
#include "support/unit.h"

#include <string.h>

#include <cpu/percpu.h>

#define CPUS  4u
#define BYTES 256u

static void *copy_of(uint32_t cpu, const void *variable, size_t size);

#undef percpu_of
#undef this_cpu_pointer
#define percpu_of(cpu, variable)   ((__typeof__(&(variable)))copy_of(cpu, &(variable), sizeof(variable)))
#define this_cpu_pointer(variable) percpu_of(percpu.cpu_number, variable)

#include "../../src/smp/online.c"
#include "../../src/smp/tsc.c"
#include "../../src/watchdog/watch.c"

#include "../../src/dev/tsc_watch.c"

#define GAP      2u
#define LAST     3u
#define HZ       1000000000ul
#define SILENT   7u
#define AHEAD_NS 500000ul

static uint64_t copies[CPUS][BYTES / 8];
static struct cpu cpus[CPUS];
static struct cpu *cpus_by_number[CPUS];
static struct cpu_mask asked, looked_at;
static uint32_t interrupted, silent;
static uint64_t now_ns, ahead_ns[CPUS], lead;
static unsigned nr_distrusted;

struct watchdog_options watchdog;

static uint64_t read_model(struct clock_source *source)
{
    return ++now_ns + ahead_ns[percpu.cpu_number];
}

static struct clock_source source = {
    .name = "model", .frequency_hz = HZ, .rating = 100, .is_per_cpu = true, .read = read_model};

static void *copy_of(uint32_t cpu, const void *variable, size_t size)
{
    assert_true(variable == &watcher && cpu < CPUS && size <= BYTES);
    return copies[cpu];
}

void smp_call_one(uint32_t cpu, smp_function function, void *argument)
{
    uint32_t here = percpu.cpu_number;

    assert_true(smp_is_online(cpu));
    cpu_mask_set(&asked, cpu);
    if (cpu == silent)
        return;
    percpu.cpu_number = cpu;
    function(argument);
    percpu.cpu_number = here;
}

void smp_call(const struct cpu_mask *mask, smp_function function, void *argument)
{
    fail_msg("the model's source is no TSC");
}

struct clock_source *clock_source_current(void)
{
    return &source;
}

void clock_source_distrust_ahead(struct clock_source *distrusted, const char *reason, uint64_t ahead)
{
    assert_ptr_equal(distrusted, &source);
    nr_distrusted++;
    lead = ahead;
}

uint64_t tsc_measured_hz(void)
{
    return HZ;
}

void tsc_compare(struct tsc_comparison *comparison, unsigned nr_cpus, unsigned rounds, uint64_t patience_ticks)
{
}

void work_queue(struct work *work)
{
    work->run(work);
}

void clock_watch_connect(void (*watch_now)(void))
{
}

uint64_t clock_now_ns(void)
{
    return now_ns;
}

bool lockup_look_at(uint32_t cpu, uint64_t now, bool was_late)
{
    assert_true(smp_is_online(cpu) && cpu != percpu.cpu_number);
    cpu_mask_set(&looked_at, cpu);
    return true;
}

void hung_watch(void)
{
}

void sched_get_progress(uint32_t cpu, struct sched_progress *progress)
{
    *progress = (struct sched_progress){.is_halted = true, .is_quiet = cpu != LAST};
}

void sched_set_watch(const struct sched_watch *those)
{
}

void timer_init(struct timer *timer, timer_function function)
{
    timer->function = function;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
}

bool timer_cancel(struct timer *timer)
{
    return true;
}

bool timer_will_interrupt(void)
{
    return true;
}

int irq_ipi_claim(unsigned vector, void (*function)(void), const char *name)
{
    return 0;
}

void irq_ipi_send(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument)
{
    interrupted = apic_id;
}

static int start(void **state)
{
    memset(copies, 0, sizeof(copies));
    memset(ahead_ns, 0, sizeof(ahead_ns));
    smp_cpus = cpus_by_number;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        cpus_by_number[cpu] = &cpus[cpu];
        cpus[cpu].apic_id = 10 + cpu;
        smp_set_online(cpu, cpu != GAP);
    }
    percpu.cpu_number = 0;
    asked = looked_at = (struct cpu_mask){0};
    interrupted = 0;
    silent = SILENT;
    nr_distrusted = 0;
    lead = 0;
    next = 0;
    period_ns = 1000;
    return 0;
}

static void all_counters_are_compared_but_the_gaps(void **state)
{
    assert_true(smp_tsc_check_all());
    assert_true(cpu_mask_is_equal(&asked, smp_online()));
    assert_int_equal(nr_distrusted, 0);
}

static void the_last_one_ahead_is_found(void **state)
{
    ahead_ns[LAST] = AHEAD_NS;
    assert_false(smp_tsc_check_all());
    assert_int_equal(nr_distrusted, 1);
    assert_in_range(lead, AHEAD_NS, AHEAD_NS + 100);
}

static void the_comparison_goes_round(void **state)
{
    static const uint32_t turns[] = {1, LAST, 0, 1};

    for (unsigned i = 0; i < ARRAY_SIZE(turns); i++) {
        asked = (struct cpu_mask){0};
        compare_next(&compare_work);
        assert_int_equal(cpu_mask_next(&asked, 0), turns[i]);
        assert_int_equal(cpu_mask_count(&asked), 1);
    }
}

/* It has been given up since somebody looked whether it is online. */
static void who_does_not_answer_says_nothing_of_the_clock(void **state)
{
    silent = LAST;
    assert_true(smp_tsc_check(LAST));
    assert_true(smp_tsc_check_all());
    assert_int_equal(nr_distrusted, 0);
    ahead_ns[1] = AHEAD_NS;
    assert_false(smp_tsc_check(1));
    assert_in_range(lead, AHEAD_NS, AHEAD_NS + 100);
}

static void the_neighbour_is_behind_the_gap(void **state)
{
    static const uint32_t neighbours[CPUS] = {[0] = 1, [1] = LAST, [LAST] = 0};

    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        if (cpu == GAP)
            continue;
        start(state);
        percpu.cpu_number = cpu;
        cpu_is_busy();
        assert_int_equal(interrupted, 10 + neighbours[cpu]);
    }
}

static void a_watcher_looks_at_all_but_the_gaps(void **state)
{
    struct cpu_mask others = *smp_online();

    percpu.cpu_number = 1;
    cpu_mask_clear(&others, 1);
    begin_to_watch();
    watch_by_timer(&this_cpu_pointer(watcher)->timer);
    assert_true(cpu_mask_is_equal(&looked_at, &others));
    assert_true(watch_is_anybody_busy()); /* the last one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_counters_are_compared_but_the_gaps, start),
        cmocka_unit_test_setup(the_last_one_ahead_is_found, start),
        cmocka_unit_test_setup(the_comparison_goes_round, start),
        cmocka_unit_test_setup(who_does_not_answer_says_nothing_of_the_clock, start),
        cmocka_unit_test_setup(the_neighbour_is_behind_the_gap, start),
        cmocka_unit_test_setup(a_watcher_looks_at_all_but_the_gaps, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

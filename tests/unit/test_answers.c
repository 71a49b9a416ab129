/* Flushes and calls asked of CPUs of which one may never answer, and be given up on meanwhile. The sources are compiled
 * as part of this file, so that each CPU of the model has its own of what is per CPU; the CPUs run in turns, whenever
 * the one that asks waits. */
#include "support/unit.h"

#include <string.h>

#include <cpu/interrupts.h>
#include <cpu/percpu.h>

#define CPUS      70u /* two words of a set */
#define VARIABLES 4u
#define BYTES     64u

static void *copy_of(uint32_t cpu, const void *variable, size_t size);
static void model_relax(void);

#undef percpu_of
#undef this_cpu_pointer
#define percpu_of(cpu, variable)   ((__typeof__(&(variable)))copy_of(cpu, &(variable), sizeof(variable)))
#define this_cpu_pointer(variable) percpu_of(percpu.cpu_number, variable)
#define cpu_relax                  model_relax

#include "../../src/smp/answers.c"
#include "../../src/smp/call.c"
#include "../../src/smp/online.c"
#include "../../src/smp/shootdown.c"

#define NEVER   UINT64_MAX
#define POLL_NS 100000ul

static struct {
    const void *variable;
    uint64_t copies[CPUS][BYTES / 8];
} variables[VARIABLES];

static struct cpu cpus[CPUS];
static struct cpu *cpus_by_number[CPUS];
static bool is_raised[CPUS][2]; /* flush, call */
static bool is_stuck[CPUS], is_closed[CPUS];
static uint64_t joins_at[CPUS], given_up_at[CPUS], wakes_at[CPUS]; /* in polls */
static uint64_t nr_polls, polls_max;
static unsigned nr_flushes[CPUS], nr_calls[CPUS];
static tlb_flush_others flush;

static void *copy_of(uint32_t cpu, const void *variable, size_t size)
{
    assert_true(cpu < CPUS && size <= BYTES);
    for (unsigned i = 0; i < VARIABLES; i++) {
        if (!variables[i].variable)
            variables[i].variable = variable;
        if (variables[i].variable == variable)
            return variables[i].copies[cpu];
    }
    fail_msg("more variables than the model has room for");
    return NULL;
}

uint64_t tsc_now_ns(void)
{
    return nr_polls * POLL_NS;
}

void irq_ipi_send(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument)
{
    assert_int_equal(kind, IRQ_IPI_VECTOR);
    is_raised[apic_id][argument == VECTOR_CALL] = true;
}

void irq_cpu_close(uint32_t cpu)
{
    is_closed[cpu] = true;
}

void tlb_set_others(tlb_flush_others flush_others_)
{
    flush = flush_others_;
}

void tlb_flush_local_range(vaddr_t base, uint64_t length)
{
    assert_int_equal(length, PAGE_SIZE);
    nr_flushes[percpu.cpu_number]++;
}

bool tlb_mark_idle(uint32_t cpu)
{
    return false;
}

void test_set_each_cpu(void (*each_cpu)(void (*function)(void *argument), void *argument))
{
}

/* What a CPU does that has come that far. */
static void run_cpu(uint32_t cpu)
{
    uint32_t expected = CPU_JOINING;

    percpu.cpu_number = cpu;
    if (nr_polls >= joins_at[cpu] &&
        __atomic_compare_exchange_n(&cpus[cpu].state, &expected, CPU_ONLINE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        answers_begin();
    for (unsigned i = 0; i < 2; i++) {
        if (!is_raised[cpu][i])
            continue;
        is_raised[cpu][i] = false;
        i == 0 ? shootdown_run_asked() : call_run_asked();
    }
    percpu.cpu_number = 0;
}

static void model_relax(void)
{
    if (++nr_polls > polls_max)
        fail_msg("it is waited for without end");
    for (uint32_t cpu = 1; cpu < CPUS; cpu++) {
        if (nr_polls >= given_up_at[cpu])
            (void)!smp_give_up(cpu);
        if (nr_polls >= wakes_at[cpu])
            is_stuck[cpu] = false;
        if (!is_stuck[cpu])
            run_cpu(cpu);
    }
}

static int start(void **state)
{
    memset(variables, 0, sizeof(variables));
    memset(is_raised, 0, sizeof(is_raised));
    memset(is_stuck, 0, sizeof(is_stuck));
    memset(is_closed, 0, sizeof(is_closed));
    memset(joins_at, 0, sizeof(joins_at));
    memset(nr_flushes, 0, sizeof(nr_flushes));
    memset(nr_calls, 0, sizeof(nr_calls));
    nr_polls = 0;
    polls_max = 1000;
    smp_cpus = cpus_by_number;
    for (uint32_t cpu = CPUS; cpu-- > 0;) {
        cpus_by_number[cpu] = &cpus[cpu];
        cpus[cpu] = (struct cpu){.apic_id = cpu, .state = CPU_ONLINE};
        given_up_at[cpu] = wakes_at[cpu] = NEVER;
        smp_set_online(cpu, true);
        percpu.cpu_number = cpu;
        answers_begin();
    }
    shootdown_init();
    return 0;
}

/* It is online already, and has not got so far as to say so. */
static void is_joining(uint32_t cpu)
{
    *percpu_of(cpu, does_answer) = false;
    cpus[cpu].state = CPU_JOINING;
    joins_at[cpu] = NEVER;
}

static void flush_page(void)
{
    flush(vaddr(0x1000), PAGE_SIZE, true);
    for (uint32_t cpu = 1; cpu < CPUS; cpu++)
        assert_int_equal(nr_flushes[cpu], smp_is_online(cpu) && !is_stuck[cpu]);
}

static void count_call(void *argument)
{
    assert_ptr_equal(argument, &nr_polls);
    nr_calls[percpu.cpu_number]++;
}

static void call_all(void)
{
    smp_call_all(count_call, &nr_polls);
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(nr_calls[cpu], smp_is_online(cpu) && !is_stuck[cpu]);
}

static void (*const ways[])(void) = {flush_page, call_all};

static void all_that_are_online_answer(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        start(state);
        ways[i]();
        assert_int_equal(smp_nr_online(), CPUS);
    }
}

static void who_is_given_up_on_is_not_waited_for(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        start(state);
        for (uint32_t cpu = 2; cpu < CPUS; cpu += 65) {
            is_joining(cpu);
            is_stuck[cpu] = true;
            given_up_at[cpu] = 100 + cpu;
        }
        ways[i]();
        assert_in_range(nr_polls, 167, 168);
        assert_int_equal(smp_nr_online(), CPUS - 2);
        assert_true(is_closed[2] && is_closed[67]);
        assert_int_equal(smp_next_online(1), 3);
        memset(nr_flushes, 0, sizeof(nr_flushes));
        memset(nr_calls, 0, sizeof(nr_calls));
        ways[i](); /* it is not asked any more */
        assert_true(nr_polls < 170);
    }
}

/* The boot CPU waits itself, or is kept from giving up. */
static void who_never_joins_is_given_up_on_by_who_waits(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        start(state);
        is_joining(3);
        is_stuck[3] = true;
        polls_max = PATIENCE_NS / POLL_NS + 100;
        ways[i]();
        assert_in_range(nr_polls, PATIENCE_NS / POLL_NS, polls_max);
        assert_int_equal(cpus[3].state, CPU_LEFT_OUT);
        assert_false(smp_is_online(3));
        assert_int_equal(smp_nr_online(), CPUS - 1);
    }
}

/* However long: only a CPU that joins is given up on. */
static void who_is_online_is_waited_for(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        start(state);
        is_stuck[3] = true;
        wakes_at[3] = 3 * PATIENCE_NS / POLL_NS;
        given_up_at[3] = 10;
        polls_max = wakes_at[3] + 2;
        ways[i]();
        assert_in_range(nr_polls, wakes_at[3], polls_max);
        assert_int_equal(smp_nr_online(), CPUS);
    }
}

/* What it was asked before is done when it has joined, not earlier: until then it may be given up on. */
static void who_joins_late_answers_then(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        start(state);
        is_joining(69);
        joins_at[69] = 500;
        given_up_at[69] = 600;
        ways[i]();
        assert_in_range(nr_polls, 500, 502);
        assert_int_equal(smp_nr_online(), CPUS);
    }
}

/* The interrupts that were sent to it come when it is too late, and its own last step fails. */
static void who_was_given_up_on_does_nothing_late(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        start(state);
        is_joining(5);
        is_stuck[5] = true;
        given_up_at[5] = 50;
        ways[i]();
        is_stuck[5] = false;
        joins_at[5] = 0;
        run_cpu(5);
        assert_int_equal(cpus[5].state, CPU_LEFT_OUT);
        assert_int_equal(nr_flushes[5] + nr_calls[5], 0);
    }
}

/* Two that join and ask each other would wait for each other. */
static void who_joins_asks_nobody(void **state)
{
    start(state);
    is_joining(5);
    percpu.cpu_number = 5;
    assert_true(UNIT_ENDS_KERNEL(flush(vaddr(0), PAGE_SIZE, false)));
    assert_true(UNIT_ENDS_KERNEL(smp_call_all(count_call, NULL)));
    percpu.cpu_number = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_are_online_answer),
        cmocka_unit_test(who_is_given_up_on_is_not_waited_for),
        cmocka_unit_test(who_never_joins_is_given_up_on_by_who_waits),
        cmocka_unit_test(who_is_online_is_waited_for),
        cmocka_unit_test(who_joins_late_answers_then),
        cmocka_unit_test(who_was_given_up_on_does_nothing_late),
        cmocka_unit_test(who_joins_asks_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

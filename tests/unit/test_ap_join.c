/* The last steps of a CPU that starts, with a boot CPU that may run out of patience at each. */
#include "support/unit.h"

#include <setjmp.h>

#include <cpu/interrupts.h>

static void model_halt(void);
#define cpu_halt model_halt
#include "../../src/smp/ap.c"

static struct cpu the_cpu;
static jmp_buf halted;
static unsigned nr_joined, nr_run, nr_answering;
static enum cpu_state given_up_in; /* the state in which the boot CPU takes it out */

const struct cpu_identity *cpu_identity(void)
{
    static const struct cpu_identity identity;

    return &identity;
}

void cpu_features_read(uint32_t words[CPU_NR_WORDS])
{
}

bool cpu_features_extra(const uint32_t words[CPU_NR_WORDS], const uint32_t others[CPU_NR_WORDS], unsigned *cursor,
                        enum cpu_feature *feature)
{
    return false;
}

bool cpu_feature_is_needed(enum cpu_feature feature)
{
    return true;
}

const char *cpu_feature_word(enum cpu_feature feature)
{
    return "";
}

void mtrr_check(uint32_t apic_id)
{
}

struct cpu_place topology_read(uint32_t apic_id)
{
    return (struct cpu_place){0};
}

void tlb_flush_local(void)
{
}

/* Nobody can give up on it any more. */
void answers_begin(void)
{
    assert_int_equal(the_cpu.state, CPU_ONLINE);
    nr_answering++;
}

void machine_halt(void)
{
    longjmp(halted, 1);
}

/* As start.c does when nothing gets on. */
static void give_up(void)
{
    uint32_t expected = given_up_in;

    (void)__atomic_compare_exchange_n(&the_cpu.state, &expected, CPU_LEFT_OUT, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED);
}

/* The boot CPU has settled its number. */
static void model_halt(void)
{
    assert_int_equal(the_cpu.state, CPU_READY);
    the_cpu.state = CPU_JOINING;
}

static int begin_here(void)
{
    return 0;
}

static void join_here(void)
{
    nr_joined++;
    give_up();
}

static void run_here(void)
{
    nr_run++;
    longjmp(halted, 1);
}

static const struct smp_cpu_steps steps = {.begin = begin_here, .join = join_here, .run = run_here};
const struct smp_cpu_steps *smp_steps = &steps;

static void start(enum cpu_state state)
{
    the_cpu = (struct cpu){.state = CPU_EXPECTED};
    given_up_in = state;
    nr_joined = nr_run = nr_answering = 0;
    if (state == CPU_EXPECTED)
        give_up();
    if (setjmp(halted) == 0)
        ap_main(&the_cpu);
}

static void who_joins_in_time_runs(void **state)
{
    start(CPU_ONLINE);
    assert_int_equal(the_cpu.state, CPU_ONLINE);
    assert_int_equal(nr_answering, 1);
    assert_int_equal(nr_run, 1);
}

static void who_comes_late_does_nothing(void **state)
{
    start(CPU_EXPECTED);
    assert_int_equal(the_cpu.state, CPU_LEFT_OUT);
    assert_int_equal(nr_joined, 0);
    assert_int_equal(nr_run, 0);
}

/* Nobody would tell it which mappings to forget. */
static void who_joins_late_does_not_run(void **state)
{
    start(CPU_JOINING);
    assert_int_equal(the_cpu.state, CPU_LEFT_OUT);
    assert_int_equal(nr_answering, 0);
    assert_int_equal(nr_run, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_joins_in_time_runs),
        cmocka_unit_test(who_comes_late_does_nothing),
        cmocka_unit_test(who_joins_late_does_not_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* CPUs asked where they are, and stopped: how long that may take, and what a CPU says that was asked twice. The source
 * is compiled as part of this file, so that each CPU of the model has a record of its own. */
#include "support/unit.h"

#include <string.h>

/* The host's C library has none: the kernel's own under the name it has here (lib.cmake). */
#define strlcpy keel_strlcpy
#include <cpu/percpu.h>
#include <debug/report_cpus.h>

#define CPUS 8u

struct where;
static struct where *record_of(uint32_t cpu, const struct where *own);

#undef percpu_of
#undef this_cpu_pointer
#define percpu_of(cpu, variable)   record_of(cpu, &(variable))
#define this_cpu_pointer(variable) record_of(percpu.cpu_number, &(variable))
#define RFLAGS_IF                  (1u << 9)
#include "../../src/smp/where.c"

#define NEVER   UINT64_MAX
#define STEP_NS 20000ul /* the clock's, each time it is read */

static struct where records[CPUS];
static const struct report_cpus *reports_cpus;
static struct cpu_mask online;
static uint64_t now_ns;
static uint64_t takes_nmi_at[CPUS]; /* when it takes the NMI it has */
static bool has_nmi[CPUS], is_answering_another[CPUS];
static unsigned nr_sent;
static uint32_t asker;
static jmp_buf halted;

static struct where *record_of(uint32_t cpu, const struct where *own)
{
    return &records[cpu];
}

static void take_nmi(uint32_t cpu)
{
    uint32_t here = percpu.cpu_number;
    struct trap_frame frame = {0};

    has_nmi[cpu] = false;
    percpu.cpu_number = cpu;
    if (setjmp(halted) == 0)
        assert_true(smp_answer_nmi(&frame));
    percpu.cpu_number = here;
}

uint64_t tsc_now_ns(void)
{
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        if (has_nmi[cpu] && now_ns >= takes_nmi_at[cpu])
            take_nmi(cpu);
    return now_ns += STEP_NS;
}

/* A CPU that answers another's question meanwhile has this NMI when it has said so. */
void irq_ipi_send(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument)
{
    struct trap_frame frame = {0};
    uint32_t here = percpu.cpu_number;

    assert_int_equal(kind, IRQ_IPI_NMI);
    nr_sent++;
    has_nmi[apic_id] = true;
    if (is_answering_another[apic_id]) {
        percpu.cpu_number = apic_id;
        tell(&frame, TOLD_WHERE);
        percpu.cpu_number = here;
    }
}

const struct cpu_mask *smp_online(void)
{
    return &online;
}

uint32_t smp_nr_online(void)
{
    return cpu_mask_count(&online);
}

uint32_t smp_apic_id(uint32_t cpu)
{
    return cpu;
}

void report_set_cpus(const struct report_cpus *those)
{
    reports_cpus = those;
}

void report_format_thread(char *buffer, size_t size)
{
    strlcpy(buffer, "boot", size);
}

void machine_halt(void)
{
    assert_int_not_equal(percpu.cpu_number, asker); /* who asks goes on */
    longjmp(halted, 1);
}

void backtrace_begin(struct backtrace *walk, const struct trap_frame *frame)
{
}

bool backtrace_next(struct backtrace *walk, struct backtrace_frame *frame)
{
    return false;
}

static void start(void)
{
    memset(records, 0, sizeof(records));
    memset(takes_nmi_at, 0, sizeof(takes_nmi_at));
    memset(has_nmi, 0, sizeof(has_nmi));
    memset(is_answering_another, 0, sizeof(is_answering_another));
    online = (struct cpu_mask){.words = {(1u << CPUS) - 1}};
    percpu.cpu_number = 0;
    asker = 0;
    nr_sent = 0;
    now_ns = 0;
    where_init();
}

static unsigned nr_lines;
static char last_line[256];

static void keep_line(const char *line)
{
    nr_lines++;
    strlcpy(last_line, line, sizeof(last_line));
}

static void all_stop_and_are_told_together(void **state)
{
    start();
    reports_cpus->stop_others();
    assert_int_equal(nr_sent, CPUS - 1);
    nr_lines = 0;
    reports_cpus->describe_others(keep_line);
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line, "CPU 1 to 7: stopped, thread boot and others"));
}

/* A second for all that are silent, not for each. */
static void many_that_do_not_answer_are_not_waited_for_one_by_one(void **state)
{
    start();
    for (uint32_t cpu = 1; cpu < CPUS; cpu += 2)
        takes_nmi_at[cpu] = NEVER;
    reports_cpus->stop_others();
    assert_in_range(now_ns, PATIENCE_NS, 3 * PATIENCE_NS);
    reports_cpus->describe_others(keep_line);
    assert_string_equal(last_line, "CPU 1, 3, 5, 7: no answer to an NMI");
}

/* Each answers after half a second, one after the other, as on a host that is busy: all are waited for. */
static void many_that_are_slow_are_waited_for(void **state)
{
    start();
    for (uint32_t cpu = 1; cpu < CPUS; cpu++)
        takes_nmi_at[cpu] = cpu * PATIENCE_NS / 2;
    reports_cpus->stop_others();
    nr_lines = 0;
    reports_cpus->describe_others(keep_line);
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line, "CPU 1 to 7: stopped"));
}

/* What it says to another CPU's question is no answer to this one. */
static void who_answers_another_question_is_waited_for_until_it_stops(void **state)
{
    start();
    is_answering_another[2] = true;
    takes_nmi_at[2] = PATIENCE_NS / 10;
    reports_cpus->stop_others();
    nr_lines = 0;
    reports_cpus->describe_others(keep_line);
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line, "CPU 1 to 7: stopped"));
}

/* It may be halted with NMIs off: it is not asked, and what it said stays. */
static void who_has_stopped_by_itself_is_not_asked(void **state)
{
    struct trap_frame frame = {0};

    start();
    percpu.cpu_number = 3;
    reports_cpus->say_stopped(&frame);
    percpu.cpu_number = 0;
    takes_nmi_at[3] = NEVER;
    reports_cpus->stop_others();
    assert_int_equal(nr_sent, CPUS - 2);
    assert_true(now_ns < PATIENCE_NS);
    nr_lines = 0;
    reports_cpus->describe_others(keep_line);
    assert_int_equal(nr_lines, 1);
}

/* One that fails before it is online: the others are those that are. */
static void a_cpu_that_is_not_online_has_others(void **state)
{
    start();
    online = (struct cpu_mask){.words = {1}};
    assert_int_equal(reports_cpus->nr_others(), 0);
    percpu.cpu_number = asker = 5;
    assert_int_equal(reports_cpus->nr_others(), 1);
    reports_cpus->stop_others();
    assert_int_equal(nr_sent, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_stop_and_are_told_together),
        cmocka_unit_test(many_that_do_not_answer_are_not_waited_for_one_by_one),
        cmocka_unit_test(many_that_are_slow_are_waited_for),
        cmocka_unit_test(who_answers_another_question_is_waited_for_until_it_stops),
        cmocka_unit_test(who_has_stopped_by_itself_is_not_asked),
        cmocka_unit_test(a_cpu_that_is_not_online_has_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

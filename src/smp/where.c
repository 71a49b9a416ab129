/* Where other CPUs are. One CPU asks at a time; who is asked writes down its callers and its locks in its own record,
 * in an NMI, and goes on or stops. The record is read afterwards, when its CPU has said that it is complete. */
#include <smp/where.h>

#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/reset.h>
#include <cpu/tsc.h>
#include <debug/backtrace.h>
#include <debug/report_cpus.h>
#include <debug/report_hooks.h>
#include <irq/ipi.h>
#include <lib/format.h>
#include <lib/string.h>
#include <smp/ipi.h>
#include <sync/spinlock.h>

#include "internal.h"

#define FRAMES_MAX      24u
#define LOCKS_MAX       4u
#define THREAD_NAME_MAX 24u
#define LINE_MAX        200u
#define PATIENCE_NS     1000000000ul /* since the last answer: an NMI is taken within microseconds, but by an emulator */
#define POLLS_MIN       100000u      /* where the clock jumps */

enum question { NOTHING_ASKED, ASKED_WHERE, ASKED_TO_STOP };
enum answer { NOTHING_TOLD, TOLD_WHERE, TOLD_STOPPED }; /* the last for good; each answers those before it, too */

struct where {
    uint32_t question; /* [a] enum question */
    uint32_t answer;   /* [a] enum answer; what follows is complete */
    uint32_t nr_frames, nr_locks;
    uint32_t interrupt_depth, preempt_depth;
    bool are_interrupts_on;
    bool has_more_frames;
    char thread[REPORT_THREAD_MAX];
    struct backtrace_frame frames[FRAMES_MAX];
    struct {
        const char *name;
        const void *taken_at;
    } locks[LOCKS_MAX];
};

static PER_CPU struct where where; /* [a] its CPU writes; read once it says that it is complete */
static uint32_t is_asking;         /* [a] */

static void note_callers(struct where *mine, const struct trap_frame *frame)
{
    struct backtrace walk;
    struct backtrace_frame step;

    mine->nr_frames = 0;
    mine->has_more_frames = false;
    for (backtrace_begin(&walk, frame); backtrace_next(&walk, &step);) {
        if (mine->nr_frames == FRAMES_MAX) {
            mine->has_more_frames = true;
            return;
        }
        mine->frames[mine->nr_frames++] = step;
    }
}

static void note_locks(struct where *mine)
{
    mine->nr_locks = 0;
    for (const struct spinlock *lock = this_cpu_read(percpu.held_locks); lock && mine->nr_locks < LOCKS_MAX;
         lock = lock->held_below) {
        mine->locks[mine->nr_locks].name = lock->name;
        mine->locks[mine->nr_locks++].taken_at = lock->acquired_at;
    }
}

static void tell(const struct trap_frame *frame, enum answer answer)
{
    struct where *mine = this_cpu_pointer(where);

    note_callers(mine, frame);
    note_locks(mine);
    mine->interrupt_depth = this_cpu_read(percpu.interrupt_depth);
    mine->preempt_depth = preempt_depth();
    mine->are_interrupts_on = (frame->rflags & RFLAGS_IF) != 0;
    report_format_thread(mine->thread, sizeof(mine->thread));
    __atomic_store_n(&mine->answer, answer, __ATOMIC_RELEASE); /* pairs with the acquire in has_answered */
}

bool smp_answer_nmi(const struct trap_frame *frame)
{
    struct where *mine = this_cpu_pointer(where);
    uint32_t question = __atomic_exchange_n(&mine->question, NOTHING_ASKED, __ATOMIC_ACQUIRE);

    if (question == NOTHING_ASKED)
        return false;
    tell(frame, question == ASKED_TO_STOP ? TOLD_STOPPED : TOLD_WHERE);
    if (question == ASKED_TO_STOP)
        machine_halt();
    return true;
}

static void say_stopped(const struct trap_frame *frame)
{
    tell(frame, TOLD_STOPPED);
}

/* Not where it has stopped by itself: it takes no NMI perhaps. */
static void ask(uint32_t cpu, enum question question)
{
    struct where *its = percpu_of(cpu, where);
    uint32_t before = TOLD_WHERE;

    if (!__atomic_compare_exchange_n(&its->answer, &before, NOTHING_TOLD, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
        before == TOLD_STOPPED)
        return;
    __atomic_store_n(&its->question, question, __ATOMIC_RELEASE); /* pairs with the acquire in smp_answer_nmi */
    irq_ipi_send(smp_apic_id(cpu), IRQ_IPI_NMI, 0);
}

static bool has_answered(uint32_t cpu, enum answer wanted)
{
    return __atomic_load_n(&percpu_of(cpu, where)->answer, __ATOMIC_ACQUIRE) >= wanted; /* pairs with tell */
}

struct patience {
    uint64_t since_ns;
    unsigned nr_polls;
};

static bool is_over(const struct patience *patience)
{
    return patience->nr_polls >= POLLS_MIN && tsc_now_ns() - patience->since_ns >= PATIENCE_NS;
}

/* NMIs only: no timer, no interrupt works here. */
static void wait_for(uint32_t cpu, enum answer wanted, struct patience *patience)
{
    if (has_answered(cpu, wanted))
        return;
    while (!is_over(patience)) {
        if (has_answered(cpu, wanted)) { /* they get on */
            *patience = (struct patience){.since_ns = tsc_now_ns()};
            return;
        }
        patience->nr_polls++;
        cpu_relax();
    }
}

static struct cpu_mask others(void)
{
    struct cpu_mask mask = *smp_online();

    cpu_mask_clear(&mask, this_cpu_read(percpu.cpu_number));
    return mask;
}

static void ask_all(enum question question)
{
    enum answer wanted = question == ASKED_TO_STOP ? TOLD_STOPPED : TOLD_WHERE;
    struct patience patience = {.since_ns = tsc_now_ns()};
    struct cpu_mask mask = others();
    uint32_t cpu;

    cpu_mask_for_each(cpu, &mask) ask(cpu, question);
    cpu_mask_for_each(cpu, &mask) wait_for(cpu, wanted, &patience);
}

void smp_stop_others(void)
{
    ask_all(ASKED_TO_STOP); /* whoever else is asking stops, too */
}

static bool ask_others(void)
{
    if (__atomic_exchange_n(&is_asking, 1, __ATOMIC_ACQUIRE))
        return false;
    ask_all(ASKED_WHERE);
    return true;
}

static void end_asking(void)
{
    __atomic_store_n(&is_asking, 0, __ATOMIC_RELEASE); /* pairs with the acquire in ask_others */
}

static uint32_t nr_others(void)
{
    struct cpu_mask mask = others(); /* a CPU that is not online yet has one more */

    return cpu_mask_count(&mask);
}

static bool is_same_place(const struct where *a, const struct where *b)
{
    if (a->nr_frames != b->nr_frames || a->nr_locks != 0 || b->nr_locks != 0 || a->answer != b->answer ||
        a->interrupt_depth != b->interrupt_depth || a->preempt_depth != b->preempt_depth ||
        a->are_interrupts_on != b->are_interrupts_on)
        return false;
    for (uint32_t i = 0; i < a->nr_frames; i++)
        if (a->frames[i].kind != b->frames[i].kind || a->frames[i].kind == BACKTRACE_EXCEPTION ||
            a->frames[i].address != b->frames[i].address)
            return false;
    return true;
}

/* "CPU 1, 2, 5 to 7": those of the set; as many as fit. */
static size_t format_cpus(char *line, size_t size, const struct cpu_mask *mask)
{
    size_t length = (size_t)snprintf(line, size, "CPU");
    uint32_t first, last;

    for (first = cpu_mask_next(mask, 0); first < CPU_MAX && length + 16 < size; first = cpu_mask_next(mask, last + 1)) {
        for (last = first; last + 1 < CPU_MAX && cpu_mask_has(mask, last + 1);)
            last++;
        length += (size_t)snprintf(line + length, size - length, "%s %u", length > 3 ? "," : "", first);
        if (last > first)
            length += (size_t)snprintf(line + length, size - length, " to %u", last);
    }
    return length;
}

static void describe_frames(const struct where *its, void (*write)(const char *line))
{
    char line[LINE_MAX], text[160];

    for (uint32_t i = 0; i < its->nr_frames; i++) {
        if (its->frames[i].kind == BACKTRACE_EXCEPTION)
            strlcpy(text, "-- exception or interrupt, in:", sizeof(text));
        else
            format_code_location(text, sizeof(text), its->frames[i].address, its->frames[i].kind == BACKTRACE_RETURN);
        snprintf(line, sizeof(line), "  %s", text);
        write(line);
    }
    if (its->has_more_frames)
        write("  and more");
}

static void describe_locks(const struct where *its, void (*write)(const char *line))
{
    char line[LINE_MAX], text[128];

    for (uint32_t i = 0; i < its->nr_locks; i++) {
        format_code_location(text, sizeof(text), (uint64_t)(uintptr_t)its->locks[i].taken_at, true);
        snprintf(line, sizeof(line), "  holds '%s' taken at %s", its->locks[i].name, text);
        write(line);
    }
}

/* All of `same` are where its CPU is. */
static void describe_place(const struct where *its, const struct cpu_mask *same, void (*write)(const char *line))
{
    char line[LINE_MAX];
    size_t length = format_cpus(line, sizeof(line) / 2, same);

    snprintf(
        line + length, sizeof(line) - length, ": %s, thread %s%s, interrupt depth %u, preemption off %u, interrupts %s",
        its->answer == TOLD_STOPPED ? "stopped" : "running", its->thread, cpu_mask_count(same) > 1 ? " and others" : "",
        its->interrupt_depth, its->preempt_depth, its->are_interrupts_on ? "on" : "off");
    write(line);
    describe_locks(its, write);
    describe_frames(its, write);
}

/* CPUs at the same place, idle as a rule, are told together. */
static void describe_others(void (*write)(const char *line))
{
    struct cpu_mask left = others(), same, silent = {0};
    char line[LINE_MAX];
    uint32_t cpu, other;

    for (cpu = cpu_mask_next(&left, 0); cpu < CPU_MAX; cpu = cpu_mask_next(&left, cpu + 1)) {
        if (!has_answered(cpu, TOLD_WHERE)) {
            cpu_mask_set(&silent, cpu);
            continue;
        }
        cpu_mask_clear_all(&same);
        cpu_mask_set(&same, cpu);
        for (other = cpu_mask_next(&left, cpu + 1); other < CPU_MAX; other = cpu_mask_next(&left, other + 1)) {
            if (!has_answered(other, TOLD_WHERE) || !is_same_place(percpu_of(cpu, where), percpu_of(other, where)))
                continue;
            cpu_mask_set(&same, other);
            cpu_mask_clear(&left, other);
        }
        describe_place(percpu_of(cpu, where), &same, write);
    }
    if (cpu_mask_is_empty(&silent))
        return;
    strlcpy(line + format_cpus(line, sizeof(line) - 32, &silent), ": no answer to an NMI", 32);
    write(line);
}

static const struct report_cpus cpus = {
    .nr_others = nr_others,
    .stop_others = smp_stop_others,
    .ask_others = ask_others,
    .say_stopped = say_stopped,
    .describe_others = describe_others,
    .end_asking = end_asking,
};

INIT void where_init(void)
{
    report_set_cpus(&cpus);
}

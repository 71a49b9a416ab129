#include "lockup.h"

#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <debug/report.h>
#include <irq/ipi.h>
#include <lib/format.h>
#include <sched/watch.h>
#include <smp/cpu.h>
#include <smp/ipi.h>
#include <time/clock.h>

#define NMIS_MAX     4u /* one may be lost in another's; so many were not taken: the CPU is beyond that */
#define NS_PER_TENTH (NS_PER_S / 10)
#define WORDS_MAX    120
#define ASK_FRACTION \
    4 /* asked after a quarter of the shorter time: an interrupt a CPU takes anyhow within microseconds */

enum note_state { FINE, ASKED, ACCUSED, REPORTED };

struct note {
    uint32_t is_taken; /* [a] */
    enum note_state state;
    uint64_t nr_looks; /* of the scheduler, when it was last seen to get on */
    uint64_t since_ns; /* when that was */
    uint64_t nr_asks;  /* reschedule interrupts it had taken when it was asked */
    uint32_t nr_nmis;
    uint64_t stuck_ns;   /* when it was found to hang; 0: not yet; written before accusation */
    uint32_t accuser;    /* the same */
    uint32_t accusation; /* [a] enum lockup; taken by the CPU itself */
};

static PER_CPU struct note note; /* [a] and [c]: as its fields say */
static uint64_t nr_lockups;      /* [a] */
static uint32_t is_reporting;    /* [a] one report at a time, or their lines would mix */

struct watchdog_options watchdog; /* [I] */

uint64_t watchdog_nr_lockups(void)
{
    return __atomic_load_n(&nr_lockups, __ATOMIC_RELAXED);
}

static bool is_own(uint32_t cpu)
{
    return cpu == this_cpu_read(percpu.cpu_number);
}

static uint64_t shorter_time(void)
{
    return watchdog.soft_ns && (!watchdog.hard_ns || watchdog.soft_ns < watchdog.hard_ns) ? watchdog.soft_ns
                                                                                          : watchdog.hard_ns;
}

static void report(const struct trap_frame *frame, uint32_t cpu, enum lockup kind, const struct note *its,
                   const char *how)
{
    static const char *const words[] = {
        [LOCKUP_SOFT] = "soft lockup: CPU %u has let no other thread in for %lu.%lu s, found by CPU %u%s",
        [LOCKUP_HARD] = "hard lockup: CPU %u has taken no interrupt for %lu.%lu s, found by CPU %u%s",
    };
    char text[WORDS_MAX];
    struct report lockup = {.frame = frame, .cr2 = read_cr2(), .class_words = text};

    snprintf(text, sizeof(text), words[kind], cpu, its->stuck_ns / NS_PER_S, its->stuck_ns % NS_PER_S / NS_PER_TENTH,
             its->accuser, how);
    __atomic_add_fetch(&nr_lockups, 1, __ATOMIC_RELAXED);
    if (watchdog.action == LOCKUP_PANIC)
        report_fatal(&lockup);
    report_notice(&lockup);
}

bool watchdog_answer_nmi(const struct trap_frame *frame)
{
    struct note *mine = this_cpu_pointer(note);
    uint32_t kind = __atomic_exchange_n(&mine->accusation, LOCKUP_NONE, __ATOMIC_ACQUIRE); /* pairs with accuse */

    if (kind == LOCKUP_NONE)
        return false;
    report(frame, this_cpu_read(percpu.cpu_number), (enum lockup)kind, mine, "");
    __atomic_store_n(&is_reporting, 0, __ATOMIC_RELEASE);
    return true;
}

static void report_from_here(uint32_t cpu, enum lockup kind, const struct note *its, const char *how)
{
    struct trap_frame frame;

    capture_registers(&frame);
    report(&frame, cpu, kind, its, how);
    __atomic_store_n(&is_reporting, 0, __ATOMIC_RELEASE); /* pairs with the acquire in accuse */
}

static void accuse(uint32_t cpu, struct note *its, enum lockup kind, uint64_t now)
{
    if (its->stuck_ns == 0)
        its->stuck_ns = now - its->since_ns;
    if (__atomic_exchange_n(&is_reporting, 1, __ATOMIC_ACQUIRE))
        return; /* at the next look */
    its->accuser = this_cpu_read(percpu.cpu_number);
    its->state = ACCUSED;
    its->nr_nmis = 1;
    if (is_own(cpu)) {
        its->state = REPORTED;
        report_from_here(cpu, kind, its, "");
        return;
    }
    __atomic_store_n(&its->accusation, kind, __ATOMIC_RELEASE); /* pairs with watchdog_answer_nmi */
    irq_ipi_send(smp_apic_id(cpu), IRQ_IPI_NMI, 0);
}

/* Has it reported? Its NMI may have been taken together with one of another kind. */
static void follow_up(uint32_t cpu, struct note *its)
{
    uint32_t kind;

    if (__atomic_load_n(&its->accusation, __ATOMIC_RELAXED) == LOCKUP_NONE) {
        its->state = REPORTED;
    } else if (its->nr_nmis < NMIS_MAX) {
        its->nr_nmis++;
        irq_ipi_send(smp_apic_id(cpu), IRQ_IPI_NMI, 0);
    } else {
        kind = __atomic_exchange_n(&its->accusation, LOCKUP_NONE, __ATOMIC_ACQUIRE);
        its->state = REPORTED;
        if (kind != LOCKUP_NONE)
            report_from_here(cpu, (enum lockup)kind, its, ", and takes no NMI");
    }
}

static void ask(uint32_t cpu, struct note *its)
{
    its->state = ASKED;
    its->nr_asks = ipi_count(cpu, IPI_RESCHEDULE);
    if (is_own(cpu))
        preempt_request(); /* this is an interrupt of it */
    else
        ipi_reschedule(cpu);
}

static void judge(uint32_t cpu, struct note *its, uint64_t now)
{
    uint64_t stuck_ns = now - its->since_ns;
    bool takes_interrupts = is_own(cpu) || ipi_count(cpu, IPI_RESCHEDULE) != its->nr_asks;

    if (takes_interrupts && watchdog.soft_ns && stuck_ns >= watchdog.soft_ns)
        accuse(cpu, its, LOCKUP_SOFT, now);
    else if (!takes_interrupts && watchdog.hard_ns && stuck_ns >= watchdog.hard_ns)
        accuse(cpu, its, LOCKUP_HARD, now);
}

static void note_progress(uint32_t cpu, struct note *its, const struct sched_progress *progress, uint64_t now)
{
    uint64_t stuck_ns = now - its->since_ns;

    if (its->state == REPORTED)
        log_info("watchdog: CPU %u goes on, after %lu.%lu s", cpu, stuck_ns / NS_PER_S,
                 stuck_ns % NS_PER_S / NS_PER_TENTH);
    if (its->state == ACCUSED && __atomic_exchange_n(&its->accusation, LOCKUP_NONE, __ATOMIC_ACQUIRE) != LOCKUP_NONE)
        __atomic_store_n(&is_reporting, 0, __ATOMIC_RELEASE); /* it will not report */
    its->state = FINE;
    its->stuck_ns = 0;
    its->nr_looks = progress->nr_looks;
    its->since_ns = now;
}

static void look(uint32_t cpu, struct note *its, uint64_t now)
{
    switch (its->state) {
    case FINE:
        if (now - its->since_ns >= shorter_time() / ASK_FRACTION)
            ask(cpu, its);
        break;
    case ASKED:
        judge(cpu, its, now);
        break;
    case ACCUSED:
        follow_up(cpu, its);
        break;
    case REPORTED:
        break;
    }
}

bool lockup_look_at(uint32_t cpu, uint64_t now, bool was_late)
{
    struct note *its = percpu_of(cpu, note);
    struct sched_progress progress;

    sched_get_progress(cpu, &progress);
    if (__atomic_exchange_n(&its->is_taken, 1, __ATOMIC_ACQUIRE)) /* pairs with the release below */
        return !progress.is_quiet;
    if (its->since_ns == 0)
        its->since_ns = now; /* the first look at it: it may not have been there for long */
    if (now < its->since_ns)
        now = its->since_ns; /* somebody who read the clock later has looked in between */
    if (progress.is_quiet || progress.nr_looks != its->nr_looks)
        note_progress(cpu, its, &progress, now);
    else if (was_late && its->state <= ASKED)
        its->since_ns = now;
    else
        look(cpu, its, now);
    __atomic_store_n(&its->is_taken, 0, __ATOMIC_RELEASE);
    return !progress.is_quiet;
}

#include <debug/sysrq.h>

#include <cpu/percpu.h>
#include <cpu/reset.h>
#include <debug/backtrace.h>
#include <debug/console.h>
#include <debug/idle.h>
#include <debug/log.h>
#include <debug/report_cpus.h>
#include <lib/format.h>
#include <sync/spinlock.h>

#define NR_LETTERS 26u
#define NO_LETTER  (1u << NR_LETTERS) /* something else was typed */

uint32_t sysrq_asked;       /* [a] a bit for each letter */
static uint32_t is_running; /* [a] requests that are not urgent, on some CPU */

static uint32_t bit_of(char letter)
{
    return letter >= 'a' && letter <= 'z' ? 1u << (letter - 'a') : NO_LETTER;
}

static void show_help(void)
{
    for (const struct sysrq *sysrq = __table_sysrqs_start; sysrq < __table_sysrqs_end; sysrq++)
        log_info("  %c  %s", sysrq->letter, sysrq->summary);
}

SYSRQ(help, .letter = 'h', .summary = "these requests", .run = show_help);

static void log_line(const char *line)
{
    log_info("%s", line);
}

/* Those of what was interrupted. */
static void show_own_locks(void)
{
    char where[128];

    for (const struct spinlock *held = this_cpu_read(percpu.held_locks); held; held = held->held_below) {
        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)held->acquired_at, true);
        log_info("  holds '%s' taken at %s", held->name, where);
    }
}

/* This CPU's stack from here through the interrupt down to what was interrupted; where the others are. */
static void show_stacks(void)
{
    const struct report_cpus *cpus = report_cpus();

    backtrace_log();
    show_own_locks();
    if (!cpus || cpus->nr_others() == 0)
        return;
    if (!cpus->ask_others()) {
        log_warn("another CPU is asking where all CPUs are");
        return;
    }
    cpus->describe_others(log_line);
    cpus->end_asking();
}

SYSRQ(stacks, .letter = 't', .summary = "the stack of each CPU and the locks it holds", .run = show_stacks);

static void reboot(void)
{
    console_flush();
    machine_reset();
}

SYSRQ(reboot, .letter = 'b', .is_urgent = true, .summary = "reset the machine at once", .run = reboot);

static uint32_t urgent_letters(void)
{
    uint32_t letters = 0;

    for (const struct sysrq *sysrq = __table_sysrqs_start; sysrq < __table_sysrqs_end; sysrq++)
        if (sysrq->is_urgent)
            letters |= bit_of(sysrq->letter);
    return letters;
}

static void run_letters(uint32_t letters)
{
    for (const struct sysrq *sysrq = __table_sysrqs_start; sysrq < __table_sysrqs_end; sysrq++) {
        if (!(letters & bit_of(sysrq->letter)))
            continue;
        letters &= ~bit_of(sysrq->letter);
        log_info("system request %c: %s", sysrq->letter, sysrq->summary);
        sysrq->run();
    }
    if (letters) {
        log_info("there is no such system request, but these:");
        show_help();
    }
}

void sysrq_ask(char letter)
{
    __atomic_fetch_or(&sysrq_asked, bit_of(letter), __ATOMIC_RELEASE); /* pairs with the acquires in sysrq_run_asked */
}

void sysrq_run_asked(void)
{
    uint32_t urgent;

    if (!sysrq_is_asked())
        return;
    urgent = urgent_letters();
    run_letters(__atomic_fetch_and(&sysrq_asked, ~urgent, __ATOMIC_ACQUIRE) & urgent);
    /* Looked at again after is_running is 0: what was left to a run that was just ending. Sequentially consistent, for
     * the store and the load after it must keep their order. */
    while (__atomic_load_n(&sysrq_asked, __ATOMIC_SEQ_CST) != 0 &&
           !__atomic_exchange_n(&is_running, 1, __ATOMIC_SEQ_CST)) {
        run_letters(__atomic_exchange_n(&sysrq_asked, 0, __ATOMIC_ACQUIRE));
        __atomic_store_n(&is_running, 0, __ATOMIC_SEQ_CST);
    }
}

/* Of inputs that are polled, where no interrupt comes. */
IDLE_WORK(sysrq, sysrq_run_asked);

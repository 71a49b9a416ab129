#include "machine_check.h"

#include <base/address.h>
#include <cpu/features.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/idle.h>
#include <debug/log.h>
#include <debug/report.h>
#include <lib/format.h>
#include <time/clock.h>
#include <time/timer.h>
#include <trap/counters.h>
#include <trap/trap.h>

#include "machine_check_decode.h"
#include "physical_owner.h"

/* SDM 4 table 2-2. */
#define MSR_MCG_CAP     0x179u
#define MSR_MCG_STATUS  0x17au
#define MSR_MCG_CTL     0x17bu
#define MSR_MC0_CTL     0x400u
#define MCG_CAP_COUNT   0xffu
#define MCG_CAP_CTL     (1u << 8)
#define MCG_STATUS_RIPV (1u << 0) /* the interrupted code can go on at RIP */
#define CR4_MCE         (1u << 6)
#define ALL_ERRORS      (~(uint64_t)0)

struct bank {
    unsigned number;
    uint64_t status, address, misc;
};

static uint64_t nr_errors; /* [a] */
static bool is_present;    /* [I] set on the boot CPU: no CPU runs that has less */

static unsigned bank_msr(unsigned bank, unsigned which)
{
    return MSR_MC0_CTL + 4 * bank + which;
}

static unsigned nr_banks(void)
{
    return (unsigned)rdmsr(MSR_MCG_CAP) & MCG_CAP_COUNT;
}

/* Takes an error out of a bank. Returns false when there is none. Address and misc may be read only where they are
 * valid. */
static bool bank_read(unsigned number, struct bank *bank)
{
    *bank = (struct bank){.number = number, .status = rdmsr(bank_msr(number, 1))};
    if (!(bank->status & MCI_STATUS_VALID))
        return false;
    if (bank->status & MCI_STATUS_ADDRESS_VALID)
        bank->address = rdmsr(bank_msr(number, 2));
    if (bank->status & MCI_STATUS_MISC_VALID)
        bank->misc = rdmsr(bank_msr(number, 3));
    return true;
}

static void bank_clear(unsigned number)
{
    wrmsr(bank_msr(number, 1), 0);
}

#define LINE_MAX 200

static void format_status(const struct bank *bank, char *line, size_t size)
{
    char flags[64], code[96];

    machine_check_format_flags(flags, sizeof(flags), bank->status);
    machine_check_format_code(code, sizeof(code), bank->status);
    snprintf(line, size, "bank %u status 0x%016lx %s: %s", bank->number, bank->status, flags, code);
}

static void format_address(const struct bank *bank, char *line, size_t size)
{
    char owner[96] = "no address given";

    if (bank->status & MCI_STATUS_ADDRESS_VALID)
        describe_physical_owner(paddr(bank->address), owner, sizeof(owner));
    snprintf(line, size, "bank %u address 0x%016lx misc 0x%016lx: %s", bank->number, bank->address, bank->misc, owner);
}

static void log_bank(const struct bank *bank, const char *kind)
{
    char line[LINE_MAX];

    format_status(bank, line, sizeof(line));
    log_warn("machine check: %s: CPU %u %s", kind, this_cpu_read(percpu.cpu_number), line);
    format_address(bank, line, sizeof(line));
    log_warn("machine check: %s: CPU %u %s", kind, this_cpu_read(percpu.cpu_number), line);
}

static const char *error_kind(const struct bank *bank)
{
    return bank->status & MCI_STATUS_UNCORRECTED ? "uncorrected error" : "corrected error";
}

static void log_all_banks(void)
{
    struct bank bank;

    for (unsigned i = 0, count = nr_banks(); i < count; i++)
        if (bank_read(i, &bank)) {
            log_bank(&bank, error_kind(&bank));
            bank_clear(i);
            __atomic_add_fetch(&nr_errors, 1, __ATOMIC_RELAXED);
        }
}

uint64_t trap_machine_check_count(void)
{
    return __atomic_load_n(&nr_errors, __ATOMIC_RELAXED);
}

void machine_check_init(void)
{
    const struct cpu_identity *cpu = cpu_identity();

    if (!cpu_has(CPU_MCE) || !cpu_has(CPU_MCA)) {
        if (this_cpu_read(percpu.cpu_number) != 0)
            return;
        log_info("machine check: this CPU does not report hardware errors");
        return;
    }
    if (rdmsr(MSR_MCG_CAP) & MCG_CAP_CTL)
        wrmsr(MSR_MCG_CTL, ALL_ERRORS);
    log_all_banks(); /* left by the firmware or by the crash that made it reset */
    for (unsigned i = 0, count = nr_banks(); i < count; i++) {
        if (machine_check_may_control(cpu->vendor, cpu->family, cpu->model, i))
            wrmsr(bank_msr(i, 0), ALL_ERRORS);
        bank_clear(i);
    }
    wrmsr(MSR_MCG_STATUS, 0);
    write_cr4(read_cr4() | CR4_MCE);
    is_present = true;
}

static void report_banks(const void *unused)
{
    char line[LINE_MAX];
    struct bank bank;

    (void)unused;
    report_line("machine check: global status 0x%016lx", rdmsr(MSR_MCG_STATUS));
    for (unsigned i = 0, count = nr_banks(); i < count; i++) {
        if (!bank_read(i, &bank))
            continue;
        format_status(&bank, line, sizeof(line));
        report_line("machine check: %s", line);
        format_address(&bank, line, sizeof(line));
        report_line("machine check: %s", line);
    }
}

/* The first bank with an error that was not corrected, or -1. */
static int find_uncorrected(struct bank *bank)
{
    for (unsigned i = 0, count = nr_banks(); i < count; i++)
        if (bank_read(i, bank) && (bank->status & MCI_STATUS_UNCORRECTED))
            return (int)i;
    return -1;
}

/* No error is recovered from yet: what is uncorrected has damaged something that a retry would use. The banks are left
 * as they are, so that firmware finds them after the reset. */
void machine_check_handle(struct trap_frame *frame)
{
    char code[96], words[160];
    struct bank bank;
    int found = find_uncorrected(&bank);

    if (found < 0 && (rdmsr(MSR_MCG_STATUS) & MCG_STATUS_RIPV)) {
        log_all_banks();
        wrmsr(MSR_MCG_STATUS, 0);
        return;
    }
    if (found < 0) {
        snprintf(words, sizeof(words), "fatal machine check: no bank says why");
    } else {
        machine_check_format_code(code, sizeof(code), bank.status);
        snprintf(words, sizeof(words), "fatal machine check in bank %d: %s", found, code);
    }
    report_fatal(&(struct report){.frame = frame, .cr2 = read_cr2(), .class_words = words, .details = report_banks});
}

void machine_check_poll(void)
{
    if (is_present)
        log_all_banks();
}

IDLE_WORK(machine_check, machine_check_poll);

/* Corrected errors raise no exception, and not every CPU can raise an interrupt for them (CMCI, SDM 3B 16.5), which is
 * not used yet: the banks are looked at now and then, those of the boot CPU while it is halted, too. */
static uint64_t poll_period_ns; /* [I] */

static void poll_by_timer(struct timer *timer)
{
    machine_check_poll();
    timer_set(timer, clock_now_ns() + poll_period_ns);
}

void trap_start_machine_check_poll(uint64_t period_ns)
{
    static struct timer poll_timer;

    if (period_ns == 0 || !is_present || nr_banks() == 0)
        return;
    poll_period_ns = period_ns;
    timer_init(&poll_timer, poll_by_timer);
    timer_set(&poll_timer, clock_now_ns() + period_ns);
}

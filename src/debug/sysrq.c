#include <debug/sysrq.h>

#include <cpu/reset.h>
#include <debug/backtrace.h>
#include <debug/console.h>
#include <debug/log.h>

static void show_help(void)
{
    for (const struct sysrq *sysrq = __table_sysrqs_start; sysrq < __table_sysrqs_end; sysrq++)
        log_info("  %c  %s", sysrq->letter, sysrq->summary);
}

SYSRQ(help, .letter = 'h', .summary = "these requests", .run = show_help);

/* The one CPU's: its stack from here through the interrupt down to what was interrupted. */
SYSRQ(stacks, .letter = 't', .summary = "the stack of each CPU", .run = backtrace_log);

static void reboot(void)
{
    console_flush();
    machine_reset();
}

SYSRQ(reboot, .letter = 'b', .summary = "reset the machine at once", .run = reboot);

void sysrq_run(char letter)
{
    for (const struct sysrq *sysrq = __table_sysrqs_start; sysrq < __table_sysrqs_end; sysrq++) {
        if (sysrq->letter == letter) {
            log_info("system request %c: %s", letter, sysrq->summary);
            sysrq->run();
            return;
        }
    }
    log_info("system request %c is not known:", letter);
    show_help();
}

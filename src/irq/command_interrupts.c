/* interrupts: who has which vector, and how often it came. */
#include <base/errno.h>
#include <cpu/trap_frame.h>
#include <debug/command.h>
#include <debug/console.h>
#include <irq/chip.h>
#include <irq/irq.h>
#include <lib/format.h>

static void print_claim(const struct irq_statistics *s)
{
    char source[48], cpu[12] = "all";

    if (s->has_gsi)
        snprintf(source, sizeof(source), "%s GSI %u %s %s", s->chip, s->gsi, s->trigger == IRQ_LEVEL ? "level" : "edge",
                 s->polarity == IRQ_ACTIVE_LOW ? "low" : "high");
    else
        snprintf(source, sizeof(source), "%s", s->chip);
    if (s->cpu != IRQ_ALL_CPUS)
        snprintf(cpu, sizeof(cpu), "%u", s->cpu);
    console_printf("%3u  %3s  %10lu  %9lu  %-26s %s%s\n", s->vector, cpu, s->handled, s->unclaimed, source, s->name,
                   s->is_storming ? " (storm: masked)"
                   : s->is_masked ? " (masked)"
                                  : "");
}

static int run_interrupts(int argc, char **argv)
{
    struct irq_statistics statistics;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    if (!irq_controller()) {
        console_printf("there is no interrupt controller\n");
        return 0;
    }
    console_printf("controller: %s\n", irq_controller()->name);
    console_printf("vec  cpu     handled  unclaimed  source                     handler\n");
    for (unsigned n = 0; irq_statistics(n, &statistics); n++)
        print_claim(&statistics);
    return 0;
}

COMMAND(interrupts, .name = "interrupts", .arguments = "", .summary = "interrupt sources, their vectors and counts",
        .run = run_interrupts);

/* cpus: which CPUs run, where they sit, and what interrupts them. */
#include <base/errno.h>
#include <cpu/percpu.h>
#include <debug/command.h>
#include <debug/console.h>
#include <smp/cpu.h>
#include <smp/ipi.h>

static void print_cpu(uint32_t cpu)
{
    struct cpu_place place = smp_place(cpu);

    console_printf("%3u  %7u  %7u  %4u  %6u  %-7s  %10lu", cpu, smp_apic_id(cpu), place.package, place.core,
                   place.thread, smp_is_online(cpu) ? "online" : "lost",
                   READ_ONCE(percpu_of(cpu, percpu)->nr_interrupts));
    for (unsigned kind = 0; kind < IPI_KINDS; kind++)
        console_printf("  %10lu", ipi_count(cpu, (enum ipi_kind)kind));
    console_printf("\n");
}

static int run_cpus(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("cpu  APIC id  package  core  thread  state    interrupts");
    for (unsigned kind = 0; kind < IPI_KINDS; kind++)
        console_printf("  %10s", ipi_name((enum ipi_kind)kind));
    console_printf("\n");
    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        print_cpu(cpu);
    return 0;
}

COMMAND(cpus, .name = "cpus", .arguments = "", .summary = "show the CPUs, their places and their interrupts",
        .run = run_cpus, .details = "IPIs, which are among the interrupts, are counted in the last columns.");

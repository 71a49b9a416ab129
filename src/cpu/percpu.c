/* The per-CPU area's fixed part, and the boot CPU's. */
#include <cpu/percpu.h>

#include <cpu/random.h>

__attribute__((section(".percpu.first"))) struct percpu percpu;

static uint32_t nr_cpus; /* [a] */

uint32_t percpu_nr_cpus(void)
{
    return __atomic_load_n(&nr_cpus, __ATOMIC_RELAXED);
}

/* Runs without a canary of its own: it changes the value that a protected function would compare. */
INIT __attribute__((no_stack_protector)) void percpu_init_boot_cpu(void)
{
    this_cpu_write(percpu.cpu_number, 0);
    nr_cpus = 1;
    /* The lowest byte stays 0, so that a string that overruns a buffer cannot reproduce the canary. */
    this_cpu_write(percpu.stack_canary, boot_random() & ~(uint64_t)0xff);
}

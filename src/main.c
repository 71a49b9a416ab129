/* The boot list: from the first C instruction to the prompt, one line a step, in the order they need each other. */
#include <boot/boot_info.h>
#include <boot/image.h>
#include <cpu/features.h>
#include <cpu/gdt.h>
#include <cpu/io.h>
#include <cpu/percpu.h>
#include <cpu/protection.h>
#include <cpu/tsc.h>
#include <debug/log.h>
#include <drivers/debug_port.h>
#include <drivers/serial.h>
#include <trap/trap.h>

void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc);
void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc)
{
    (void)protocol, (void)info;
    image_set_load_distance(load_distance);
    trap_init_early(); /* a fault is told from here on */
    percpu_init_boot_cpu();
    gdt_init();
    trap_init(); /* stacks for the faults that need one */
    cpu_features_detect();
    tsc_init(entry_tsc);
    serial_init(); /* from here on nothing is silent */
    debug_port_init();
    trap_init_machine_check();
    log_info("Keel");
    out8(0xf4, 0x10);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* The boot list: from the first C instruction to the prompt, one line a step, in the order they need each other. */
#include <boot/boot_info.h>
#include <boot/image.h>
#include <boot/report.h>
#include <cpu/features.h>
#include <cpu/gdt.h>
#include <cpu/percpu.h>
#include <cpu/protection.h>
#include <cpu/reset.h>
#include <cpu/tsc.h>
#include <debug/boot_stage.h>
#include <debug/log.h>
#include <drivers/debug_port.h>
#include <drivers/framebuffer.h>
#include <drivers/serial.h>
#include <drivers/vga_text.h>
#include <mm/init.h>
#include <prompt/prompt.h>
#include <trap/trap.h>

static void log_boot_report(enum boot_report_level level, const char *text)
{
    log_write(level == BOOT_REPORT_ERROR ? LOG_ERROR : LOG_WARN, "boot: %s", text);
}

void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc);
void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc)
{
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
    boot_stage(BOOT_STAGE_CONSOLE);
    boot_report_connect(log_boot_report); /* the readers of boot information lie below the log */
    if (boot_info_init(protocol, info) < 0)
        machine_halt(); /* the report says why */
    serial_assign(boot_info()->command_line); /* one port for the log, one for the prompt, where asked for */
    framebuffer_init(&boot_info()->framebuffer);
    vga_text_init(boot_info());
    boot_stage(BOOT_STAGE_INFO);
    cpu_enable_protections(); /* NX before the page tables that use it */
    if (mm_init(boot_info()) < 0) {
        log_error("Keel cannot start: there is not enough usable memory");
        machine_halt();
    }
    boot_stage(BOOT_STAGE_MEMORY);
    mm_free_init_memory();
    boot_stage(BOOT_STAGE_PROMPT);
    prompt_run();
}

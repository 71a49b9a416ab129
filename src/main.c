/* The boot list: from the first C instruction to the prompt, one line a step, in the order they need each other. */
#include <boot/boot_info.h>
#include <boot/image.h>
#include <cpu/features.h>
#include <cpu/gdt.h>
#include <cpu/io.h>
#include <cpu/percpu.h>
#include <cpu/protection.h>
#include <cpu/tsc.h>

void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc);
void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc)
{
    (void)protocol, (void)info;
    image_set_load_distance(load_distance);
    percpu_init_boot_cpu();
    gdt_init();
    cpu_features_detect();
    tsc_init(entry_tsc);
    for (const char *p = "keel\n"; *p; p++)
        out8(0x3f8, (uint8_t)*p);
    out8(0xf4, 0x10);
    for (;;)
        __asm__ volatile("cli; hlt");
}

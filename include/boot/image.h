/* The kernel image in memory: the linker's symbols (boot/kernel.ld.in) and where the loader put it. Every part begins
 * and ends on a page. Context: any. */
#pragma once

#include <base/address.h>

extern const char __image_start[], __image_end[]; /* all of it, virtual */
extern const char __boot_start[], __boot_end[];   /* the boot half, at its higher-half address: not mapped by mm */
extern const char __text_start[], __text_end[];
extern const char __init_text_start[], __init_text_end[];
extern const char __rodata_start[], __rodata_end[];
extern char __ro_after_init_start[], __ro_after_init_end[];
extern char __data_start[], __data_end[];
extern char __init_data_start[], __init_data_end[];
extern char __bss_start[], __bss_end[];
extern const char __symbols_start[], __symbols_end[];
extern const char __build_id_start[], __build_id_end[]; /* an ELF note */

extern char boot_stack[]; /* KERNEL_STACK_SIZE bytes; the pages before and behind it become guard pages */

/* How far above its link address the image was loaded; a multiple of 2 MiB. Set once, by main.c. */
void image_set_load_distance(uint64_t bytes);
uint64_t image_load_distance(void);

/* The physical address of something in the image. */
paddr_t image_to_physical(const volatile void *address);

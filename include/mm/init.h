/* Bringing memory up, in the order main.c's boot list gives. */
#pragma once

#include <base/compiler.h>
#include <boot/boot_info.h>

/* From the sanitised map to a working page allocator and the kernel's own page tables: no identity map, page 0
 * unmapped, W^X. Returns 0, or -ENOMEM where there is not enough usable memory (main.c says so in words). Context:
 * init, once. */
MUST_CHECK int mm_init(const struct boot_info *info);

/* slab, kmalloc, vmalloc. */
MUST_CHECK int heap_init(void);

/* Gives this CPU an empty list of pages, once there is memory. mm_init does it for the boot CPU. Context: init of a
 * CPU. */
void page_alloc_cpu_init(void);

/* The memory types of the kernel's mappings on the CPU that runs this, as on the boot CPU, whose page tables it is
 * about to use. Context: init of a CPU. */
void page_types_cpu_init(void);

/* Gives the init code and data and the loader's structures back; makes .data.ro_after_init read-only. */
void mm_free_init_memory(void);

/* The kernel's address space. docs/memory-map.md draws it. Used by C, by the linker script (preprocessed) and, through
 * the generated offsets, by assembly. */
#pragma once

/* User space: 0 to USER_END; page 0 is never mapped. */
#define USER_END 0x00007ffffffff000

/* All RAM, with the largest pages the CPU has, never executable. */
#define PHYSMAP_BASE 0xffff800000000000
#define PHYSMAP_SIZE 0x0000400000000000 /* 64 TiB */

/* vmalloc, guarded stacks and device mappings. */
#define VMALLOC_BASE 0xffffc00000000000
#define VMALLOC_SIZE 0x0000100000000000 /* 16 TiB */

/* The preset `kasan`: one byte says of eight of the kernel half which may be accessed (base/kasan.h). */
#define SHADOW_BASE  0xffffd00000000000
#define SHADOW_SIZE  0x0000100000000000
#define SHADOW_SHIFT 3

/* struct page, one for each frame, by frame number. */
#define PAGE_ARRAY_BASE 0xffffe00000000000
#define PAGE_ARRAY_SIZE 0x0000100000000000

/* The kernel image: linked here, loaded at any 2 MiB boundary of physical memory. */
#define KERNEL_BASE          0xffffffff80000000
#define KERNEL_LINK_PHYSICAL 0x200000

/* Frames of the preset `kasan` have redzones; its accesses, and those of `kcsan`, are calls, deep where they find
 * something. */
#if (defined(CONFIG_KASAN) && CONFIG_KASAN) || (defined(CONFIG_KCSAN) && CONFIG_KCSAN)
#define STACK_HALVES 3
#else
#define STACK_HALVES 2
#endif

/* Kernel stacks: enough for the worst case of every build (docs/stacks.md). */
#define KERNEL_STACK_SIZE (0x3000 * STACK_HALVES)

/* That of interrupts, one a CPU: up to three nest on it, and exceptions (docs/stacks.md). */
#define INTERRUPT_STACK_SIZE (0x4000 * STACK_HALVES)

/* Per-CPU variables are linked from here on; GS base is (this CPU's area - PERCPU_LINK_BASE). Not 0, because GRUB loads
 * sections whose address is 0 into memory of its own choice. */
#define PERCPU_LINK_BASE     0x1000
#define PERCPU_CANARY_OFFSET 0x1020 /* PERCPU_LINK_BASE + offsetof(struct percpu, stack_canary) */

/* Segments and the task state segment (SDM 3A, 3.4 and 8.7). One GDT and one TSS for each CPU. */
#pragma once

#include <base/types.h>

/* Selectors, in the order SYSCALL and SYSRET want them (SDM 3A 5.8.8). */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_CODE32 0x1b
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE   0x2b
#define SELECTOR_TSS         0x30

/* Interrupt stack table entries (SDM 3A 6.14.5). */
enum { IST_NONE, IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK, IST_COUNT };

/* Loads this CPU's GDT, segment registers (GS base is kept) and TSS. Context: init, on the CPU concerned. */
void gdt_init(void);

/* The stack the CPU changes to on entry through a gate with this IST number. top is 16-byte aligned. */
void tss_set_ist(unsigned ist, void *top);

/* The stack for entries from user mode. */
void tss_set_kernel_stack(void *top);

/* The page other CPUs start in (boot/ap_trampoline.asm, which knows the offsets): its parameters, behind its code.
 * Under 1 MiB, used while CPUs start; where one did not answer it stays, so that whoever comes late finds that it may
 * not. */
#pragma once

#include <base/assert.h>
#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>

/* Of one CPU on its way; changed by compare and exchange only. */
enum start_state {
    START_FORBIDDEN, /* halts where it is */
    START_ALLOWED,   /* written by the boot CPU before any start-up interrupt */
    START_CLAIMED,   /* written by the CPU: from here on it uses its stack and area */
    START_UNFIT,     /* written by the CPU, which lacks something, before it halts where it is */
};

struct PACKED far_pointer32 {
    uint32_t offset;
    uint16_t selector;
};
static_assert(sizeof(struct far_pointer32) == 6, "SDM 2A, JMP m16:32");

struct PACKED descriptor_pointer32 {
    uint16_t limit;
    uint32_t base;
};
static_assert(sizeof(struct descriptor_pointer32) == 6, "SDM 3A figure 2-6");

struct ap_parameters {
    uint64_t gdt[4];
    uint64_t entry; /* in the kernel: ap_entry */
    struct descriptor_pointer32 gdt_pointer;
    struct far_pointer32 protected_mode, long_mode; /* offset: of the code in the page, made an address by who copies */
    uint32_t cr3;
    uint32_t features; /* CPU 0's that page tables may use: of CPUID leaf 0x80000001's EDX */
    uint32_t nr_cpus;
    uint32_t apic_ids[CPU_MAX]; /* by number; nr_cpus of them */
    uint32_t lacking[CPU_MAX];  /* of features: written before the state */
    uint8_t states[CPU_MAX];    /* [a] enum start_state */
};

/* Each CPU's way from the page to C, by number (src/smp/ap_entry.asm). */
struct cpu;
struct ap_slot {
    uint64_t stack_top;
    uint64_t gs_base;
    struct cpu *cpu; /* whoever claimed the start late finds its own, whatever its number is meanwhile */
    uint64_t reserved;
};
extern struct ap_slot *ap_slots;
extern uint64_t ap_kernel_cr3;

extern const char ap_trampoline_start[], ap_trampoline_protected[], ap_trampoline_long[], ap_trampoline_end[];
extern const char ap_entry[];

/* The first C function, on its own stack. Never returns. */
void ap_main(struct cpu *cpu);

/* Structure offsets and constants for assembly. Never linked: it is compiled to assembly text, and cmake/offsets.cmake
 * turns the marked strings into offsets.inc. */
#include "../src/smp/trampoline.h"
#include <base/layout.h>
#include <cpu/percpu.h>
#include <cpu/trap_frame.h>

#define CONSTANT(name, value)       __asm__ volatile(".ascii \"@@" #name " %0\"" : : "i"((int64_t)(value)))
#define OFFSET(name, type, member)  CONSTANT(name, offsetof(type, member))
#define PERCPU_OFFSET(name, member) CONSTANT(name, PERCPU_LINK_BASE + offsetof(struct percpu, member))

void offsets(void);
void offsets(void)
{
    CONSTANT(KERNEL_BASE_ADDRESS, KERNEL_BASE);
    CONSTANT(KERNEL_LINK_PHYSICAL_ADDRESS, KERNEL_LINK_PHYSICAL);
    CONSTANT(PHYSMAP_BASE_ADDRESS, PHYSMAP_BASE);
    CONSTANT(KERNEL_STACK_BYTES, KERNEL_STACK_SIZE);
    CONSTANT(PERCPU_LINK_BASE_ADDRESS, PERCPU_LINK_BASE);
    PERCPU_OFFSET(PERCPU_SELF, self);
    PERCPU_OFFSET(PERCPU_SCRATCH, scratch);
    PERCPU_OFFSET(PERCPU_INTERRUPT_STACK, interrupt_stack);
    OFFSET(TRAP_FRAME_R15, struct trap_frame, r15);
    OFFSET(TRAP_FRAME_R14, struct trap_frame, r14);
    OFFSET(TRAP_FRAME_R13, struct trap_frame, r13);
    OFFSET(TRAP_FRAME_R12, struct trap_frame, r12);
    OFFSET(TRAP_FRAME_R11, struct trap_frame, r11);
    OFFSET(TRAP_FRAME_R10, struct trap_frame, r10);
    OFFSET(TRAP_FRAME_R9, struct trap_frame, r9);
    OFFSET(TRAP_FRAME_R8, struct trap_frame, r8);
    OFFSET(TRAP_FRAME_RBP, struct trap_frame, rbp);
    OFFSET(TRAP_FRAME_RDI, struct trap_frame, rdi);
    OFFSET(TRAP_FRAME_RSI, struct trap_frame, rsi);
    OFFSET(TRAP_FRAME_RDX, struct trap_frame, rdx);
    OFFSET(TRAP_FRAME_RCX, struct trap_frame, rcx);
    OFFSET(TRAP_FRAME_RBX, struct trap_frame, rbx);
    OFFSET(TRAP_FRAME_RAX, struct trap_frame, rax);
    OFFSET(TRAP_FRAME_VECTOR, struct trap_frame, vector);
    OFFSET(TRAP_FRAME_ERROR_CODE, struct trap_frame, error_code);
    OFFSET(TRAP_FRAME_RIP, struct trap_frame, rip);
    OFFSET(TRAP_FRAME_CS, struct trap_frame, cs);
    OFFSET(TRAP_FRAME_RFLAGS, struct trap_frame, rflags);
    OFFSET(TRAP_FRAME_RSP, struct trap_frame, rsp);
    OFFSET(TRAP_FRAME_SS, struct trap_frame, ss);
    CONSTANT(TRAP_FRAME_NO_VECTOR, TRAP_VECTOR_NONE);
    CONSTANT(TRAP_FRAME_TAG, TRAP_FRAME_LINK_TAG);
    OFFSET(AP_PARAMETERS_ENTRY, struct ap_parameters, entry);
    OFFSET(AP_PARAMETERS_GDT_POINTER, struct ap_parameters, gdt_pointer);
    OFFSET(AP_PARAMETERS_PROTECTED_MODE, struct ap_parameters, protected_mode);
    OFFSET(AP_PARAMETERS_LONG_MODE, struct ap_parameters, long_mode);
    OFFSET(AP_PARAMETERS_CR3, struct ap_parameters, cr3);
    OFFSET(AP_PARAMETERS_FEATURES, struct ap_parameters, features);
    OFFSET(AP_PARAMETERS_NR_CPUS, struct ap_parameters, nr_cpus);
    OFFSET(AP_PARAMETERS_APIC_IDS, struct ap_parameters, apic_ids);
    OFFSET(AP_PARAMETERS_LACKING, struct ap_parameters, lacking);
    OFFSET(AP_PARAMETERS_STATES, struct ap_parameters, states);
    CONSTANT(START_IS_ALLOWED, START_ALLOWED);
    CONSTANT(START_IS_CLAIMED, START_CLAIMED);
    CONSTANT(START_IS_UNFIT, START_UNFIT);
    OFFSET(AP_SLOT_STACK_TOP, struct ap_slot, stack_top);
    OFFSET(AP_SLOT_GS_BASE, struct ap_slot, gs_base);
    OFFSET(AP_SLOT_CPU, struct ap_slot, cpu);
    CONSTANT(AP_SLOT_SHIFT, __builtin_ctz(sizeof(struct ap_slot)));
}

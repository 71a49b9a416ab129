; From the trampoline's page to C, on the CPU's own stack.
%include "offsets.inc"

extern ap_main
extern ap_slots
extern ap_kernel_cr3

MSR_GS_BASE             equ 0xc0000101      ; SDM 4, table 2-2

bits 64

; Entered from boot/ap_trampoline.asm in 64-bit mode: edi = the CPU's number, interrupts off, no stack, no IDT; the kernel half
; is mapped.
section .text.ap_entry progbits alloc exec nowrite align=16
global ap_entry
ap_entry:
    mov rax, [ap_kernel_cr3]
    mov cr3, rax
    shl rdi, AP_SLOT_SHIFT
    add rdi, [ap_slots]
    mov rsp, [rdi + AP_SLOT_STACK_TOP]
    mov rax, [rdi + AP_SLOT_GS_BASE]
    mov rdx, rax
    shr rdx, 32
    mov ecx, MSR_GS_BASE
    wrmsr
    xor ebp, ebp                            ; ends every backtrace
    mov rdi, [rdi + AP_SLOT_CPU]
    call ap_main
    ud2

; From the trampoline (boot/entry.asm) to C. A file of its own, because NASM describes one code section a file to debuggers.

%include "offsets.inc"

extern kernel_main
extern boot_entry_tsc
extern __percpu_boot_area

POST_PORT               equ 0x80
POST_KERNEL             equ 0x03            ; in the higher half
MSR_GS_BASE             equ 0xc0000101

bits 64

; The first instructions in the higher half. edi = protocol, esi = physical address of the information, ebp = load distance.
section .init.text progbits alloc exec nowrite align=16
global kernel_entry
kernel_entry:
    mov al, POST_KERNEL
    out POST_PORT, al
    mov rsp, qword boot_stack + KERNEL_STACK_BYTES

    ; GS reaches this CPU's data from here on: the compiler's stack protector reads its canary there.
    mov rbx, qword __percpu_boot_area
    lea rax, [rbx - PERCPU_LINK_BASE_ADDRESS]
    mov rdx, rax
    shr rdx, 32
    mov ecx, MSR_GS_BASE
    wrmsr
    mov [gs:PERCPU_SELF], rbx

    ; kernel_main(protocol, information, load distance, TSC at entry)
    mov edi, edi
    mov esi, esi
    mov edx, ebp                            ; never negative: nothing loads below the link address
    mov ecx, boot_entry_tsc
    mov rcx, [rcx + rdx]                    ; boot data is reached through the identity map
    xor ebp, ebp                            ; ends every backtrace
    call kernel_main
    ud2

; The boot CPU's stack, for good. The pages on both sides become guard pages.
section .bss.boot_stack nobits alloc noexec write align=4096
global boot_stack
                resb 4096
boot_stack:     resb KERNEL_STACK_BYTES
                resb 4096

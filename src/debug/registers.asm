; Register capture and the switch to a report's own stack.
%include "offsets.inc"

bits 64
default rel

global capture_registers
global call_on_stack

section .text.debug_registers progbits alloc exec nowrite align=16

; void capture_registers(struct trap_frame *frame): any state; changes RAX, and memory at frame.
; RIP, RSP and the caller-saved registers are those right after the call returns.
capture_registers:
    mov [rdi + TRAP_FRAME_RAX], rax
    mov [rdi + TRAP_FRAME_RBX], rbx
    mov [rdi + TRAP_FRAME_RCX], rcx
    mov [rdi + TRAP_FRAME_RDX], rdx
    mov [rdi + TRAP_FRAME_RSI], rsi
    mov [rdi + TRAP_FRAME_RDI], rdi
    mov [rdi + TRAP_FRAME_RBP], rbp
    mov [rdi + TRAP_FRAME_R8], r8
    mov [rdi + TRAP_FRAME_R9], r9
    mov [rdi + TRAP_FRAME_R10], r10
    mov [rdi + TRAP_FRAME_R11], r11
    mov [rdi + TRAP_FRAME_R12], r12
    mov [rdi + TRAP_FRAME_R13], r13
    mov [rdi + TRAP_FRAME_R14], r14
    mov [rdi + TRAP_FRAME_R15], r15
    mov qword [rdi + TRAP_FRAME_VECTOR], TRAP_FRAME_NO_VECTOR
    mov qword [rdi + TRAP_FRAME_ERROR_CODE], 0
    pushfq
    pop qword [rdi + TRAP_FRAME_RFLAGS]
    mov rax, [rsp]
    mov [rdi + TRAP_FRAME_RIP], rax
    lea rax, [rsp + 8]
    mov [rdi + TRAP_FRAME_RSP], rax
    xor eax, eax
    mov ax, cs
    mov [rdi + TRAP_FRAME_CS], rax
    mov ax, ss
    mov [rdi + TRAP_FRAME_SS], rax
    ret

; void call_on_stack(void *top, void (*function)(void *), void *argument): calls function with RSP at top, 16-byte aligned,
; and comes back to the caller's stack when it returns. The CPU stays the same. Interrupts, where they are on, do not come on
; top of it: where their own stack is the caller's, they go on below the caller. Any state.
call_on_stack:
    push rbp
    mov rbp, rsp
    push rbx
    pushfq
    cli
    mov rbx, [gs:PERCPU_INTERRUPT_STACK]
    mov rax, rbx
    test rax, rax
    cmovz rax, rsp
    mov [gs:PERCPU_INTERRUPT_STACK], rax
    mov rax, [rsp]
    mov rsp, rdi
    push rax
    popfq
    mov rdi, rdx
    call rsi
    cli
    mov [gs:PERCPU_INTERRUPT_STACK], rbx
    lea rsp, [rbp - 16]
    popfq
    pop rbx
    pop rbp
    ret

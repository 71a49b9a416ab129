; From one thread to another: stack, callee-saved registers and the stack protector's canary.
%include "offsets.inc"

bits 64
default rel

extern thread_start
global thread_switch
global thread_begin

section .text.thread_switch progbits alloc exec nowrite align=16

; struct thread *thread_switch(struct thread *from, struct thread *to)
; Interrupts off, the run queue's lock held. Comes back, on the stack of `from`, when somebody switches to it again: then
; what is returned is who that was. Keeps the callee-saved registers; the others are the caller's to lose.
thread_switch:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov rcx, [rsi + THREAD_CANARY]
    mov rax, rdi
    mov [rdi + THREAD_SAVED_RSP], rsp
    mov rsp, [rsi + THREAD_SAVED_RSP]
    mov [gs:PERCPU_CURRENT], rsi
    mov [gs:PERCPU_CANARY], rcx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

; Where thread_switch returns to in a thread that has never run: rax is who ran before, rbx the thread. The stack is
; aligned to 16, and rbp is 0, which ends every backtrace.
thread_begin:
    mov rdi, rbx
    mov rsi, rax
    call thread_start
    ud2

; The first instructions of a thread.
bits 64
default rel

extern thread_start
global thread_begin

section .text.thread_begin progbits alloc exec nowrite align=16

; Where thread_switch (switch.h) goes in a thread that has never run: rax is who ran before, rbx the thread. Interrupts
; are off, the run queue's lock is held, the stack is aligned to 16. RBP 0 ends every backtrace.
thread_begin:
    xor ebp, ebp
    mov rdi, rbx
    mov rsi, rax
    call thread_start
    ud2

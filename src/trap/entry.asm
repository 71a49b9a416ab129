; The 256 entry stubs and the common way in and out. Each stub leaves vector and error code on the stack, so that all meet
; one dispatcher with a struct trap_frame (cpu/trap_frame.h).
%include "offsets.inc"

bits 64
default rel
%include "entry_unwind.inc"

%define FIRST_INTERRUPT 32     ; SDM 3A 6.2: those below are exceptions'
%define MSR_GS_BASE 0xc0000101 ; SDM 4, table 2-2

extern trap_dispatch
extern trap_give_cpu_away
global trap_stubs

section .text.trap_entry progbits alloc exec nowrite align=16

; Exceptions for which the processor pushes an error code (SDM 3A table 6-1; 29 and 30 are AMD's, APM 2 8.2).
%define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

; An interrupt may come with one of those vectors, too, and brings none. The processor aligns the stack to 16 before it
; pushes five words, or six: with the vector pushed behind them, bit 3 of RSP says which.
%macro REPLACE_MISSING_ERROR_CODE 0
    test spl, 8
    jnz %%is_there
    push qword [rsp]
    mov qword [rsp + 8], -1 ; TRAP_ERROR_CODE_MISSING
%%is_there:
%endmacro

; void (*const trap_stubs)(void): TRAP_STUB_BYTES apart. Entered by the processor through interrupt gates: interrupts off,
; GS the interrupted code's.
align 16
trap_stubs:
%assign vector 0
%rep 256
  align 16
  %if !HAS_ERROR_CODE(vector)
    push 0
  %endif
  push strict dword vector
  %if vector == 8
    jmp near trap_entry_double_fault
  %elif vector == 2 || vector == 18
    jmp near trap_entry_paranoid
  %elif HAS_ERROR_CODE(vector)
    jmp near trap_entry_error_code
  %elif vector >= FIRST_INTERRUPT
    jmp near trap_entry_interrupt
  %else
    jmp near trap_entry
  %endif
  %assign vector vector + 1
%endrep
trap_stubs_end:

%macro PUSH_REGISTERS 0
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
%endmacro

%macro POP_REGISTERS_AND_RETURN 0
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    add rsp, 16 ; vector and error code
    iretq
%endmacro

; The switch to another thread, where one is wanted: on the interrupted thread's own stack.
%macro GIVE_CPU_AWAY 0
    test al, al
    jz %%stay
    call trap_give_cpu_away
%%stay:
%endmacro

; The stack is 16-byte aligned here: the processor aligned it, and a trap_frame is a multiple of 16. The argument is what else
; RBP leads a backtrace through.
%macro CALL_DISPATCHER 0-1
    cld
    lea rbp, [rsp + TRAP_FRAME_TAG]
%%tagged:
    mov rdi, rsp
    call trap_dispatch
    %1
%%done:
    UNWIND_BY_RBP %%tagged, %%done
%endmacro

; The same for an interrupt: the outermost runs on this CPU's stack for interrupts, what interrupts it there goes on below.
; RBX keeps the interrupted stack; RBP leads a backtrace back to it.
%macro CALL_DISPATCHER_OF_INTERRUPT 0
    cld
    lea rbp, [rsp + TRAP_FRAME_TAG]
%%tagged:
    mov rdi, rsp
    mov rax, [gs:PERCPU_INTERRUPT_STACK]
    test rax, rax
    jz %%here
    mov qword [gs:PERCPU_INTERRUPT_STACK], 0
    mov rbx, rsp
    mov rsp, rax
    call trap_dispatch
    mov [gs:PERCPU_INTERRUPT_STACK], rsp
    mov rsp, rbx
    GIVE_CPU_AWAY
    jmp %%done
%%here:
    call trap_dispatch
%%done:
    UNWIND_BY_RBP %%tagged, %%done
%endmacro

trap_entry_error_code:
    REPLACE_MISSING_ERROR_CODE
; The usual way: GS is the user's exactly when the interrupted code ran in user mode.
trap_entry:
    PUSH_REGISTERS
    test byte [rsp + TRAP_FRAME_CS], 3
    jz .from_kernel
    swapgs
    CALL_DISPATCHER GIVE_CPU_AWAY
    swapgs
    POP_REGISTERS_AND_RETURN
.from_kernel:
    CALL_DISPATCHER GIVE_CPU_AWAY
    POP_REGISTERS_AND_RETURN

trap_entry_interrupt:
    PUSH_REGISTERS
    test byte [rsp + TRAP_FRAME_CS], 3
    jz .from_kernel
    swapgs
    CALL_DISPATCHER_OF_INTERRUPT
    swapgs
    POP_REGISTERS_AND_RETURN
.from_kernel:
    CALL_DISPATCHER_OF_INTERRUPT
    POP_REGISTERS_AND_RETURN

; NMI, double fault and machine check also come between a kernel entry and its swapgs, when CS is the kernel's and GS is
; still the user's. What counts is the base itself: the kernel's has bit 63 set, and a user's cannot while CR4.FSGSBASE
; is off. RBX remembers whether to swap back; the dispatcher preserves it.
trap_entry_double_fault:
    REPLACE_MISSING_ERROR_CODE
trap_entry_paranoid:
    PUSH_REGISTERS
    xor ebx, ebx
    mov ecx, MSR_GS_BASE
    rdmsr
    test edx, edx
    js .kernel_gs
    swapgs
    inc ebx
.kernel_gs:
    CALL_DISPATCHER
    test ebx, ebx
    jz .return
    swapgs
.return:
    POP_REGISTERS_AND_RETURN

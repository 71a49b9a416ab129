/* The registers of interrupted code, as the entry stubs (src/trap/entry.asm) leave them on the stack. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

/* From the lowest address up: pushed last to first. The last five are the processor's own (SDM 3A 6.14.2). */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;     /* 0 to 255, or TRAP_VECTOR_NONE */
    uint64_t error_code; /* 0 where the exception has none */
    uint64_t rip, cs, rflags, rsp, ss;
};

static_assert(sizeof(struct trap_frame) % 16 == 0, "the stack stays aligned for the C dispatcher");

/* In frames that capture_registers made: no exception took place. */
#define TRAP_VECTOR_NONE 0x100

/* The error code of a frame whose vector is an exception's that has one, where the processor pushed none: an interrupt.
 */
#define TRAP_ERROR_CODE_MISSING UINT64_MAX

/* Exception vectors (SDM 3A table 6-1). */
enum exception_vector {
    VECTOR_DIVIDE_ERROR = 0,
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_STACK_FAULT = 12,
    VECTOR_GENERAL_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_ALIGNMENT_CHECK = 17,
    VECTOR_MACHINE_CHECK = 18,
    NR_EXCEPTIONS = 32,
};

#define NR_VECTORS 256

/* Page fault error code (SDM 3A 4.7, figure 4-12). */
#define PAGE_FAULT_PRESENT        (1u << 0)
#define PAGE_FAULT_WRITE          (1u << 1)
#define PAGE_FAULT_USER           (1u << 2)
#define PAGE_FAULT_RESERVED_BIT   (1u << 3)
#define PAGE_FAULT_FETCH          (1u << 4)
#define PAGE_FAULT_PROTECTION_KEY (1u << 5)
#define PAGE_FAULT_SHADOW_STACK   (1u << 6)
#define PAGE_FAULT_SGX            (1u << 15)

static inline bool trap_frame_is_user(const struct trap_frame *frame)
{
    return (frame->cs & 3) == 3;
}

/* Entry stubs leave this in RBP while they call the dispatcher, so that a walk along frame pointers meets the
 * exception's registers: real frame pointers are 8-byte aligned. */
#define TRAP_FRAME_LINK_TAG 1u

/* The single-step trap for tests: a debug exception behind each instruction (SDM 3B 18.3.1.4). */
#pragma once

#include <base/compiler.h>

#define RFLAGS_TF (1u << 8) /* SDM 1, 3.4.3.3 */

static ALWAYS_INLINE void set_trap_flag(void)
{
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(RFLAGS_TF) : "memory", "cc");
}

static ALWAYS_INLINE void clear_trap_flag(void)
{
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~RFLAGS_TF) : "memory", "cc");
}

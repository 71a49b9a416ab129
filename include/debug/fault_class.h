/* What went wrong, in words, from what the processor says and what the address is. Pure C. */
#pragma once

#include <cpu/trap_frame.h>
#include <debug/instruction.h>
#include <debug/report_hooks.h>

#define FAULT_CLASS_MAX  160
#define FAULT_ACCESS_MAX 200

struct fault_facts {
    const struct trap_frame *frame;
    uint64_t cr2; /* as it was on entry; counts for #PF and #DF */
    uint64_t fs_base, gs_base;
    bool has_la57;
    size_t code_length; /* bytes of code that could be read at RIP */
    uint8_t code[INSTRUCTION_LENGTH_MAX];
};

/* "NULL pointer write", "execute of non-executable heap memory", "non-canonical address in rax". Context: any. */
void fault_class_describe(const struct fault_facts *facts, char *buffer, size_t size);

/* The memory operand the faulting instruction could not reach, as it computes it: "[rax+0x8] = 0x..., rax = 0x...
 * (freed heap memory)". Empty where the instruction has none that explains the fault. */
void fault_access_describe(const struct fault_facts *facts, char *buffer, size_t size);

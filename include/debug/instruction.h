/* How long an x86-64 instruction is, and which memory it names: enough to say which register made an access fault.
 * No instruction set beyond legacy, 0F, 0F38, 0F3A and VEX encodings (SDM 2A, chapter 2 and appendix A). Pure C. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

#define INSTRUCTION_LENGTH_MAX 15 /* SDM 2A 2.3.11 */

/* Numbers as in ModR/M and SIB with REX (SDM 2A table 2-4). */
enum instruction_register {
    REGISTER_RAX,
    REGISTER_RCX,
    REGISTER_RDX,
    REGISTER_RBX,
    REGISTER_RSP,
    REGISTER_RBP,
    REGISTER_RSI,
    REGISTER_RDI,
    REGISTER_R8, /* to R15 = 15 */
    REGISTER_RIP = 16,
    REGISTER_NONE,
};

enum instruction_segment { SEGMENT_DEFAULT, SEGMENT_FS, SEGMENT_GS };

/* One memory operand: base + index * scale + displacement, in a segment. */
struct memory_operand {
    enum instruction_register base, index;
    uint8_t scale;
    int64_t displacement;
    enum instruction_segment segment;
};

struct instruction {
    uint8_t length;
    uint8_t map; /* 0 one byte, 1 0F, 2 0F38, 3 0F3A */
    uint8_t opcode;
    bool has_modrm;
    uint8_t modrm;
    uint8_t rex;
    uint8_t operand_bytes; /* 1, 2, 4 or 8: the general operand size */
    unsigned nr_operands;  /* 0 to 2 memory operands; those of string, stack and far instructions included */
    struct memory_operand operands[2];
};

/* Decodes the instruction in the first `available` bytes of code. Returns 0, -EINVAL where no such instruction exists
 * (or it is longer than what is available), -ENOTSUP for EVEX. Context: any. */
MUST_CHECK int instruction_decode(const uint8_t *code, size_t available, struct instruction *instruction);

/* The register's value in the frame of the faulting instruction; RIP counts from the instruction's end. */
uint64_t instruction_register_value(const struct instruction *instruction, const struct trap_frame *frame,
                                    enum instruction_register which);

/* The linear address an operand names. Bases of FS and GS are passed in. */
uint64_t instruction_operand_address(const struct instruction *instruction, const struct memory_operand *operand,
                                     const struct trap_frame *frame, uint64_t fs_base, uint64_t gs_base);

/* "rax", "r15", "rip". */
const char *instruction_register_name(enum instruction_register which);

/* Bits 63 to 47 are all alike (48-bit linear addresses) or 63 to 56 (57 bits, CR4.LA57). */
bool address_is_canonical(uint64_t address, bool has_la57);

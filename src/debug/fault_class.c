#include <debug/fault_class.h>

#include <debug/exception_names.h>
#include <lib/format.h>

#define PAGE_BYTES 4096

static bool decode(const struct fault_facts *facts, struct instruction *instruction)
{
    return instruction_decode(facts->code, facts->code_length, instruction) == 0;
}

static uint64_t operand_address(const struct fault_facts *facts, const struct instruction *instruction, unsigned n)
{
    return instruction_operand_address(instruction, &instruction->operands[n], facts->frame, facts->fs_base,
                                       facts->gs_base);
}

/* The operand whose address is not canonical, or -1. */
static int find_non_canonical_operand(const struct fault_facts *facts, const struct instruction *instruction)
{
    for (unsigned n = 0; n < instruction->nr_operands; n++)
        if (!address_is_canonical(operand_address(facts, instruction, n), facts->has_la57))
            return (int)n;
    return -1;
}

/* The register of the operand that is to blame: the one that is not canonical itself, else the base. */
static enum instruction_register guilty_register(const struct fault_facts *facts, const struct instruction *instruction,
                                                 const struct memory_operand *operand)
{
    uint64_t base = instruction_register_value(instruction, facts->frame, operand->base);
    uint64_t index = instruction_register_value(instruction, facts->frame, operand->index);

    if (!address_is_canonical(base, facts->has_la57) || operand->index == REGISTER_NONE)
        return operand->base;
    return address_is_canonical(index, facts->has_la57) && operand->base != REGISTER_NONE ? operand->base
                                                                                          : operand->index;
}

/* A jump or call through a register: the target is not canonical, nothing is read. */
static bool jump_register(const struct fault_facts *facts, const struct instruction *instruction,
                          enum instruction_register *which)
{
    unsigned reg = instruction->modrm >> 3 & 7;

    if (instruction->map != 0 || instruction->opcode != 0xff || (reg != 2 && reg != 4) || instruction->modrm >> 6 != 3)
        return false;
    *which = (enum instruction_register)((instruction->modrm & 7) | (instruction->rex & 1 ? 8 : 0));
    return !address_is_canonical(instruction_register_value(instruction, facts->frame, *which), facts->has_la57);
}

static void describe_non_canonical(const struct fault_facts *facts, const struct instruction *instruction,
                                   enum instruction_register which, uint64_t address, char *buffer, size_t size)
{
    const char *poison = report_describe_poison(instruction_register_value(instruction, facts->frame, which));

    if (!poison)
        poison = report_describe_poison(address);
    if (poison)
        snprintf(buffer, size, "%s: non-canonical address in %s", poison, instruction_register_name(which));
    else
        snprintf(buffer, size, "non-canonical address in %s", instruction_register_name(which));
}

/* #GP and #SS. */
static void describe_protection(const struct fault_facts *facts, char *buffer, size_t size)
{
    struct instruction instruction;
    enum instruction_register which;
    int n;

    if (facts->frame->error_code != 0) {
        char words[80];

        format_error_code(words, sizeof(words), facts->frame->vector, facts->frame->error_code);
        snprintf(buffer, size, "%s: %s", exception_name(facts->frame->vector), words);
        return;
    }
    if (!decode(facts, &instruction)) {
        snprintf(buffer, size, "%s", exception_name(facts->frame->vector));
        return;
    }
    n = find_non_canonical_operand(facts, &instruction);
    if (n >= 0)
        describe_non_canonical(facts, &instruction, guilty_register(facts, &instruction, &instruction.operands[n]),
                               operand_address(facts, &instruction, (unsigned)n), buffer, size);
    else if (jump_register(facts, &instruction, &which))
        describe_non_canonical(facts, &instruction, which, 0, buffer, size);
    else if (instruction.map == 0 && (instruction.opcode == 0xc3 || instruction.opcode == 0xc2))
        snprintf(buffer, size, "return to a non-canonical address");
    else
        snprintf(buffer, size, "%s: the instruction is not allowed here", exception_name(facts->frame->vector));
}

static void describe_stack_guard(const struct address_description *target, const char *verb, char *buffer, size_t size)
{
    bool is_below = target->kind == ADDRESS_STACK_GUARD_BELOW;

    snprintf(buffer, size, "kernel stack %s: %s the %s", is_below ? "overflow" : "underflow", verb, target->area);
}

static void describe_page_fault(const struct fault_facts *facts, char *buffer, size_t size)
{
    uint64_t code = facts->frame->error_code;
    const char *verb = code & PAGE_FAULT_FETCH ? "execute of" : code & PAGE_FAULT_WRITE ? "write to" : "read of";
    struct address_description target;

    report_describe_address(facts->cr2, &target);
    if (target.kind == ADDRESS_NULL_PAGE && facts->cr2 < PAGE_BYTES)
        snprintf(buffer, size, "NULL pointer %s",
                 code & PAGE_FAULT_FETCH   ? "jump"
                 : code & PAGE_FAULT_WRITE ? "write"
                                           : "read");
    else if (code & PAGE_FAULT_RESERVED_BIT)
        snprintf(buffer, size, "page table entry with reserved bits set");
    else if (target.kind == ADDRESS_STACK_GUARD_BELOW || target.kind == ADDRESS_STACK_GUARD_ABOVE)
        describe_stack_guard(&target, verb, buffer, size);
    else if (!(code & PAGE_FAULT_PRESENT))
        snprintf(buffer, size, "%s an unmapped address in %s", verb, target.area);
    else if (code & PAGE_FAULT_FETCH)
        snprintf(buffer, size, "execute of non-executable %s", target.area);
    else if (code & PAGE_FAULT_WRITE)
        snprintf(buffer, size, "write to read-only %s", target.area);
    else
        snprintf(buffer, size, "read of protected %s", target.area);
}

/* The page fault that could not be delivered leaves its address in CR2: where that is a stack's guard page, and RSP is
 * at it too, the stack is what ran out. */
static void describe_double_fault(const struct fault_facts *facts, char *buffer, size_t size)
{
    struct address_description target;

    report_describe_address(facts->cr2, &target);
    if (target.kind == ADDRESS_STACK_GUARD_BELOW && facts->frame->rsp - facts->cr2 <= PAGE_BYTES)
        snprintf(buffer, size, "kernel stack overflow: %s (double fault)", target.area);
    else
        snprintf(buffer, size, "double fault: an exception could not be delivered");
}

/* F6 /6 /7 and F7 /6 /7: by zero, or the quotient does not fit. */
static void describe_divide_error(const struct fault_facts *facts, char *buffer, size_t size)
{
    struct instruction instruction;
    uint64_t divisor;

    if (!decode(facts, &instruction) || instruction.map != 0 || (instruction.opcode & 0xfe) != 0xf6 ||
        instruction.modrm >> 6 != 3) {
        snprintf(buffer, size, "divide error: division by zero, or the quotient does not fit");
        return;
    }
    divisor = instruction_register_value(
        &instruction, facts->frame,
        (enum instruction_register)((instruction.modrm & 7) | (instruction.rex & 1 ? 8 : 0)));
    if (instruction.operand_bytes < 8)
        divisor &= ((uint64_t)1 << (8 * instruction.operand_bytes)) - 1;
    snprintf(buffer, size, "%s", divisor == 0 ? "division by zero" : "division overflow: the quotient does not fit");
}

static void describe_invalid_opcode(const struct fault_facts *facts, char *buffer, size_t size)
{
    bool is_ud2 = facts->code_length >= 2 && facts->code[0] == 0x0f && facts->code[1] == 0x0b;

    snprintf(buffer, size, "invalid opcode%s", is_ud2 ? ": ud2" : "");
}

void fault_class_describe(const struct fault_facts *facts, char *buffer, size_t size)
{
    switch (facts->frame->vector) {
    case VECTOR_DIVIDE_ERROR:
        describe_divide_error(facts, buffer, size);
        break;
    case VECTOR_INVALID_OPCODE:
        describe_invalid_opcode(facts, buffer, size);
        break;
    case VECTOR_DOUBLE_FAULT:
        describe_double_fault(facts, buffer, size);
        break;
    case VECTOR_STACK_FAULT:
    case VECTOR_GENERAL_PROTECTION:
        describe_protection(facts, buffer, size);
        break;
    case VECTOR_PAGE_FAULT:
        describe_page_fault(facts, buffer, size);
        break;
    default:
        snprintf(buffer, size, "%s", exception_name(facts->frame->vector));
        break;
    }
}

/* "rax+rcx*8+0x10" */
static size_t format_operand(const struct memory_operand *operand, char *buffer, size_t size)
{
    const char *segment = operand->segment == SEGMENT_FS ? "fs:" : operand->segment == SEGMENT_GS ? "gs:" : "";
    const char *base = operand->base == REGISTER_NONE ? "" : instruction_register_name(operand->base);
    uint64_t magnitude =
        operand->displacement < 0 ? 0 - (uint64_t)operand->displacement : (uint64_t)operand->displacement;
    char index[16] = "", displacement[24] = "";

    if (operand->index != REGISTER_NONE)
        snprintf(index, sizeof(index), "%s%s*%u", *base ? "+" : "", instruction_register_name(operand->index),
                 operand->scale);
    if (magnitude || (!*base && !*index))
        snprintf(displacement, sizeof(displacement), "%s0x%lx",
                 operand->displacement < 0 ? "-"
                 : *base || *index         ? "+"
                                           : "",
                 (unsigned long)magnitude);
    return (size_t)snprintf(buffer, size, "[%s%s%s%s]", segment, base, index, displacement);
}

static void describe_operand(const struct fault_facts *facts, const struct instruction *instruction, unsigned n,
                             char *buffer, size_t size)
{
    const struct memory_operand *operand = &instruction->operands[n];
    size_t length = format_operand(operand, buffer, size);

    length += (size_t)snprintf(buffer + length, size - length, " = 0x%016lx",
                               (unsigned long)operand_address(facts, instruction, n));
    if (operand->base != REGISTER_NONE)
        length += (size_t)snprintf(buffer + length, size - length, ", %s = 0x%016lx",
                                   instruction_register_name(operand->base),
                                   (unsigned long)instruction_register_value(instruction, facts->frame, operand->base));
    if (operand->index != REGISTER_NONE)
        snprintf(buffer + length, size - length, ", %s = 0x%016lx", instruction_register_name(operand->index),
                 (unsigned long)instruction_register_value(instruction, facts->frame, operand->index));
}

void fault_access_describe(const struct fault_facts *facts, char *buffer, size_t size)
{
    uint64_t vector = facts->frame->vector;
    struct instruction instruction;
    int n;

    buffer[0] = '\0';
    if (!decode(facts, &instruction))
        return;
    if (vector == VECTOR_GENERAL_PROTECTION || vector == VECTOR_STACK_FAULT) {
        n = find_non_canonical_operand(facts, &instruction);
        if (n >= 0)
            describe_operand(facts, &instruction, (unsigned)n, buffer, size);
    } else if (vector == VECTOR_PAGE_FAULT) {
        /* An access that runs over into the next page faults there. */
        for (unsigned i = 0; i < instruction.nr_operands; i++)
            if (facts->cr2 - operand_address(facts, &instruction, i) < 64) {
                describe_operand(facts, &instruction, i, buffer, size);
                return;
            }
    }
}

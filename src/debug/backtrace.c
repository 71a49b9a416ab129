/* Frame pointers are enough because of how the kernel is compiled (cmake/kernel.cmake): a function either sets RBP up
 * in its first few instructions, in one block before anything else (-fno-omit-frame-pointer, -fno-shrink-wrap), or it
 * is a leaf that keeps nothing on the stack. So while RBP still belongs to the caller's frame, where the return address
 * is follows from the instructions between the function's start and RIP. tests/symbols/frames.py proves it for each
 * build.
 */
#include <debug/backtrace.h>

#include <cpu/exception_table.h>
#include <debug/instruction.h>
#include <debug/known_stacks.h>
#include <debug/symbols.h>
#include <lib/format.h>
#include <lib/string.h>

#define RET 0xc3

static bool read_word(uint64_t address, uint64_t *value)
{
    return read_safely(value, (const void *)(uintptr_t)address, sizeof(*value)) == 0;
}

static size_t read_code(uint64_t address, uint8_t code[INSTRUCTION_LENGTH_MAX])
{
    size_t length = 0;

    while (length < INSTRUCTION_LENGTH_MAX &&
           read_safely(&code[length], (const void *)(uintptr_t)(address + length), 1) == 0)
        length++;
    return length;
}

/* mov rbp, rsp, in either encoding. */
static bool sets_rbp(const struct instruction *instruction)
{
    return instruction->map == 0 && (instruction->rex & 8) &&
           ((instruction->opcode == 0x89 && instruction->modrm == 0xe5) ||
            (instruction->opcode == 0x8b && instruction->modrm == 0xec));
}

/* By how much an instruction lowers RSP: what a prologue consists of, and the pairs in inline assembly (read_rflags).
 */
static int pushed_bytes(const struct instruction *instruction)
{
    uint8_t opcode = instruction->opcode;

    if (instruction->map != 0)
        return 0;
    if ((opcode >= 0x50 && opcode <= 0x57) || opcode == 0x68 || opcode == 0x6a || opcode == 0x9c)
        return 8;
    if ((opcode >= 0x58 && opcode <= 0x5f) || opcode == 0x9d)
        return -8;
    return opcode == 0xcb ? -16 : 0; /* a far return */
}

/* How far above RSP the return address is where the function that starts there has not set RBP up before rip; -1 where
 * it has. */
static int offset_from_prologue(uint64_t start, uint64_t rip)
{
    uint8_t code[INSTRUCTION_LENGTH_MAX];
    struct instruction instruction;
    int offset = 0;

    for (uint64_t at = start; at < rip; at += instruction.length) {
        if (instruction_decode(code, read_code(at, code), &instruction) || sets_rbp(&instruction))
            return -1;
        offset += pushed_bytes(&instruction);
    }
    return offset;
}

/* How far above RSP the return address is while RBP still, or again, belongs to the caller's frame; -1 where RBP is
 * right. */
static int return_address_offset(uint64_t rip)
{
    struct symbol_location function;
    uint8_t opcode;

    /* Only a call leads to where no kernel code is: its return address is on top. */
    if (!address_is_kernel_text(rip))
        return 0;
    if (read_safely(&opcode, (const void *)(uintptr_t)rip, 1))
        return -1;
    if (opcode == RET)
        return 0;
    /* A part that GCC has split off for being cold is entered with the frame set up. */
    if (symbol_lookup(rip, &function) || !function.is_function || strstr(function.function, ".cold"))
        return -1;
    return offset_from_prologue(rip - function.offset, rip);
}

static void start_at(struct backtrace *walk, const struct trap_frame *frame)
{
    walk->rip = frame->rip;
    walk->rsp = frame->rsp;
    walk->rbp = frame->rbp;
    walk->phase = frame->vector == TRAP_VECTOR_NONE ? BACKTRACE_PHASE_CALL : BACKTRACE_PHASE_POINT;
}

void backtrace_begin(struct backtrace *walk, const struct trap_frame *frame)
{
    *walk = (struct backtrace){.end = trap_frame_is_user(frame) ? BACKTRACE_USER : BACKTRACE_GOING_ON};
    start_at(walk, frame);
}

static bool end_walk(struct backtrace *walk, enum backtrace_end end, uint64_t value)
{
    walk->end = end;
    walk->end_value = value;
    return false;
}

/* The stack that holds `size` bytes at address, whole. */
static bool find_stack(uint64_t address, uint64_t size, struct known_stack *stack)
{
    return known_stack_find(address, stack) && stack->high - address >= size;
}

/* After a POINT: where RBP is not this function's yet, its return address comes from the top of the stack. */
static bool next_from_top(struct backtrace *walk, struct backtrace_frame *frame)
{
    int offset = return_address_offset(walk->rip);
    struct known_stack stack;
    uint64_t address;

    if (offset < 0)
        return false;
    address = walk->rsp + (uint64_t)offset;
    if (!find_stack(address, 8, &stack) || !read_word(address, &walk->rip) || !address_is_kernel_text(walk->rip))
        return false;
    walk->rsp = address + 8;
    *frame = (struct backtrace_frame){BACKTRACE_RETURN, walk->rip};
    return true;
}

static bool next_exception(struct backtrace *walk, struct backtrace_frame *frame)
{
    uint64_t address = walk->rbp - TRAP_FRAME_LINK_TAG;
    const struct trap_frame *trap = (const struct trap_frame *)(uintptr_t)address;
    struct known_stack stack;

    if (address % 8 != 0)
        return end_walk(walk, BACKTRACE_MISALIGNED, walk->rbp);
    if (!find_stack(address, sizeof(*trap), &stack))
        return end_walk(walk, BACKTRACE_NO_STACK, walk->rbp);
    *frame = (struct backtrace_frame){BACKTRACE_EXCEPTION, address};
    if (trap_frame_is_user(trap))
        walk->end = BACKTRACE_USER;
    start_at(walk, trap);
    return true;
}

static bool next_caller(struct backtrace *walk, struct backtrace_frame *frame)
{
    struct known_stack stack;
    uint64_t rbp = walk->rbp;

    if (rbp % 8 != 0)
        return end_walk(walk, BACKTRACE_MISALIGNED, rbp);
    if (!find_stack(rbp, 16, &stack))
        return end_walk(walk, BACKTRACE_NO_STACK, rbp);
    if (rbp < walk->rsp && walk->rsp >= stack.low && walk->rsp <= stack.high)
        return end_walk(walk, BACKTRACE_BACKWARDS, rbp);
    if (!read_word(rbp, &walk->rbp) || !read_word(rbp + 8, &walk->rip))
        return end_walk(walk, BACKTRACE_NO_STACK, rbp);
    if (!address_is_kernel_text(walk->rip))
        return end_walk(walk, BACKTRACE_BAD_RETURN, walk->rip);
    walk->rsp = rbp + 16;
    *frame = (struct backtrace_frame){BACKTRACE_RETURN, walk->rip};
    return true;
}

bool backtrace_next(struct backtrace *walk, struct backtrace_frame *frame)
{
    enum backtrace_phase phase = walk->phase;

    if (walk->end != BACKTRACE_GOING_ON)
        return false;
    if (walk->nr_frames++ >= BACKTRACE_FRAMES_MAX)
        return end_walk(walk, BACKTRACE_LIMIT, 0);
    if (phase == BACKTRACE_PHASE_POINT || phase == BACKTRACE_PHASE_CALL) {
        bool is_point = phase == BACKTRACE_PHASE_POINT;

        walk->phase = is_point ? BACKTRACE_PHASE_TOP : BACKTRACE_PHASE_FRAMES;
        *frame = (struct backtrace_frame){is_point ? BACKTRACE_POINT : BACKTRACE_RETURN, walk->rip};
        return true;
    }
    walk->phase = BACKTRACE_PHASE_FRAMES;
    if (phase == BACKTRACE_PHASE_TOP && next_from_top(walk, frame))
        return true;
    if (walk->rbp == 0)
        return end_walk(walk, BACKTRACE_BOTTOM, walk->rsp);
    return walk->rbp & TRAP_FRAME_LINK_TAG ? next_exception(walk, frame) : next_caller(walk, frame);
}

void backtrace_describe_end(const struct backtrace *walk, char *buffer, size_t size)
{
    struct known_stack stack;
    char words[STACK_WORDS_MAX];

    switch (walk->end) {
    case BACKTRACE_BOTTOM:
        /* RSP is right above the last frame: at the stack's very end where that is its first. */
        if (known_stack_find(walk->end_value, &stack) || known_stack_find(walk->end_value - 1, &stack)) {
            stack_format(stack.name, stack.owner, words, sizeof(words));
            snprintf(buffer, size, "bottom of %s", words);
        } else {
            snprintf(buffer, size, "bottom of an unknown stack");
        }
        break;
    case BACKTRACE_USER:
        snprintf(buffer, size, "came from user mode");
        break;
    case BACKTRACE_MISALIGNED:
        snprintf(buffer, size, "frame pointer 0x%016lx is not aligned", walk->end_value);
        break;
    case BACKTRACE_NO_STACK:
        snprintf(buffer, size, "frame pointer 0x%016lx lies in no known stack", walk->end_value);
        break;
    case BACKTRACE_BACKWARDS:
        snprintf(buffer, size, "frame pointer 0x%016lx does not lead up the stack", walk->end_value);
        break;
    case BACKTRACE_BAD_RETURN:
        snprintf(buffer, size, "return address 0x%016lx is not in kernel code", walk->end_value);
        break;
    case BACKTRACE_LIMIT:
        snprintf(buffer, size, "after %d frames, more follow", BACKTRACE_FRAMES_MAX);
        break;
    case BACKTRACE_GOING_ON:
        snprintf(buffer, size, "going on");
        break;
    }
}

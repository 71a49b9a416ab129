/* Walks over made-up stacks. Code is made up, too: a page whose bytes read_safely reads, at addresses that count as
 * text. */
#include "support/unit.h"

#include <base/errno.h>
#include <cpu/exception_table.h>
#include <debug/backtrace.h>
#include <debug/known_stacks.h>
#include <debug/symbols.h>

#include <string.h>

static uint8_t text[256];
static uint64_t stack_words[64], other_words[64];
static struct known_stack stack = {.name = "one"}, other = {.name = "two"};

static uint64_t at(uint64_t *words, unsigned n)
{
    return (uint64_t)(uintptr_t)&words[n];
}

static uint64_t code(unsigned n)
{
    return (uint64_t)(uintptr_t)&text[n];
}

bool address_is_kernel_text(uint64_t address)
{
    return address >= code(0) && address < code(sizeof(text));
}

int read_safely(void *to, const void *from, size_t length)
{
    uint64_t address = (uint64_t)(uintptr_t)from;
    struct known_stack found;

    if (!known_stack_find(address, &found) && (address < code(0) || address + length > code(sizeof(text))))
        return -EFAULT;
    memcpy(to, from, length);
    return 0;
}

static int set_up(void **state)
{
    memset(text, 0x90, sizeof(text));
    memcpy(&text[10], "\x55\x48\x89\xe5", 4);
    memset(stack_words, 0, sizeof(stack_words));
    memset(other_words, 0, sizeof(other_words));
    return 0;
}

/* Two functions: one with a frame, from byte 10 on; one without, from byte 36 on. */
int symbol_lookup(uint64_t address, struct symbol_location *location)
{
    uint64_t offset = address - code(0);

    memset(location, 0, sizeof(*location));
    location->is_function = true;
    location->offset = offset < 10 ? offset : offset < 36 ? offset - 10 : offset - 36;
    return 0;
}

static bool find_made_up_stack(uint64_t address, struct known_stack *found)
{
    const struct known_stack *holder = address >= stack.low && address < stack.high ? &stack : &other;

    *found = *holder;
    return address >= holder->low && address < holder->high;
}

static int set_up_group(void **state)
{
    stack.low = at(stack_words, 0);
    stack.high = at(stack_words, 64);
    other.low = at(other_words, 0);
    other.high = at(other_words, 64);
    known_stack_set_lookup(find_made_up_stack);
    return 0;
}

static void expect(struct backtrace *walk, enum backtrace_kind kind, uint64_t address)
{
    struct backtrace_frame frame;

    assert_true(backtrace_next(walk, &frame));
    assert_int_equal(frame.kind, kind);
    assert_int_equal(frame.address, address);
}

static void expect_end(struct backtrace *walk, enum backtrace_end end, const char *words)
{
    struct backtrace_frame frame;
    char described[128];

    assert_false(backtrace_next(walk, &frame));
    assert_int_equal(walk->end, end);
    backtrace_describe_end(walk, described, sizeof(described));
    assert_non_null(strstr(described, words));
    assert_false(backtrace_next(walk, &frame)); /* and stays there */
}

static void put_frame(uint64_t *words, unsigned n, uint64_t saved_rbp, uint64_t return_address)
{
    words[n] = saved_rbp;
    words[n + 1] = return_address;
}

static void test_plain_chain(void **state)
{
    struct trap_frame frame = {
        .vector = 14, .cs = 8, .rip = code(20), .rsp = at(stack_words, 4), .rbp = at(stack_words, 8)};
    struct backtrace walk;

    put_frame(stack_words, 8, at(stack_words, 20), code(30));
    put_frame(stack_words, 20, 0, code(50));
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(20));
    expect(&walk, BACKTRACE_RETURN, code(30));
    expect(&walk, BACKTRACE_RETURN, code(50));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom of stack 'one'");
}

/* At a function's first instructions, at its ret, and anywhere in a leaf without a frame, the caller is found although
 * RBP is not ours. */
static void test_function_edges(void **state)
{
    struct trap_frame frame = {.vector = 14, .cs = 8, .rsp = at(stack_words, 4), .rbp = at(stack_words, 8)};
    struct backtrace walk;

    memcpy(&text[0], "\x55\x48\x89\xe5", 4);
    memcpy(&text[10], "\x55\x48\x89\xe5", 4); /* push %rbp; mov %rsp,%rbp */
    text[40] = 0xc3;
    put_frame(stack_words, 8, 0, code(90));
    stack_words[4] = code(70);
    stack_words[5] = code(75);

    frame.rip = code(10);
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(10));
    expect(&walk, BACKTRACE_RETURN, code(70));
    expect(&walk, BACKTRACE_RETURN, code(90));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom");

    frame.rip = code(11);
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(11));
    expect(&walk, BACKTRACE_RETURN, code(75));
    expect(&walk, BACKTRACE_RETURN, code(90));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom");

    frame.rip = code(20); /* the frame is set up */
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(20));
    expect(&walk, BACKTRACE_RETURN, code(90));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom");

    frame.rip = code(38); /* a leaf */
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(38));
    expect(&walk, BACKTRACE_RETURN, code(70));
    expect(&walk, BACKTRACE_RETURN, code(90));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom");

    frame.rip = code(40);
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(40));
    expect(&walk, BACKTRACE_RETURN, code(70));
    expect(&walk, BACKTRACE_RETURN, code(90));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom");
}

/* A call to NULL: the return address is on top of the stack. */
static void test_jump_to_nowhere(void **state)
{
    struct trap_frame frame = {.vector = 14, .cs = 8, .rip = 0, .rsp = at(stack_words, 4), .rbp = at(stack_words, 8)};
    struct backtrace walk;

    stack_words[4] = code(70);
    put_frame(stack_words, 8, 0, code(90));
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, 0);
    expect(&walk, BACKTRACE_RETURN, code(70));
    expect(&walk, BACKTRACE_RETURN, code(90));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom");
}

/* The double fault's stack leads to the stack that overflowed, whatever lies on either. */
static void test_crosses_exception(void **state)
{
    struct trap_frame *trap = (struct trap_frame *)&stack_words[10];
    struct trap_frame frame = {
        .vector = TRAP_VECTOR_NONE, .cs = 8, .rip = code(5), .rsp = at(other_words, 4), .rbp = at(other_words, 8)};
    struct backtrace walk;

    put_frame(other_words, 8, at(stack_words, 10) + TRAP_FRAME_LINK_TAG, code(20));
    *trap = (struct trap_frame){
        .vector = 8, .cs = 8, .rip = code(60), .rsp = at(stack_words, 40), .rbp = at(stack_words, 44)};
    put_frame(stack_words, 44, 0, code(80));
    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_RETURN, code(5));
    expect(&walk, BACKTRACE_RETURN, code(20));
    expect(&walk, BACKTRACE_EXCEPTION, at(stack_words, 10));
    expect(&walk, BACKTRACE_POINT, code(60));
    expect(&walk, BACKTRACE_RETURN, code(80));
    expect_end(&walk, BACKTRACE_BOTTOM, "bottom of stack 'one'");
}

static void test_user_mode_ends(void **state)
{
    struct trap_frame frame = {.vector = 14, .cs = 0x2b, .rip = 0x400000, .rsp = 0x7000, .rbp = 0x7000};
    struct backtrace walk;

    backtrace_begin(&walk, &frame);
    expect_end(&walk, BACKTRACE_USER, "user mode");
}

static void expect_stop(uint64_t rbp, enum backtrace_end end, const char *words)
{
    struct trap_frame frame = {.vector = 14, .cs = 8, .rip = code(20), .rsp = at(stack_words, 4), .rbp = rbp};
    struct backtrace walk;

    backtrace_begin(&walk, &frame);
    expect(&walk, BACKTRACE_POINT, code(20));
    expect_end(&walk, end, words);
}

static void test_broken_frames(void **state)
{
    put_frame(stack_words, 8, 0, 0x4141414141414141);
    expect_stop(at(stack_words, 8), BACKTRACE_BAD_RETURN, "0x4141414141414141 is not in kernel code");
    expect_stop(0x4141414141414140, BACKTRACE_NO_STACK, "0x4141414141414140 lies in no known stack");
    expect_stop(at(stack_words, 8) + 4, BACKTRACE_MISALIGNED, "not aligned");
    expect_stop(at(stack_words, 63), BACKTRACE_NO_STACK, "no known stack"); /* half of it is outside */
    expect_stop(at(stack_words, 2), BACKTRACE_BACKWARDS, "up the stack");
    expect_stop(at(stack_words, 60) + TRAP_FRAME_LINK_TAG, BACKTRACE_NO_STACK, "no known stack");
}

/* A frame that points to itself, and two stacks that point to each other. */
static void test_loops_end(void **state)
{
    struct trap_frame frame = {
        .vector = 14, .cs = 8, .rip = code(20), .rsp = at(stack_words, 4), .rbp = at(stack_words, 8)};
    struct backtrace walk;
    struct backtrace_frame step;
    unsigned count = 0;

    put_frame(stack_words, 8, at(stack_words, 8), code(30));
    backtrace_begin(&walk, &frame);
    while (backtrace_next(&walk, &step))
        count++;
    assert_int_equal(walk.end, BACKTRACE_BACKWARDS);
    assert_int_equal(count, 2);

    put_frame(stack_words, 8, at(other_words, 8), code(30));
    put_frame(other_words, 8, at(stack_words, 8), code(30));
    backtrace_begin(&walk, &frame);
    for (count = 0; backtrace_next(&walk, &step); count++)
        assert_true(count < BACKTRACE_FRAMES_MAX);
    assert_int_equal(walk.end, BACKTRACE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_plain_chain, set_up),     cmocka_unit_test_setup(test_function_edges, set_up),
        cmocka_unit_test_setup(test_jump_to_nowhere, set_up), cmocka_unit_test_setup(test_crosses_exception, set_up),
        cmocka_unit_test_setup(test_user_mode_ends, set_up),  cmocka_unit_test_setup(test_broken_frames, set_up),
        cmocka_unit_test_setup(test_loops_end, set_up),
    };

    return cmocka_run_group_tests(tests, set_up_group, NULL);
}

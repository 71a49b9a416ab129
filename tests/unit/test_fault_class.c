#include "support/unit.h"

#include <debug/fault_class.h>

#include <string.h>

/* The host's report hooks: one address space, made up. */
static struct address_description target;

void report_describe_address(uint64_t address, struct address_description *description)
{
    *description = target;
}

const char *report_describe_poison(uint64_t value)
{
    return value == 0xdeadf1eedeadf1ee ? "use after free" : NULL;
}

static void set_target(enum address_kind kind, const char *area)
{
    memset(&target, 0, sizeof(target));
    target.kind = kind;
    strncpy(target.area, area, sizeof(target.area) - 1);
}

static void expect_class(const struct fault_facts *facts, const char *words)
{
    char text[FAULT_CLASS_MAX];

    fault_class_describe(facts, text, sizeof(text));
    assert_string_equal(text, words);
}

static void expect_page_fault(uint64_t error_code, uint64_t cr2, enum address_kind kind, const char *area,
                              const char *words)
{
    struct trap_frame frame = {.vector = VECTOR_PAGE_FAULT, .error_code = error_code};
    struct fault_facts facts = {.frame = &frame, .cr2 = cr2};

    set_target(kind, area);
    expect_class(&facts, words);
}

static void test_page_faults(void **state)
{
    expect_page_fault(0, 8, ADDRESS_NULL_PAGE, "the NULL page", "NULL pointer read");
    expect_page_fault(2, 8, ADDRESS_NULL_PAGE, "the NULL page", "NULL pointer write");
    expect_page_fault(0x10, 0, ADDRESS_NULL_PAGE, "the NULL page", "NULL pointer jump");
    expect_page_fault(3, 0xf000, ADDRESS_TEXT, ".text", "write to read-only .text");
    expect_page_fault(3, 0xf000, ADDRESS_RODATA, ".rodata", "write to read-only .rodata");
    expect_page_fault(0x11, 0xf000, ADDRESS_HEAP, "heap", "execute of non-executable heap");
    expect_page_fault(2, 0xf000, ADDRESS_VMALLOC, "vmalloc", "write to an unmapped address in vmalloc");
    expect_page_fault(9, 0xf000, ADDRESS_VMALLOC, "vmalloc", "page table entry with reserved bits set");
    expect_page_fault(2, 0xf000, ADDRESS_STACK_GUARD_BELOW, "guard page below stack 'boot'",
                      "kernel stack overflow: write to the guard page below stack 'boot'");
    expect_page_fault(0, 0xf000, ADDRESS_STACK_GUARD_ABOVE, "guard page above stack 'boot'",
                      "kernel stack underflow: read of the guard page above stack 'boot'");
}

static void test_double_fault(void **state)
{
    struct trap_frame frame = {.vector = VECTOR_DOUBLE_FAULT, .rsp = 0x10ff8};
    struct fault_facts facts = {.frame = &frame, .cr2 = 0x10ff0};

    set_target(ADDRESS_STACK_GUARD_BELOW, "guard page below stack 'boot'");
    expect_class(&facts, "kernel stack overflow: guard page below stack 'boot' (double fault)");
    set_target(ADDRESS_STACK_GUARD_BELOW, "stack guard page of thread 12 'init'");
    expect_class(&facts, "kernel stack overflow: stack guard page of thread 12 'init' (double fault)");
    frame.rsp = 0x900000; /* an old CR2 */
    expect_class(&facts, "double fault: an exception could not be delivered");
}

static void set_code(struct fault_facts *facts, const char *bytes, size_t length)
{
    memcpy(facts->code, bytes, length);
    facts->code_length = length;
}

static void expect_access(const struct fault_facts *facts, const char *words)
{
    char text[FAULT_ACCESS_MAX];

    fault_access_describe(facts, text, sizeof(text));
    assert_string_equal(text, words);
}

static void test_general_protection(void **state)
{
    struct trap_frame frame = {.vector = VECTOR_GENERAL_PROTECTION, .rax = 0x8000000000000000, .rcx = 2};
    struct fault_facts facts = {.frame = &frame};

    set_code(&facts, "\x48\x8b\x44\xc8\x10", 5); /* mov 0x10(%rax,%rcx,8),%rax */
    expect_class(&facts, "non-canonical address in rax");
    expect_access(&facts, "[rax+rcx*8+0x10] = 0x8000000000000020, rax = 0x8000000000000000, rcx = 0x0000000000000002");
    frame.rax = 0x1000;
    frame.rcx = 0x1000000000000000; /* * 8 = bit 63 */
    expect_class(&facts, "non-canonical address in rcx");
    frame.rax = 0xdeadf1eedeadf1ee;
    expect_class(&facts, "use after free: non-canonical address in rax");
    frame.rax = frame.rcx = 0;
    expect_class(&facts, "general protection: the instruction is not allowed here");
    expect_access(&facts, "");
    set_code(&facts, "\xff\xd0", 2); /* call *%rax */
    frame.rax = 0x8000000000000000;
    frame.rsp = 0xffffffff80000000;
    expect_class(&facts, "non-canonical address in rax");
    set_code(&facts, "\xc3", 1);
    expect_class(&facts, "return to a non-canonical address");
    frame.error_code = 0x18;
    expect_class(&facts, "general protection: EXT=0 IDT=0 TI=0 index=3: GDT entry 3");
    frame.error_code = 0;
    facts.code_length = 0;
    expect_class(&facts, "general protection");
}

static void test_page_fault_operand(void **state)
{
    struct trap_frame frame = {.vector = VECTOR_PAGE_FAULT, .rbx = 0x2000};
    struct fault_facts facts = {.frame = &frame, .cr2 = 0x1ff8};

    set_code(&facts, "\x48\x8b\x43\xf8", 4); /* mov -0x8(%rbx),%rax */
    expect_access(&facts, "[rbx-0x8] = 0x0000000000001ff8, rbx = 0x0000000000002000");
    facts.cr2 = 0x9000; /* not what the instruction names: say nothing */
    expect_access(&facts, "");
}

static void test_divide(void **state)
{
    struct trap_frame frame = {.vector = VECTOR_DIVIDE_ERROR, .rcx = 0xff00000000};
    struct fault_facts facts = {.frame = &frame};

    set_code(&facts, "\xf7\xf9", 2); /* idiv %ecx */
    expect_class(&facts, "division by zero");
    set_code(&facts, "\x48\xf7\xf9", 3); /* idiv %rcx */
    expect_class(&facts, "division overflow: the quotient does not fit");
    set_code(&facts, "\xf7\x39", 2); /* idivl (%rcx) */
    expect_class(&facts, "divide error: division by zero, or the quotient does not fit");
}

static void test_others(void **state)
{
    struct trap_frame frame = {.vector = VECTOR_INVALID_OPCODE};
    struct fault_facts facts = {.frame = &frame};

    set_code(&facts, "\x0f\x0b", 2);
    expect_class(&facts, "invalid opcode: ud2");
    set_code(&facts, "\x06", 1);
    expect_class(&facts, "invalid opcode");
    frame.vector = 10;
    expect_class(&facts, "invalid TSS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_faults),
        cmocka_unit_test(test_double_fault),
        cmocka_unit_test(test_general_protection),
        cmocka_unit_test(test_page_fault_operand),
        cmocka_unit_test(test_divide),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

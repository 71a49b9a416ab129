/* Exceptions and interrupts, taken for real: handlers run, and what was interrupted goes on. */
#include <base/errno.h>
#include <cpu/exception_table.h>
#include <cpu/percpu.h>
#include <debug/backtrace.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/report.h>
#include <debug/test.h>
#include <irq/chip.h>
#include <lib/string.h>
#include <trap/trap.h>

static unsigned nr_calls;
static uint64_t seen_depth, seen_rip;

static bool count_exception(struct trap_frame *frame)
{
    nr_calls++;
    seen_rip = frame->rip;
    seen_depth = this_cpu_read(percpu.interrupt_depth);
    return true;
}

/* Every register the compiler may use keeps its value across the exception. */
KERNEL_TEST(trap_int3, "trap/int3_handler_is_called_and_resumes")
{
    uint64_t kept = 0x1122334455667788, counter = 1, after;

    nr_calls = 0;
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, count_exception), 0);
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, count_exception), (uint64_t)-EBUSY);
    __asm__ volatile("int3\n\t"
                     "leaq 1f(%%rip), %1\n"
                     "1: incq %0"
                     : "+r"(counter), "=r"(after), "+r"(kept)
                     :
                     : "memory");
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, NULL), 0);
    EXPECT_EQ(nr_calls, 1);
    EXPECT_EQ(counter, 2);
    EXPECT_EQ(kept, 0x1122334455667788);
    EXPECT(seen_rip < after && after - seen_rip < 16);
    EXPECT_EQ(seen_depth, 1);
    EXPECT_EQ(this_cpu_read(percpu.interrupt_depth), 0);
}

KERNEL_TEST(trap_int3_default, "trap/int3_without_a_handler_resumes")
{
    uint64_t next = log_next_sequence(), oldest;
    struct log_record record;

    __asm__ volatile("int3");
    EXPECT_EQ(log_read(next, &record, &oldest), 0);
    EXPECT(strstr(record.text, "int3 at"));
    EXPECT(strstr(record.text, "test_trap_int3_default"));
}

static uint64_t resume_at;

static bool skip_access(struct trap_frame *frame)
{
    nr_calls++;
    frame->rip = resume_at;
    return true;
}

KERNEL_TEST(trap_general_protection, "trap/general_protection_handler_is_called_and_goes_on")
{
    uint64_t address = 0x8000000000000000, value = 42;

    nr_calls = 0;
    EXPECT_EQ(trap_set_exception_handler(VECTOR_GENERAL_PROTECTION, skip_access), 0);
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rax, %1\n\t"
                     "movq (%2), %0\n"
                     "1:"
                     : "+r"(value), "=m"(resume_at)
                     : "r"(address)
                     : "rax", "memory");
    EXPECT_EQ(trap_set_exception_handler(VECTOR_GENERAL_PROTECTION, NULL), 0);
    EXPECT_EQ(nr_calls, 1);
    EXPECT_EQ(value, 42);
}

KERNEL_TEST(trap_fixed_vectors, "trap/nmi_double_fault_and_machine_check_cannot_be_claimed")
{
    EXPECT_EQ(trap_set_exception_handler(VECTOR_NMI, count_exception), (uint64_t)-EINVAL);
    EXPECT_EQ(trap_set_exception_handler(VECTOR_DOUBLE_FAULT, count_exception), (uint64_t)-EINVAL);
    EXPECT_EQ(trap_set_exception_handler(VECTOR_MACHINE_CHECK, count_exception), (uint64_t)-EINVAL);
    EXPECT_EQ(trap_set_exception_handler(32, count_exception), (uint64_t)-EINVAL);
    EXPECT_EQ(trap_set_handler(31, NULL), (uint64_t)-EINVAL);
    EXPECT_EQ(trap_set_handler(256, NULL), (uint64_t)-EINVAL);
}

/* Fix-ups: a bad read is an error, whatever is wrong with the address, and a good one reads. */
KERNEL_TEST(trap_read_safely, "trap/read_safely")
{
    static const char text[] = "text";
    char copy[sizeof(text)] = "";
    uint64_t word = 7;

    EXPECT_EQ(read_safely(copy, text, sizeof(text)), 0);
    EXPECT(strcmp(copy, "text") == 0);
    EXPECT_EQ(read_safely(&word, (const void *)8, 8), (uint64_t)-EFAULT);
    EXPECT_EQ(read_safely(&word, (const void *)0x8000000000000000, 8), (uint64_t)-EFAULT);
    EXPECT_EQ(read_safely(&word, (const void *)0xffffcffffffef000, 8), (uint64_t)-EFAULT);
    EXPECT_EQ(word, 7);
    EXPECT_EQ(this_cpu_read(percpu.interrupt_depth), 0);
}

#define TEST_VECTOR 0x7e

static uint64_t seen_vector;

static void count_interrupt(struct trap_frame *frame)
{
    nr_calls++;
    seen_vector = frame->vector;
}

KERNEL_TEST(trap_interrupt, "trap/claimed_interrupt")
{
    uint32_t unclaimed = trap_unclaimed_count(TEST_VECTOR);

    nr_calls = 0;
    EXPECT_EQ(trap_set_handler(TEST_VECTOR, count_interrupt), 0);
    EXPECT_EQ(trap_set_handler(TEST_VECTOR, count_interrupt), (uint64_t)-EBUSY);
    __asm__ volatile("int %0" : : "i"(TEST_VECTOR) : "memory");
    EXPECT_EQ(trap_set_handler(TEST_VECTOR, NULL), 0);
    EXPECT_EQ(nr_calls, 1);
    EXPECT_EQ(seen_vector, TEST_VECTOR);
    EXPECT_EQ(trap_unclaimed_count(TEST_VECTOR), unclaimed);
}

/* int n with n from 32 on, as a table of five-byte thunks would be: the vector is part of the instruction. */
#define RAISE(n)   __asm__ volatile("int %0" : : "i"(n) : "memory");
#define RAISE4(n)  RAISE(n) RAISE((n) + 1) RAISE((n) + 2) RAISE((n) + 3)
#define RAISE16(n) RAISE4(n) RAISE4((n) + 4) RAISE4((n) + 8) RAISE4((n) + 12)
#define RAISE32(n) RAISE16(n) RAISE16((n) + 16)

KERNEL_TEST(trap_unclaimed, "trap/each_unclaimed_vector_is_counted_and_survived")
{
    static uint32_t before[NR_VECTORS];
    char name[IRQ_NAME_MAX];

    for (unsigned vector = NR_EXCEPTIONS; vector < NR_VECTORS; vector++)
        before[vector - NR_EXCEPTIONS] = trap_unclaimed_count(vector);
    RAISE32(32);
    RAISE32(64);
    RAISE32(96);
    RAISE32(128);
    RAISE32(160);
    RAISE32(192);
    RAISE32(224);
    for (unsigned vector = NR_EXCEPTIONS; vector < NR_VECTORS; vector++)
        EXPECT_EQ(trap_unclaimed_count(vector),
                  before[vector - NR_EXCEPTIONS] + (irq_vector_name(vector, name) ? 0 : 1));
}

/* A storm is logged a handful of times, not a thousand. */
KERNEL_TEST(trap_storm, "trap/a_storm_of_unclaimed_interrupts_is_logged_sparingly")
{
    uint64_t lines = log_next_sequence();

    for (int i = 0; i < 1000; i++)
        __asm__ volatile("int %0" : : "i"(TEST_VECTOR) : "memory");
    EXPECT(trap_unclaimed_count(TEST_VECTOR) >= 1000);
    EXPECT(log_next_sequence() - lines <= 11);
}

static char interrupted_names[160];

static void walk_from_interrupt(struct trap_frame *frame)
{
    struct backtrace walk;
    struct backtrace_frame step;
    struct trap_frame here;
    bool has_crossed = false;

    (void)frame;
    capture_registers(&here);
    for (backtrace_begin(&walk, &here); backtrace_next(&walk, &step);) {
        has_crossed = has_crossed || step.kind == BACKTRACE_EXCEPTION;
        if (has_crossed && step.kind == BACKTRACE_POINT)
            format_code_location(interrupted_names, sizeof(interrupted_names), step.address, false);
    }
    nr_calls += walk.end == BACKTRACE_BOTTOM;
}

KERNEL_TEST(trap_backtrace, "trap/a_backtrace_crosses_an_interrupt")
{
    nr_calls = 0;
    EXPECT_EQ(trap_set_handler(TEST_VECTOR, walk_from_interrupt), 0);
    __asm__ volatile("int %0" : : "i"(TEST_VECTOR) : "memory");
    EXPECT_EQ(trap_set_handler(TEST_VECTOR, NULL), 0);
    EXPECT_EQ(nr_calls, 1);
    EXPECT(strstr(interrupted_names, "test_trap_backtrace"));
}

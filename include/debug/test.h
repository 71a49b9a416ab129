/* Tests that run inside the kernel, at the prompt (`test [NAME...]`) or from `keel.run=`. They live in tests/kernel/,
 * one file a subject. The runner compares free pages and slab objects before and after each one. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct kernel_test {
    const char *name; /* "slab/free_list_is_encoded" */
    void (*run)(void);
};

#define KERNEL_TEST(identifier, test_name)                                                                             \
    static void test_##identifier(void);                                                                               \
    TABLE_ENTRY(tests) static const struct kernel_test kernel_test_##identifier = {test_name, test_##identifier};      \
    static void test_##identifier(void)

TABLE_DECLARE(const struct kernel_test, tests);

/* Records a failure of the running test, with where; the test goes on. Context: any. */
PRINTF(3, 4) void test_fail(const char *file, int line, const char *format, ...);

/* Fails the running test and returns from it when the condition does not hold. */
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            test_fail(__FILE_NAME__, __LINE__, "expected %s", #condition);                                             \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

#define EXPECT_EQ(actual, expected)                                                                                    \
    do {                                                                                                               \
        uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);                                       \
        if (actual_ != expected_) {                                                                                    \
            test_fail(__FILE_NAME__, __LINE__, "%s is 0x%lx, expected 0x%lx", #actual, actual_, expected_);            \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

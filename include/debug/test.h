/* Tests that run inside the kernel, at the prompt (`test [NAME...]`) or from `keel.run=`. They live in tests/kernel/,
 * one file a subject. The runner compares free pages and slab objects before and after each one. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct kernel_test {
    const char *name; /* "slab/free_list_is_encoded" */
    void (*run)(void);
};

#define KERNEL_TEST(identifier, test_name)                                                                        \
    static void test_##identifier(void);                                                                          \
    TABLE_ENTRY(tests) static const struct kernel_test kernel_test_##identifier = {test_name, test_##identifier}; \
    static void test_##identifier(void)

TABLE_DECLARE(const struct kernel_test, tests);

/* Something that a test must leave as it found it: free pages, live objects, reports of a sanitizer. The owner
 * registers it:
 *
 *     TEST_COUNTER(free_pages, "free pages", page_cache_drain, free_pages);
 */
struct test_counter {
    const char *name;
    void (*settle)(void); /* empties caches, so that the count is exact; may be NULL */
    uint64_t (*read)(void);
    uint64_t *before; /* the runner's: the count before the running test */
};

#define TEST_COUNTER(identifier, counter_name, settle_function, read_function)                                  \
    static uint64_t test_counter_before_##identifier;                                                           \
    TABLE_ENTRY(test_counters)                                                                                  \
    static const struct test_counter test_counter_##identifier = {counter_name, settle_function, read_function, \
                                                                  &test_counter_before_##identifier}

TABLE_DECLARE(const struct test_counter, test_counters);

/* What every CPU has to do for itself, in an interrupt, before the counts are exact: give back what it keeps for later.
 *
 *     TEST_SETTLE_CPU(slab, reap);
 */
struct test_settle_cpu {
    void (*run)(void);
};

#define TEST_SETTLE_CPU(identifier, function) \
    TABLE_ENTRY(test_settle_cpus) static const struct test_settle_cpu test_settle_cpu_##identifier = {function}

TABLE_DECLARE(const struct test_settle_cpu, test_settle_cpus);

/* What a test's runner does before and after it, for others than tests: notes what all counters show now, settled, and
 * compares them with that. False when some differ; text, of size bytes, then says which. Context: thread, nothing else
 * runs. */
void test_counters_note(void);
MUST_CHECK bool test_counters_compare(char *text, size_t size);

/* Who can reach other CPUs says how to have all of them call a function with this argument. Context: init. */
void test_set_each_cpu(void (*on_each_cpu)(void (*function)(void *argument), void *argument));

/* The prefix of tests that are meant to fail: run by their full name only, to prove that the runner notices. */
#define TEST_HIDDEN_PREFIX "selftest/"

/* The prefix of tests of how long something takes. They hold on a machine whose time is what its CPU has executed (QEMU
 * with -icount, Bochs), not where a host may be busy: run by their full names too. */
#define TEST_EXACT_PREFIX "exact/"

struct test_totals {
    unsigned passed, failed;
};

/* Runs tests in the order of their names, each once, and prints a line for each and the totals. A name selects the test
 * of that name or, where there is none, all that begin with it; no names select all. Returns 0, whatever failed;
 * -ENOENT, with nothing run and totals untouched, when a name selects nothing. Context: thread. */
MUST_CHECK int test_run(int nr_names, char **names, struct test_totals *totals);

/* What runs right before and right after a test's function, and the failures that are looked at afterwards. */
struct test_bracket {
    void (*begin)(void *context);
    void (*end)(void *context);
    void *context;
};

/* Runs one test, of whatever prefix, and prints nothing. *text gets how it failed, valid until the next test, or NULL.
 * Returns 0, or -ENOENT where there is no test of that name. Context: thread. */
MUST_CHECK int test_run_between(const char *name, const struct test_bracket *bracket, const char **text);

/* The name of the n-th test that is not hidden, NULL past the last. */
const char *test_name(unsigned n);

/* Tests that have failed since boot. Context: any. */
unsigned test_failures(void);

/* Records a failure of the running test, with where; the test goes on. Context: any. */
PRINTF(3, 4) void test_fail(const char *file, int line, const char *format, ...);

/* Fails the running test and returns from it when the condition does not hold. */
#define EXPECT(condition)                                                  \
    do {                                                                   \
        if (!(condition)) {                                                \
            test_fail(__FILE_NAME__, __LINE__, "expected %s", #condition); \
            return;                                                        \
        }                                                                  \
    } while (0)

#define EXPECT_EQ(actual, expected)                                                                         \
    do {                                                                                                    \
        uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);                            \
        if (actual_ != expected_) {                                                                         \
            test_fail(__FILE_NAME__, __LINE__, "%s is 0x%lx, expected 0x%lx", #actual, actual_, expected_); \
            return;                                                                                         \
        }                                                                                                   \
    } while (0)

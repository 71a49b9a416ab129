/* The sanitize preset finds each kind of undefined behaviour in the kernel, and goes on. The words are tested on the
 * host; that nothing else was found is a counter the test runner compares. */
#include <debug/test.h>
#include <debug/ubsan.h>
#include <lib/string.h>

static const char *expected_words;
static unsigned nr_findings;
static int array[4] = {1, 2, 3, 4};

static void observe(const char *words)
{
    if (strncmp(words, expected_words, strlen(expected_words)) == 0)
        nr_findings++;
}

/* The compiler must not see what is wrong. */
static NOINLINE long opaque(long value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static NOINLINE void overflow(void)
{
    volatile int largest = 0x7fffffff;

    (void)opaque(largest + 1);
}

static NOINLINE void shift(void)
{
    (void)opaque(1 << opaque(40));
}

static NOINLINE void bounds(void)
{
    (void)opaque((long)&array[opaque(7)]);
}

static NOINLINE void misaligned(void)
{
    (void)opaque(*(volatile int *)((char *)array + opaque(2)));
}

static NOINLINE void invalid_bool(void)
{
    char byte = (char)opaque(7);

    (void)opaque(*(volatile bool *)&byte);
}

static NOINLINE void zero_count(void)
{
    (void)opaque(__builtin_ctzl((unsigned long)opaque(0)));
}

static unsigned count_of(void (*provoke)(void), const char *words)
{
    expected_words = words;
    nr_findings = 0;
    ubsan_set_observer(observe);
    provoke();
    ubsan_set_observer(NULL);
    return nr_findings;
}

KERNEL_TEST(ubsan_finds, "ubsan/each_kind_is_found_and_survived")
{
    EXPECT_EQ(count_of(overflow, "signed integer overflow"), 1);
    EXPECT_EQ(count_of(shift, "bad shift"), 1);
    EXPECT_EQ(count_of(bounds, "array index out of bounds"), 1);
    EXPECT_EQ(count_of(misaligned, "misaligned pointer"), 1);
    EXPECT_EQ(count_of(invalid_bool, "invalid value"), 1);
    EXPECT_EQ(count_of(zero_count, "zero passed to __builtin_ctz"), 1);
}

static void find_more(const char *words)
{
    nr_findings++;
    if (nr_findings < 3) {
        shift();
        observe(words);
    }
}

KERNEL_TEST(ubsan_inside, "ubsan/a_finding_inside_another_leads_to_no_third")
{
    expected_words = "signed integer overflow";
    nr_findings = 0;
    ubsan_set_observer(find_more);
    overflow();
    ubsan_set_observer(NULL);
    EXPECT_EQ(nr_findings, 2); /* told once, and seen to be the one */
}

KERNEL_TEST(ubsan_counts, "ubsan/nothing_was_found_since_boot")
{
    EXPECT_EQ(ubsan_count(), 0);
}

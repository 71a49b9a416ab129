/* The test runner is held against tests that must fail: hidden ones, run by their full names in the scenario
 * prompt/tests_can_fail. And one that must pass. */
#include <debug/test.h>

#include <mm/kmalloc.h>
#include <mm/page_alloc.h>

KERNEL_TEST(runner_passes, "runner/counts_nothing_left_behind")
{
    void *object = kmalloc(100, ALLOC_NORMAL);
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);

    if (page)
        page_free(page, 0);
    kfree(object);
    EXPECT(object && page);
}

KERNEL_TEST(selftest_fails, TEST_HIDDEN_PREFIX "fails")
{
    EXPECT_EQ(6 * 9, 42);
}

KERNEL_TEST(selftest_fails_twice, TEST_HIDDEN_PREFIX "fails_twice")
{
    test_fail(__FILE_NAME__, __LINE__, "the first of two");
    test_fail(__FILE_NAME__, __LINE__, "the second of two");
}

KERNEL_TEST(selftest_leaks_page, TEST_HIDDEN_PREFIX "leaks_page")
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);

    EXPECT(page);
}

KERNEL_TEST(selftest_leaks_object, TEST_HIDDEN_PREFIX "leaks_object")
{
    void *object = kmalloc(24, ALLOC_NORMAL);

    EXPECT(object);
}

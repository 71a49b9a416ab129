#include "fail_each.h"

#include <base/errno.h>
#include <debug/test.h>
#include <mm/fail_inject.h>

/* Returns whether there was an nth allocation. */
static bool fail_nth(const struct fail_steps *steps, uint64_t nth)
{
    char text[128];
    bool has_failed;
    int error;

    fail_inject_arm(FAIL_ANY, nth);
    error = steps->take(steps->context);
    has_failed = fail_inject_disarm();
    if (error == 0)
        steps->give_back(steps->context);
    if (error != 0 && (error != -ENOMEM || !has_failed))
        test_fail(__FILE_NAME__, __LINE__, "allocation %lu failing: error %d", nth, error);
    if (!test_counters_compare(text, sizeof(text)))
        test_fail(__FILE_NAME__, __LINE__, "allocation %lu failing: %s", nth, text);
    return has_failed;
}

void fail_each(const struct fail_steps *steps, uint64_t least)
{
    uint64_t nth = 0;

    do
        nth++;
    while (fail_nth(steps, nth));
    if (nth <= least)
        test_fail(__FILE_NAME__, __LINE__, "only %lu allocations", nth - 1);
}

#include <mm/fail_inject.h>

#include <debug/log.h>

unsigned fail_inject_kinds;
static uint64_t number;    /* [c] of the one that fails */
static uint64_t remaining; /* [c] counted allocations until the one that fails */
static bool has_failed;    /* [c] */

void fail_inject_arm(unsigned kinds, uint64_t nth)
{
    number = remaining = nth;
    has_failed = false;
    WRITE_ONCE(fail_inject_kinds, nth ? kinds : 0);
}

bool fail_inject_disarm(void)
{
    WRITE_ONCE(fail_inject_kinds, 0);
    return has_failed;
}

bool fail_inject_count(void)
{
    if (--remaining)
        return false;
    has_failed = true;
    WRITE_ONCE(fail_inject_kinds, 0);
    log_debug("fail_inject: allocation %lu made to fail", (unsigned long)number);
    return true;
}

#include <mm/fail_inject.h>

#include <debug/log.h>

unsigned fail_inject_kinds; /* [a] */
static uint64_t number;     /* [I] while armed: of the one that fails */
static uint64_t remaining;  /* [a] counted allocations until the one that fails */
static bool has_failed;     /* [a] */

void fail_inject_arm(unsigned kinds, uint64_t nth)
{
    number = nth;
    __atomic_store_n(&remaining, nth, __ATOMIC_RELAXED);
    __atomic_store_n(&has_failed, false, __ATOMIC_RELAXED);
    /* Release: who counts because of it has the number. Pairs with the subtraction's acquire. */
    __atomic_store_n(&fail_inject_kinds, nth ? kinds : 0, __ATOMIC_RELEASE);
}

bool fail_inject_disarm(void)
{
    __atomic_store_n(&fail_inject_kinds, 0, __ATOMIC_RELAXED);
    return __atomic_load_n(&has_failed, __ATOMIC_RELAXED);
}

/* Of several CPUs that count at once one takes it to 0. */
bool fail_inject_count(void)
{
    if (__atomic_sub_fetch(&remaining, 1, __ATOMIC_ACQUIRE) != 0)
        return false;
    __atomic_store_n(&has_failed, true, __ATOMIC_RELAXED);
    __atomic_store_n(&fail_inject_kinds, 0, __ATOMIC_RELAXED);
    log_debug("fail_inject: allocation %lu made to fail", (unsigned long)number);
    return true;
}

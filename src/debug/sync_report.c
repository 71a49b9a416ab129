/* What the locks and counts below debug find wrong, in words. */
#include <cpu/trap_frame.h>
#include <debug/backtrace.h>
#include <debug/panic.h>
#include <debug/report_hooks.h>
#include <sync/refcount.h>
#include <sync/rwlock.h>

#define LOCATION_MAX 120

void refcount_report(const struct refcount *count, enum refcount_misuse misuse, const void *where)
{
    static const char *const words[] = {
        [REFCOUNT_RAISED_FROM_ZERO] = "reference count raised from 0",
        [REFCOUNT_OVERFLOW] = "reference count overflow",
        [REFCOUNT_UNDERFLOW] = "reference count underflow",
    };
    struct address_description counted;
    char location[LOCATION_MAX];

    report_describe_address((uint64_t)(uintptr_t)count, &counted);
    format_code_location(location, sizeof(location), (uint64_t)(uintptr_t)where, true);
    warn("%s: saturated, at %s: %s", words[misuse], location, counted.text);
}

void rwlock_recursion(const struct rwlock *lock, const void *first_taken_at, const void *taken_again_at)
{
    char first[LOCATION_MAX], again[LOCATION_MAX];

    format_code_location(first, sizeof(first), (uint64_t)(uintptr_t)first_taken_at, true);
    format_code_location(again, sizeof(again), (uint64_t)(uintptr_t)taken_again_at, true);
    panic("lock recursion: '%s' taken for writing at %s, again at %s", lock->name, first, again);
}

void rwlock_not_held(const struct rwlock *lock)
{
    panic("lock '%s' given back by a CPU that does not write", lock->name);
}

/* Between the handlers the compiler calls (ubsan.c) and what becomes of a finding (ubsan_report.c). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/ubsan.h>

#define UBSAN_WORDS_MAX 192

/* Laid out by the compiler, in writable data. */
struct ubsan_place {
    const char *file; /* as the compiler was given it: relative to the build directory */
    uint32_t line;
    uint32_t column; /* UINT32_MAX once reported */
};

/* The code that called the handler. */
struct ubsan_caller {
    const void *return_address;
    void *const *frame; /* the handler's own: the caller's frame pointer and the return address */
};

extern PER_CPU uint32_t ubsan_is_finding;  /* [c] with preemption off */
extern uint64_t ubsan_findings;            /* [a] */
extern ubsan_observer ubsan_test_observer; /* [I] but while a test runs */

static ALWAYS_INLINE void ubsan_count_one(void)
{
    __atomic_fetch_add(&ubsan_findings, 1, __ATOMIC_RELAXED); /* nothing else is read on the strength of it */
}

/* Around finding the words and ubsan_report, on one CPU: what they call is checked itself, and a finding there would
 * find words for another one, and so on. False inside another finding: then it is counted, and nothing more; inline, so
 * that it costs no more stack than its caller's (docs/stacks.md). Context: any. */
static ALWAYS_INLINE bool ubsan_begin(void)
{
    if (this_cpu_read(ubsan_is_finding)) { /* whoever set it stays on its CPU: this is above it */
        if (!READ_ONCE(ubsan_test_observer))
            ubsan_count_one();
        return false;
    }
    preempt_disable();
    this_cpu_write(ubsan_is_finding, 1);
    return true;
}

static ALWAYS_INLINE void ubsan_end(void)
{
    this_cpu_write(ubsan_is_finding, 0);
    preempt_enable();
}

/* is_fatal: the compiler left no code to go on with, and this must not return. Context: any. */
COLD void ubsan_report(struct ubsan_place *place, const struct ubsan_caller *caller, bool is_fatal, const char *words);

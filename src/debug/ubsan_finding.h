/* Between the handlers the compiler calls (ubsan.c) and what becomes of a finding (ubsan_report.c). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

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

/* is_fatal: the compiler left no code to go on with, and this must not return. Context: any. */
COLD void ubsan_report(struct ubsan_place *place, const struct ubsan_caller *caller, bool is_fatal, const char *words);

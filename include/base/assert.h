/* Assertions: for our own broken invariants only. Bytes from firmware, a disk, a device, the network or a user program
 * never reach one; they get an error code. */
#pragma once

#include <base/compiler.h>

#define static_assert _Static_assert

/* Ends the kernel with a full report. Implemented by debug/panic.c, and by the host test support. Any context. */
NORETURN COLD void assert_fail(const char *expression, const char *file, int line, const char *function);

/* On in every build. Keep the expression free of side effects and cheap. */
#define ASSERT(expression)                                               \
    do {                                                                 \
        if (UNLIKELY(!(expression)))                                     \
            assert_fail(#expression, __FILE_NAME__, __LINE__, __func__); \
    } while (0)

/* Only in debug builds; for checks too costly for a release. */
#define DEBUG_ASSERT(expression) \
    do {                         \
        if (CONFIG_DEBUG)        \
            ASSERT(expression);  \
    } while (0)

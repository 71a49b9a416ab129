/* Redzones behind global variables. The layout is GCC's (libsanitizer's version 8), as its output shows it. */
#include "kasan_shadow.h"

#include <base/align.h>
#include <base/assert.h>

struct asan_global {
    const char *start;
    size_t size;
    size_t size_with_redzone;
    const char *name;
    const char *file;
    size_t has_constructor;
    const void *location;
    const void *odr_indicator;
};

static_assert(sizeof(struct asan_global) == 64, "the compiler's layout");

INIT void __asan_register_globals(const struct asan_global *globals, size_t count);
INIT void __asan_register_globals(const struct asan_global *globals, size_t count)
{
    for (const struct asan_global *global = globals; global < globals + count; global++) {
        size_t whole = align_up(global->size, KASAN_GRANULE);

        kasan_poison_(global->start + whole, global->size_with_redzone - whole, KASAN_GLOBAL);
        kasan_unpoison_(global->start, global->size);
    }
}

/* Referred to by what would run at the end of a program. */
void __asan_unregister_globals(const struct asan_global *globals, size_t count);
void __asan_unregister_globals(const struct asan_global *globals, size_t count)
{
    (void)globals, (void)count;
}

/* The boot CPU's caches, from CPUID leaf 4 (SDM 2A) or, on AMD, 0x8000001d and before it 0x80000005 and 0x80000006
 * (APM 3, E.4). Context: any, after cpu_features_detect. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

enum cache_kind { CACHE_DATA = 1, CACHE_INSTRUCTION = 2, CACHE_UNIFIED = 3 }; /* as in CPUID */

struct cpu_cache {
    enum cache_kind kind;
    unsigned level;
    uint64_t size_bytes;
    unsigned line_bytes;
    unsigned ways;
    bool is_fully_associative;
};

/* Describes the n-th cache. Returns 0, or -ENOENT past the last, and where the CPU does not tell. */
MUST_CHECK int cpu_cache(unsigned n, struct cpu_cache *cache);

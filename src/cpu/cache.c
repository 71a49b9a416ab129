#include <cpu/cache.h>

#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/registers.h>

#define LEAF_INTEL      4u
#define LEAF_AMD        0x8000001du
#define LEAF_AMD_LEVEL1 0x80000005u /* APM 3, E.4.4 */
#define LEAF_AMD_LEVEL2 0x80000006u
#define CACHES_MAX      16u /* a CPU that never ends its list is not believed */

static unsigned bits(uint32_t value, unsigned low, unsigned count)
{
    return value >> low & ((1u << count) - 1);
}

static uint32_t leaf_of_this_cpu(void)
{
    const struct cpu_identity *identity = cpu_identity();

    if (identity->max_leaf >= LEAF_INTEL && bits(cpuid(LEAF_INTEL, 0).eax, 0, 5) != 0)
        return LEAF_INTEL;
    /* CPUID Fn8000_0001_ECX[TopologyExtensions] */
    if (identity->max_extended_leaf >= LEAF_AMD && (identity->words[CPU_WORD_81_ECX] >> 22 & 1))
        return LEAF_AMD;
    return 0;
}

static int cache_of_leaf(uint32_t leaf, unsigned n, struct cpu_cache *cache)
{
    struct cpuid_result result;
    unsigned partitions;
    uint64_t sets;

    for (unsigned i = 0; i <= n; i++) { /* the list ends at its first empty entry */
        result = cpuid(leaf, i);
        if (bits(result.eax, 0, 5) == 0)
            return -ENOENT;
    }
    cache->kind = (enum cache_kind)bits(result.eax, 0, 5);
    cache->level = bits(result.eax, 5, 3);
    cache->is_fully_associative = bits(result.eax, 9, 1);
    cache->line_bytes = bits(result.ebx, 0, 12) + 1;
    cache->ways = bits(result.ebx, 22, 10) + 1;
    partitions = bits(result.ebx, 12, 10) + 1;
    sets = (uint64_t)result.ecx + 1;
    cache->size_bytes = sets * cache->ways * partitions * cache->line_bytes;
    return 0;
}

/* The fields of an older AMD register: level 1 has its size in KiB in the top byte and its ways below, levels 2 and 3 a
 * code for the ways. */
static void cache_of_register(uint32_t value, unsigned level, enum cache_kind kind, struct cpu_cache *cache)
{
    static const uint8_t ways[16] = {[1] = 1,  [2] = 2,   [3] = 3,   [4] = 4,   [5] = 6,   [6] = 8,
                                     [8] = 16, [10] = 32, [11] = 48, [12] = 64, [13] = 96, [14] = 128};
    uint64_t size_kib = level == 1   ? bits(value, 24, 8)
                        : level == 2 ? bits(value, 16, 16)
                                     : bits(value, 18, 14) * 512ull;

    cache->kind = kind;
    cache->level = level;
    cache->size_bytes = size_kib * 1024;
    cache->line_bytes = bits(value, 0, 8);
    cache->ways = level == 1 ? bits(value, 16, 8) : ways[bits(value, 12, 4)];
    cache->is_fully_associative = level == 1 ? cache->ways == 0xff : bits(value, 12, 4) == 0xf;
}

/* AMD before leaf 0x8000001d: the n-th register of those below that describes a cache. */
static int cache_of_old_amd(unsigned n, struct cpu_cache *cache)
{
    struct cpuid_result level1 = cpuid(LEAF_AMD_LEVEL1, 0), level2 = cpuid(LEAF_AMD_LEVEL2, 0);
    const struct {
        uint32_t value;
        unsigned level;
        enum cache_kind kind;
    } registers[] = {
        {level1.ecx, 1, CACHE_DATA},
        {level1.edx, 1, CACHE_INSTRUCTION},
        {level2.ecx, 2, CACHE_UNIFIED},
        {level2.edx, 3, CACHE_UNIFIED},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        cache_of_register(registers[i].value, registers[i].level, registers[i].kind, cache);
        if (cache->size_bytes > 0 && n-- == 0)
            return 0;
    }
    return -ENOENT;
}

int cpu_cache(unsigned n, struct cpu_cache *cache)
{
    uint32_t leaf = leaf_of_this_cpu();
    struct cpu_cache found;
    int error = -ENOENT;

    if (leaf != 0 && n < CACHES_MAX)
        error = cache_of_leaf(leaf, n, &found);
    else if (leaf == 0 && cpu_identity()->max_extended_leaf >= LEAF_AMD_LEVEL2)
        error = cache_of_old_amd(n, &found);
    if (error == 0)
        *cache = found;
    return error;
}

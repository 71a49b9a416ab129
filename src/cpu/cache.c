#include <cpu/cache.h>

#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/registers.h>

#define LEAF_INTEL 4u
#define LEAF_AMD   0x8000001du
#define CACHES_MAX 16u /* a CPU that never ends its list is not believed */

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

int cpu_cache(unsigned n, struct cpu_cache *cache)
{
    uint32_t leaf = leaf_of_this_cpu();
    struct cpuid_result result;
    unsigned partitions;
    uint64_t sets;

    if (leaf == 0 || n >= CACHES_MAX)
        return -ENOENT;
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

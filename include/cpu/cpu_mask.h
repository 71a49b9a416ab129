/* Sets of CPUs, by number. Pure; the _atomic forms may meet each other on one set, the others need it to themselves.
 * Context: any. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

#define CPU_MAX 256u /* CPUs that a set can hold; the kernel starts no more */

#define CPU_MASK_WORDS (CPU_MAX / 64)

struct cpu_mask {
    uint64_t words[CPU_MASK_WORDS]; /* bit n % 64 of word n / 64 is CPU n */
};

static inline void cpu_mask_clear_all(struct cpu_mask *mask)
{
    *mask = (struct cpu_mask){0};
}

/* CPUs 0 to nr_cpus - 1. */
static inline void cpu_mask_set_first(struct cpu_mask *mask, uint32_t nr_cpus)
{
    ASSERT(nr_cpus <= CPU_MAX);
    for (uint32_t word = 0; word < CPU_MASK_WORDS; word++) {
        uint32_t from = word * 64;
        uint64_t bits = nr_cpus <= from ? 0 : nr_cpus - from >= 64 ? UINT64_MAX : (1ull << (nr_cpus - from)) - 1;

        mask->words[word] = bits;
    }
}

static inline void cpu_mask_set(struct cpu_mask *mask, uint32_t cpu)
{
    ASSERT(cpu < CPU_MAX);
    mask->words[cpu / 64] |= 1ull << (cpu % 64);
}

static inline void cpu_mask_clear(struct cpu_mask *mask, uint32_t cpu)
{
    ASSERT(cpu < CPU_MAX);
    mask->words[cpu / 64] &= ~(1ull << (cpu % 64));
}

/* False for a number that no CPU can have. */
static inline bool cpu_mask_has(const struct cpu_mask *mask, uint32_t cpu)
{
    return cpu < CPU_MAX && (__atomic_load_n(&mask->words[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1);
}

/* Orders what was written before; pairs with cpu_mask_take_word_atomic and acquires of the reader's own. Returns
 * whether the CPU was in the set. */
static inline bool cpu_mask_set_atomic(struct cpu_mask *mask, uint32_t cpu)
{
    uint64_t bit = 1ull << (cpu % 64);

    ASSERT(cpu < CPU_MAX);
    return __atomic_fetch_or(&mask->words[cpu / 64], bit, __ATOMIC_ACQ_REL) & bit;
}

static inline bool cpu_mask_clear_atomic(struct cpu_mask *mask, uint32_t cpu)
{
    uint64_t bit = 1ull << (cpu % 64);

    ASSERT(cpu < CPU_MAX);
    return __atomic_fetch_and(&mask->words[cpu / 64], ~bit, __ATOMIC_ACQ_REL) & bit;
}

/* Empties one word of the set and returns what was in it. */
static inline uint64_t cpu_mask_take_word_atomic(struct cpu_mask *mask, uint32_t word)
{
    return __atomic_exchange_n(&mask->words[word], 0, __ATOMIC_ACQ_REL);
}

static inline uint32_t cpu_mask_count(const struct cpu_mask *mask)
{
    uint32_t count = 0;

    for (uint32_t word = 0; word < CPU_MASK_WORDS; word++)
        for (uint64_t bits = mask->words[word]; bits; bits &= bits - 1)
            count++;
    return count;
}

/* The first CPU of the set from `from` on, or CPU_MAX. Others may change the set meanwhile, as in cpu_mask_and. */
static inline uint32_t cpu_mask_next(const struct cpu_mask *mask, uint32_t from)
{
    while (from < CPU_MAX) {
        uint64_t bits = READ_ONCE(mask->words[from / 64]) >> (from % 64);

        if (bits)
            return from + (uint32_t)__builtin_ctzll(bits);
        from = (from / 64 + 1) * 64;
    }
    return CPU_MAX;
}

static inline bool cpu_mask_is_empty(const struct cpu_mask *mask)
{
    return cpu_mask_next(mask, 0) == CPU_MAX;
}

static inline void cpu_mask_and(struct cpu_mask *result, const struct cpu_mask *a, const struct cpu_mask *b)
{
    for (uint32_t word = 0; word < CPU_MASK_WORDS; word++)
        result->words[word] = READ_ONCE(a->words[word]) & READ_ONCE(b->words[word]);
}

static inline bool cpu_mask_is_equal(const struct cpu_mask *a, const struct cpu_mask *b)
{
    uint64_t difference = 0;

    for (uint32_t word = 0; word < CPU_MASK_WORDS; word++)
        difference |= a->words[word] ^ b->words[word];
    return difference == 0;
}

/* cpu is a uint32_t; removing the CPU the loop is at is allowed. */
#define cpu_mask_for_each(cpu, mask) \
    for ((cpu) = cpu_mask_next((mask), 0); (cpu) < CPU_MAX; (cpu) = cpu_mask_next((mask), (cpu) + 1))

/* A counter-based mixer over RDRAND and the time stamp counter. */
#include <cpu/random.h>

#include <cpu/features.h>
#include <cpu/registers.h>

#define RDRAND_TRIES 10 /* SDM 1, 7.3.17.1 */

/* Called before cpu_features_detect for the canary: asks the CPU itself, once: a hypervisor makes CPUID slow. */
static __attribute__((no_stack_protector)) bool has_rdrand(void)
{
    static enum { NOT_ASKED, HAS_NONE, HAS_IT } answer; /* [a] whoever asks finds the same */

    if (UNLIKELY(__atomic_load_n(&answer, __ATOMIC_RELAXED) == NOT_ASKED)) {
        bool has_it = cpuid(0, 0).eax >= 1 && (cpuid(1, 0).ecx & (1u << 30)) != 0;

        __atomic_store_n(&answer, has_it ? HAS_IT : HAS_NONE, __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&answer, __ATOMIC_RELAXED) == HAS_IT;
}

__attribute__((no_stack_protector)) bool cpu_random(uint64_t *value)
{
    bool is_valid;

    if (!has_rdrand())
        return false;
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(is_valid));
        if (is_valid)
            return true;
    }
    return false;
}

/* A bijection in which every input bit reaches every output bit (the finaliser of a 64-bit multiplicative hash). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
    return x ^ x >> 32;
}

__attribute__((no_stack_protector)) uint64_t boot_random(void)
{
    static uint64_t state; /* [a] */
    uint64_t hardware = 0;

    if (!cpu_random(&hardware))
        hardware = 0;
    return mix(__atomic_add_fetch(&state, mix(rdtsc()) ^ hardware, __ATOMIC_RELAXED));
}

/* A counter-based mixer over RDRAND and the time stamp counter. */
#include <cpu/random.h>

#include <cpu/features.h>
#include <cpu/registers.h>

#define RDRAND_TRIES 10 /* SDM 1, 7.3.17.1 */

static bool rdrand(uint64_t *value)
{
    bool is_valid;

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
    static uint64_t state;
    uint64_t hardware = 0;

    /* Called before cpu_features_detect for the canary: ask the CPU itself. */
    if (cpuid(0, 0).eax >= 1 && (cpuid(1, 0).ecx & (1u << 30)))
        rdrand(&hardware);
    return mix(__atomic_add_fetch(&state, mix(rdtsc()) ^ hardware, __ATOMIC_RELAXED));
}

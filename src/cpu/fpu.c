/* Turning the floating point and vector registers on, saving and restoring them. */
#include <cpu/fpu.h>

#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/registers.h>
#include <lib/string.h>

/* SDM 1 13.1: parts of the state, bits of XCR0. Those that are not here have no user in the kernel. */
#define STATE_X87    (1u << 0)
#define STATE_SSE    (1u << 1)
#define STATE_AVX    (1u << 2)
#define STATE_AVX512 (7u << 5) /* opmask, upper halves of zmm0-15, zmm16-31: together or not at all */

#define CPUID_XSAVE         0xdu
#define CPUID_XSAVE_HAS_OPT (1u << 0) /* sub-leaf 1, EAX */

/* SDM 1 10.5.1: the FXSAVE image, which an XSAVE area begins with. */
#define FXSAVE_BYTES      512u
#define FXSAVE_CONTROL_AT 0u
#define FXSAVE_MXCSR_AT   24u

enum method { METHOD_FXSAVE, METHOD_XSAVE, METHOD_XSAVEOPT };

static READ_ONLY_AFTER_INIT enum method method;
static READ_ONLY_AFTER_INIT uint64_t state_mask;
static READ_ONLY_AFTER_INIT size_t area_bytes;

static void write_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* Not TS: a switch restores at once what a thread needs, so there is nothing to trap for. */
static void turn_on(void)
{
    uint64_t cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;

    write_cr0((read_cr0() & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
    write_cr4(method == METHOD_FXSAVE ? cr4 : cr4 | CR4_OSXSAVE);
    if (method != METHOD_FXSAVE)
        write_xcr0(state_mask);
}

static uint64_t supported_states(void)
{
    struct cpuid_result leaf = cpuid(CPUID_XSAVE, 0);
    uint64_t supported = leaf.eax, wanted = STATE_X87 | STATE_SSE;

    if (cpu_has(CPU_AVX) && supported & STATE_AVX) {
        wanted |= STATE_AVX;
        if ((supported & STATE_AVX512) == STATE_AVX512)
            wanted |= STATE_AVX512;
    }
    return wanted;
}

static bool has_xsaveopt(void)
{
    return cpuid(CPUID_XSAVE, 1).eax & CPUID_XSAVE_HAS_OPT;
}

INIT void fpu_init(void)
{
    area_bytes = FXSAVE_BYTES;
    if (cpu_has(CPU_XSAVE) && cpu_identity()->max_leaf >= CPUID_XSAVE) {
        method = has_xsaveopt() ? METHOD_XSAVEOPT : METHOD_XSAVE;
        state_mask = supported_states();
    }
    turn_on();
    if (method != METHOD_FXSAVE)
        area_bytes = cpuid(CPUID_XSAVE, 0).ebx; /* of what XCR0 turns on */
}

int fpu_init_cpu(void)
{
    if (method != METHOD_FXSAVE && (cpuid(0, 0).eax < CPUID_XSAVE || state_mask & ~(uint64_t)cpuid(CPUID_XSAVE, 0).eax))
        return -ENOTSUP;
    if (method == METHOD_XSAVEOPT && !has_xsaveopt())
        return -ENOTSUP;
    turn_on();
    /* Where the parts lie might differ with the model. */
    return method == METHOD_FXSAVE || cpuid(CPUID_XSAVE, 0).ebx == area_bytes ? 0 : -ENOTSUP;
}

const char *fpu_method(void)
{
    static const char *const names[] = {
        [METHOD_FXSAVE] = "fxsave", [METHOD_XSAVE] = "xsave", [METHOD_XSAVEOPT] = "xsaveopt"};

    return names[method];
}

uint64_t fpu_state_mask(void)
{
    return state_mask;
}

size_t fpu_area_bytes(void)
{
    return area_bytes;
}

/* XSAVE's header all zero says that every part is in its initial state; MXCSR is loaded all the same (SDM 1 13.8). */
void fpu_area_init(void *area)
{
    const uint16_t control = FPU_CONTROL_INITIAL;
    const uint32_t mxcsr = FPU_MXCSR_INITIAL;

    memset(area, 0, area_bytes);
    memcpy((char *)area + FXSAVE_CONTROL_AT, &control, sizeof(control));
    memcpy((char *)area + FXSAVE_MXCSR_AT, &mxcsr, sizeof(mxcsr));
}

void fpu_save(void *area)
{
    uint32_t low = (uint32_t)state_mask, high = (uint32_t)(state_mask >> 32);

    if (method == METHOD_XSAVEOPT)
        __asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
    else if (method == METHOD_XSAVE)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
    uint32_t low = (uint32_t)state_mask, high = (uint32_t)(state_mask >> 32);

    if (method != METHOD_FXSAVE)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

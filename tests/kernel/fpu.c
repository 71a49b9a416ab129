/* Threads that use the floating point and vector registers: each one's stay its own. C code leaves them alone, so what
 * is loaded here stays in them through everything between load and store. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/fpu.h>
#include <debug/test.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/slab.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <time/clock.h>

#define NR_VECTORS 16u
#define NR_X87     8u
#define STATE_AVX  (1u << 2) /* SDM 1 13.1 */

struct registers {
    uint8_t vectors[NR_VECTORS][32]; /* ymm, or xmm in the lower half */
    int64_t x87[NR_X87];             /* as integers, which it holds exactly */
    uint32_t mxcsr;
    uint16_t control;
};

static bool has_avx(void)
{
    return fpu_state_mask() & STATE_AVX;
}

#define EACH_VECTOR(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15)

static void load_vectors(const struct registers *r)
{
#define LOAD_YMM(n) __asm__ volatile("vmovdqu %0, %%ymm" #n : : "m"(r->vectors[n]));
#define LOAD_XMM(n) __asm__ volatile("movdqu %0, %%xmm" #n : : "m"(r->vectors[n]));
    if (has_avx()) {
        EACH_VECTOR(LOAD_YMM)
    } else {
        EACH_VECTOR(LOAD_XMM)
    }
}

static void store_vectors(struct registers *r)
{
#define STORE_YMM(n) __asm__ volatile("vmovdqu %%ymm" #n ", %0" : "=m"(r->vectors[n]));
#define STORE_XMM(n) __asm__ volatile("movdqu %%xmm" #n ", %0" : "=m"(r->vectors[n]));
    if (has_avx()) {
        EACH_VECTOR(STORE_YMM)
    } else {
        EACH_VECTOR(STORE_XMM)
    }
}

static void load(const struct registers *r)
{
    load_vectors(r);
    __asm__ volatile("fninit; fldcw %0; ldmxcsr %1" : : "m"(r->control), "m"(r->mxcsr));
    for (unsigned i = 0; i < NR_X87; i++)
        __asm__ volatile("fildll %0" : : "m"(r->x87[i]));
}

/* Takes the x87 values off its stack. */
static void store(struct registers *r)
{
    store_vectors(r);
    __asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(r->control), "=m"(r->mxcsr));
    for (unsigned i = NR_X87; i-- > 0;)
        __asm__ volatile("fistpll %0" : "=m"(r->x87[i]));
}

/* Distinct in every register, thread and round. */
static void make_pattern(struct registers *r, uint32_t seed)
{
    memset(r, 0, sizeof(*r));
    for (unsigned n = 0; n < NR_VECTORS; n++)
        for (unsigned i = 0; i < (has_avx() ? 8u : 4u); i++)
            ((uint32_t *)r->vectors[n])[i] = (seed << 8 | n << 4 | i) * 2654435761u;
    for (unsigned n = 0; n < NR_X87; n++)
        r->x87[n] = (int64_t)((uint64_t)(seed * 8 + n + 1) * 0x1003005007ull);
    r->mxcsr = FPU_MXCSR_INITIAL | (seed & 3) << 13;                 /* rounding: SDM 1 10.2.3 */
    r->control = (uint16_t)(FPU_CONTROL_INITIAL | (seed & 3) << 10); /* SDM 1 8.1.5 */
}

/* The image of FXSAVE of a thread that has touched nothing: no x87 value, no vector bit. */
static NOINLINE bool is_clean(void)
{
    static const uint8_t zero[16 * NR_VECTORS];
    struct {
        uint8_t bytes[512];
    } ALIGNED(16) image;
    uint16_t control;
    uint32_t mxcsr;

    __asm__ volatile("fxsave64 %0" : "=m"(image));
    memcpy(&control, image.bytes, sizeof(control));
    memcpy(&mxcsr, image.bytes + 24, sizeof(mxcsr));
    return control == FPU_CONTROL_INITIAL && mxcsr == FPU_MXCSR_INITIAL && image.bytes[4] == 0 &&
           memcmp(image.bytes + 160, zero, sizeof(zero)) == 0;
}

#define ROUNDS   24u
#define PER_CPU_ 3u
#define SPIN_NS  (15 * NS_PER_MS) /* several slices */

static uint32_t nr_preempted; /* [a] rounds in which the CPU was taken away from somebody who only computed */

static uint64_t switches_of_self(void)
{
    struct thread_info info;

    thread_get_info(thread_current(), &info);
    return info.nr_switches;
}

static void compute_until_preempted(void)
{
    uint64_t before = switches_of_self(), end = clock_now_ns() + SPIN_NS;

    while (switches_of_self() == before && clock_now_ns() < end)
        ;
    if (switches_of_self() != before)
        __atomic_fetch_add(&nr_preempted, 1, __ATOMIC_RELAXED);
}

static int move_to_next_cpu(uint32_t seed)
{
    struct cpu_mask one;

    cpu_mask_clear_all(&one);
    cpu_mask_set(&one, seed % percpu_nr_cpus());
    return thread_set_affinity(thread_current(), &one);
}

static int give_way(uint32_t round, uint32_t seed)
{
    switch (round % 4) {
    case 0:
        compute_until_preempted();
        return 0;
    case 1:
        thread_wait_begin(WAIT_SLEEP, NULL);
        return thread_wait_until(clock_now_ns() + NS_PER_MS) == -ETIMEDOUT ? 0 : -EIO;
    case 2:
        return move_to_next_cpu(seed + round);
    default:
        for (unsigned i = 0; i < 20; i++)
            thread_yield();
        return 0;
    }
}

/* Each with a frame of its own: they are large. */
static NOINLINE void load_pattern(uint32_t seed)
{
    struct registers wanted;

    make_pattern(&wanted, seed);
    load(&wanted);
}

static NOINLINE bool is_pattern(const struct registers *found, uint32_t seed)
{
    struct registers wanted;

    make_pattern(&wanted, seed);
    return memcmp(&wanted, found, sizeof(wanted)) == 0;
}

static NOINLINE bool holds_pattern(uint32_t seed)
{
    struct registers found;

    memset(&found, 0, sizeof(found));
    store(&found);
    return is_pattern(&found, seed);
}

/* How many rounds found something else than was there. */
static int hold(void *argument)
{
    uint32_t seed = (uint32_t)(uintptr_t)argument;
    int nr_wrong = !is_clean();

    for (uint32_t round = 0; round < ROUNDS; round++) {
        load_pattern(seed * ROUNDS + round);
        nr_wrong += give_way(round, seed) != 0;
        nr_wrong += !holds_pattern(seed * ROUNDS + round);
    }
    return nr_wrong;
}

KERNEL_TEST(fpu_threads, "fpu/registers_stay_each_threads_own")
{
    static const struct thread_options options = {.name = "fpu", .flags = THREAD_USES_FPU};
    static struct thread *threads[16 * PER_CPU_];
    uint32_t count = PER_CPU_ * percpu_nr_cpus();
    int code;

    nr_preempted = 0;
    if (count > ARRAY_SIZE(threads))
        count = ARRAY_SIZE(threads);
    for (uint32_t i = 0; i < count; i++)
        EXPECT_EQ(thread_create(&threads[i], &options, hold, (void *)(uintptr_t)i), 0);
    for (uint32_t i = 0; i < count; i++) {
        EXPECT_EQ(thread_join(threads[i], &code), 0);
        EXPECT_EQ(code, 0);
    }
    EXPECT(nr_preempted > 0);
}

KERNEL_TEST(fpu_create_fails, "fpu/creation_fails_cleanly_when_memory_does")
{
    static const struct thread_options options = {.name = "fpu", .flags = THREAD_USES_FPU};
    bool has_failed = true;
    unsigned nth;

    for (nth = 0; has_failed;) {
        struct thread *thread;
        int error, code = 0;

        threads_settle(); /* no kept stack */
        slab_reap();
        fail_inject_arm(FAIL_ANY, ++nth);
        error = thread_create(&thread, &options, hold, NULL);
        has_failed = fail_inject_disarm();
        EXPECT(error == 0 || (error == -ENOMEM && has_failed));
        if (error == 0)
            EXPECT_EQ(thread_join(thread, &code), 0);
        EXPECT_EQ(code, 0);
    }
    EXPECT(nth > 4);
}

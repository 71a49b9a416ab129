/* With -fsanitize=thread the compiler turns __atomic builtins into calls: these do what was asked, once the race
 * detector has seen it. Compiled without it. Orders other than relaxed, release and acquire get the strongest. */
#include "kcsan_internal.h"

#define SEEN(pointer, kind) \
    kcsan_access((uint64_t)(uintptr_t)(pointer), sizeof(*(pointer)), (kind) | KCSAN_MARKED, KCSAN_FRAME)

#define LOAD_STORE(bits, type)                                                  \
    type __tsan_atomic##bits##_load(const volatile type *from, int order);      \
    type __tsan_atomic##bits##_load(const volatile type *from, int order)       \
    {                                                                           \
        (void)order; /* x86 has one kind of load */                             \
        SEEN(from, KCSAN_READ);                                                 \
        return __atomic_load_n(from, __ATOMIC_SEQ_CST);                         \
    }                                                                           \
    void __tsan_atomic##bits##_store(volatile type *to, type value, int order); \
    void __tsan_atomic##bits##_store(volatile type *to, type value, int order)  \
    {                                                                           \
        SEEN(to, KCSAN_WRITE);                                                  \
        if (order == __ATOMIC_RELAXED || order == __ATOMIC_RELEASE)             \
            __atomic_store_n(to, value, __ATOMIC_RELEASE);                      \
        else                                                                    \
            __atomic_store_n(to, value, __ATOMIC_SEQ_CST);                      \
    }

/* On x86 all of these are full barriers. */
#define READ_MODIFY_WRITE(bits, type, name, builtin)                             \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order)  \
    {                                                                            \
        (void)order;                                                             \
        SEEN(at, KCSAN_WRITE);                                                   \
        return builtin(at, value, __ATOMIC_SEQ_CST);                             \
    }

#define COMPARE_EXCHANGE(bits, type, name)                                                                          \
    bool __tsan_atomic##bits##_compare_exchange_##name(volatile type *at, type *expected, type wanted, int success, \
                                                       int failure);                                                \
    bool __tsan_atomic##bits##_compare_exchange_##name(volatile type *at, type *expected, type wanted, int success, \
                                                       int failure)                                                 \
    {                                                                                                               \
        (void)success, (void)failure;                                                                               \
        SEEN(at, KCSAN_WRITE);                                                                                      \
        return __atomic_compare_exchange_n(at, expected, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
    }

#define ALL(bits, type)                                            \
    LOAD_STORE(bits, type)                                         \
    READ_MODIFY_WRITE(bits, type, exchange, __atomic_exchange_n)   \
    READ_MODIFY_WRITE(bits, type, fetch_add, __atomic_fetch_add)   \
    READ_MODIFY_WRITE(bits, type, fetch_sub, __atomic_fetch_sub)   \
    READ_MODIFY_WRITE(bits, type, fetch_and, __atomic_fetch_and)   \
    READ_MODIFY_WRITE(bits, type, fetch_or, __atomic_fetch_or)     \
    READ_MODIFY_WRITE(bits, type, fetch_xor, __atomic_fetch_xor)   \
    READ_MODIFY_WRITE(bits, type, fetch_nand, __atomic_fetch_nand) \
    COMPARE_EXCHANGE(bits, type, strong)                           \
    COMPARE_EXCHANGE(bits, type, weak)

ALL(8, uint8_t)
ALL(16, uint16_t)
ALL(32, uint32_t)
ALL(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    if (order == __ATOMIC_SEQ_CST)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    else
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* x86-TSO does the rest */
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Names for compiler features, so that no other file writes __attribute__. GCC 12 and clang 14. */
#pragma once

#define PACKED          __attribute__((packed))
#define MAY_ALIAS       __attribute__((may_alias)) /* accesses through it may be to an object of any type */
#define ALIGNED(n)      __attribute__((aligned(n)))
#define NORETURN        __attribute__((noreturn))
#define NOINLINE        __attribute__((noinline))
#define ALWAYS_INLINE   inline __attribute__((always_inline))
#define MUST_CHECK      __attribute__((warn_unused_result))
#define UNUSED          __attribute__((unused))
#define COLD            __attribute__((cold))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))

/* Code and data used only until init memory is given back (see mm). Calling INIT code afterwards faults. */
#define INIT      __attribute__((section(".init.text"), cold))
#define INIT_DATA __attribute__((section(".init.data")))

/* Data that becomes read-only together with .rodata, once boot has written it. */
#define READ_ONLY_AFTER_INIT __attribute__((section(".data.ro_after_init")))

/* Code that runs where the address sanitizer's shadow is not there yet. */
#define NO_KASAN __attribute__((no_sanitize_address))

/* For a function on a hot path that has no array: -fstack-protector-strong guards whatever passes an address on. */
#define NO_CANARY __attribute__((no_stack_protector))

/* A variable that every CPU has its own copy of; reach it through cpu/percpu.h only. It starts as zero. */
#define PER_CPU __attribute__((section(".percpu")))

/* An entry of a linker-made table: `TABLE_ENTRY(commands) static const struct command x = {...};` puts x into the
 * section .table.commands, whose bounds are __start/__stop symbols declared by TABLE_DECLARE. */
#define TABLE_ENTRY(table) __attribute__((section(".table." #table), used, retain, aligned(8)))
#define TABLE_DECLARE(type, table)         \
    extern type __table_##table##_start[]; \
    extern type __table_##table##_end[]

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The compiler may not move memory accesses across this; the CPU still may. */
#define COMPILER_BARRIER() __asm__ volatile("" ::: "memory")

/* One access of exactly the object's size, never torn, repeated or elided by the compiler. */
#define READ_ONCE(x)         (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

/* Reads an object that somebody may be writing, where any value he left, or is about to, will do (statistics, reports):
 * says so to the reader and to the race detector (debug/kcsan.h). Orders nothing. */
#define DATA_RACE(x) READ_ONCE(x)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(pointer, type, member) \
    ((type *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

/* A broken heap object, described while locks are held and reported when they are not. */
#pragma once

#include <base/compiler.h>
#include <base/layout.h>
#include <base/types.h>

/* A place in kernel code in 28 bits: its distance from KERNEL_BASE; 0 where there is none. */
#define CODE_SITE_MASK 0x0fffffffu

static inline uint32_t code_site(const void *return_address)
{
    return (uint32_t)((uint64_t)(uintptr_t)return_address - KERNEL_BASE) & CODE_SITE_MASK;
}

static inline const void *code_site_address(uint32_t site)
{
    site &= CODE_SITE_MASK;
    return site ? (const void *)(uintptr_t)(KERNEL_BASE + site) : NULL;
}

#define HEAP_FAULT_TRACE_DEPTH 8

struct heap_fault {
    const char *class_words; /* mm/heap_report.h */
    const char *cache_name;  /* NULL: not a slab object */
    const void *object;      /* its first byte, or the pointer given */
    uint64_t size;           /* the object's bytes: requested, or the cache's */
    uint64_t offset;         /* of the first wrong byte from object */
    uint64_t nr_bytes;       /* wrong bytes in what was checked; 0: not counted */
    uint64_t found, expected;
    uint32_t allocated_at, freed_at, freed_again_at; /* code sites; 0: not known */
    const uint32_t *allocated_trace, *freed_trace;   /* SLAB_TRACE_DEPTH sites each; NULL in a release build */
    const char *detail;                              /* more words, or NULL */
};

#define HEAP_FAULT_TEXT_MAX 384

/* The class, the object and the sites, in one line without a newline. Context: any. */
void heap_fault_format(char *text, size_t size, const struct heap_fault *fault);

/* Prints the sites' backtraces as log lines and ends the kernel with the class, the object and the sites. Context: any.
 */
NORETURN COLD void heap_fault_report(const struct heap_fault *fault);

/* Fills trace with the callers of this function's caller, by frame pointers on this stack. Context: any. */
void heap_trace(uint32_t *trace, unsigned depth);

/* "symbol+0x12", or the address where no symbol is known, or "unknown" for 0. */
void heap_format_site(char *buffer, size_t size, uint32_t site);

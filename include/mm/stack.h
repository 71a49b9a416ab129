/* Every stack the kernel runs on: those of stack_alloc (mm/vmalloc.h), and those that exist from the start, which
 * register themselves. For reports, and for the high-water marks that the `stacks` command shows. */
#pragma once

#include <base/compiler.h>
#include <base/layout.h>
#include <base/types.h>
#include <debug/known_stacks.h>

/* What unused stack is filled with: one byte, repeated. */
#define STACK_FILL 0xa5a5a5a5a5a5a5a5

struct stack_record {
    const char *name;          /* [I] "boot", "double fault (IST 1)" */
    const void *base;          /* [I] lowest address */
    size_t size_bytes;         /* [I] */
    struct stack_record *next; /* [a] set by stack_register */
};

/* Adds a stack for ever, and fills it with the pattern: all of it, or where it is in use now, what lies below.
 * Allocates nothing and takes no lock: any time from the first C instruction on. Context: init. */
void stack_register(struct stack_record *record);

struct stack_info {
    const char *name;
    const void *base;
    size_t size_bytes;
    const struct stack_owner *owner; /* NULL: no thread's */
};

/* The highest bytes of a stack of stack_alloc tell whose it is, once a thread that uses it has written that there. Of a
 * stack kept for the next thread the last word is an address or 0. */
static inline struct stack_owner *stack_owner_place(void *stack)
{
    return (struct stack_owner *)((char *)stack + KERNEL_STACK_SIZE) - 1;
}

/* The stack that address lies in. Takes no lock. Context: any. */
bool stack_of_address(const void *address, struct stack_info *stack);

/* The registered stacks, linked by next; those of stack_alloc are not among them. Context: any. */
const struct stack_record *stack_records(void);

/* Bytes at the top that were ever used: from the lowest word that does not hold the pattern. Context: any. */
size_t stack_bytes_used(const void *base, size_t size_bytes);

/* Writes what an address of the vmalloc area is: "guard page below stack 'idle'", "vmalloc memory +16 (8192
 * bytes, allocated at f+0x12)". Returns false where it is nobody's. Takes no lock. Context: any. */
bool vmalloc_describe(const void *address, char *buffer, size_t size);

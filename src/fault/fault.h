/* Provoked faults: `fault NAME` at the prompt does what no kernel should, and tests check what is then reported. Each
 * one's last step is a function of its own with a name to look for in the report. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct fault {
    const char *name;    /* "null_write" */
    unsigned number;     /* in docs/fault-reports.md */
    const char *summary; /* what the report has to say */
    /* Returns, with 0 or an error, only where the kernel is to go on. Context: thread. */
    int (*provoke)(void);
};

#define FAULT(identifier, fault_number, fault_summary)                                             \
    static int provoke_##identifier(void);                                                         \
    TABLE_ENTRY(faults)                                                                            \
    static const struct fault provokable_##identifier = {#identifier, fault_number, fault_summary, \
                                                         provoke_##identifier};                    \
    static int provoke_##identifier(void)

TABLE_DECLARE(const struct fault, faults);

/* A value the compiler cannot see through: else it would warn of the fault, or take it away. */
static inline uint64_t opaque(uint64_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

static inline void *opaque_pointer(const void *pointer)
{
    return (void *)(uintptr_t)opaque((uint64_t)(uintptr_t)pointer);
}

/* The faulting access itself, in a function with a frame of its own. Defined in access.c. */
uint64_t fault_read(const volatile uint64_t *address);
void fault_write(volatile uint64_t *address, uint64_t value);
void fault_call(const void *address);

/* Calls itself until the stack ends (stack.c). */
uint64_t fault_recurse(uint64_t depth);

/* Which memory is a kernel stack: a backtrace reads nothing else. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct known_stack {
    const char *name;
    uint64_t low, high; /* [low, high) */
    bool has_pattern;   /* filled with STACK_FILL_PATTERN before use: its high-water mark can be read */
    struct known_stack *next;
};

#define STACK_FILL_PATTERN 0x5441434b46494c4c

/* Adds a stack for ever; *stack must stay valid, and next is ours. Context: init. */
void known_stack_add(struct known_stack *stack);

/* Asked about addresses in no stack that was added: stacks that come and go. Fills *stack and returns true when there
 * is one. Any context, no lock. */
typedef bool (*known_stack_function)(uint64_t address, struct known_stack *stack);
void known_stack_set_lookup(known_stack_function function);

/* Copies the stack that holds this address into *stack; returns false when there is none. Context: any. */
bool known_stack_find(uint64_t address, struct known_stack *stack);

/* The n-th of the added ones, NULL past the last. Context: any. */
const struct known_stack *known_stack_get(unsigned n);

/* Fills an unused stack with the pattern, or the part of one that is in use below its RSP. */
void known_stack_fill(struct known_stack *stack);
void known_stack_fill_unused(struct known_stack *stack, uint64_t rsp);

/* Bytes that were ever used; the stack has_pattern. Context: any. */
uint64_t known_stack_high_water_mark(const struct known_stack *stack);

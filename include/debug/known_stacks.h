/* Which memory is a kernel stack: a backtrace reads nothing else. Those who own stacks lie above (mm/stack.h) and
 * register. */
#pragma once

#include <base/types.h>

struct known_stack {
    const char *name;
    uint64_t low, high; /* [low, high) */
};

/* Fills *stack and returns true where the address lies in one. Any context, no lock. */
typedef bool (*known_stack_function)(uint64_t address, struct known_stack *stack);
void known_stack_set_lookup(known_stack_function function);

/* Asks it; false where nobody has registered. Context: any. */
bool known_stack_find(uint64_t address, struct known_stack *stack);

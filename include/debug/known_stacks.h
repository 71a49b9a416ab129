/* Which memory is a kernel stack: a backtrace reads nothing else. Those who own stacks lie above (mm/stack.h) and
 * register. */
#pragma once

#include <base/types.h>

/* Whose a thread's stack is, as long as it is. */
struct stack_owner {
    char name[24];
    uint32_t thread; /* its number */
    uint32_t magic;  /* STACK_OWNER_MAGIC: the rest counts */
};

#define STACK_OWNER_MAGIC 0x7e0d51a9u /* neither half of a kernel address, nor the fill of a stack */

struct known_stack {
    const char *name;
    const struct stack_owner *owner; /* of a thread's; NULL otherwise, and name says whose */
    uint64_t low, high;              /* [low, high) */
};

/* Room for the words of the two functions below. */
#define STACK_WORDS_MAX 64

/* "stack 'boot'", "stack of thread 12 'init'". owner may be NULL. Context: any. */
void stack_format(const char *name, const struct stack_owner *owner, char *buffer, size_t size);

/* "guard page below stack 'boot'", "stack guard page of thread 12 'init'". */
void stack_format_guard(const char *name, const struct stack_owner *owner, const char *side, char *buffer, size_t size);

/* Fills *stack and returns true where the address lies in one. Any context, no lock. */
typedef bool (*known_stack_function)(uint64_t address, struct known_stack *stack);
void known_stack_set_lookup(known_stack_function function);

/* Asks it; false where nobody has registered. Context: any. */
bool known_stack_find(uint64_t address, struct known_stack *stack);

#include <debug/known_stacks.h>

#include <lib/format.h>

static known_stack_function lookup; /* [a] */

void known_stack_set_lookup(known_stack_function function)
{
    __atomic_store_n(&lookup, function, __ATOMIC_RELEASE); /* pairs with the acquire below */
}

bool known_stack_find(uint64_t address, struct known_stack *stack)
{
    known_stack_function function = __atomic_load_n(&lookup, __ATOMIC_ACQUIRE);

    return function && function(address, stack);
}

void stack_format(const char *name, const struct stack_owner *owner, char *buffer, size_t size)
{
    if (owner)
        snprintf(buffer, size, "stack of thread %u '%s'", owner->thread, owner->name);
    else
        snprintf(buffer, size, "stack '%s'", name);
}

void stack_format_guard(const char *name, const struct stack_owner *owner, const char *side, char *buffer, size_t size)
{
    if (owner)
        snprintf(buffer, size, "stack guard page of thread %u '%s'", owner->thread, owner->name);
    else
        snprintf(buffer, size, "guard page %s stack '%s'", side, name);
}

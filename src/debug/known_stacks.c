#include <debug/known_stacks.h>

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

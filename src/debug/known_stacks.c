#include <debug/known_stacks.h>

static struct known_stack *first; /* written at init only; readers see a whole list at any moment */
static known_stack_function lookup;

void known_stack_add(struct known_stack *stack)
{
    stack->next = first;
    __atomic_store_n(&first, stack, __ATOMIC_RELEASE); /* pairs with the acquire in known_stack_get */
}

void known_stack_set_lookup(known_stack_function function)
{
    __atomic_store_n(&lookup, function, __ATOMIC_RELEASE);
}

const struct known_stack *known_stack_get(unsigned n)
{
    const struct known_stack *stack = __atomic_load_n(&first, __ATOMIC_ACQUIRE);

    while (stack && n-- > 0)
        stack = stack->next;
    return stack;
}

bool known_stack_find(uint64_t address, struct known_stack *found)
{
    known_stack_function function = __atomic_load_n(&lookup, __ATOMIC_ACQUIRE);

    for (const struct known_stack *stack = known_stack_get(0); stack; stack = stack->next)
        if (address >= stack->low && address < stack->high) {
            *found = *stack;
            return true;
        }
    return function && function(address, found);
}

static void fill(uint64_t low, uint64_t high)
{
    for (uint64_t address = low; address < high; address += sizeof(uint64_t))
        *(volatile uint64_t *)(uintptr_t)address = STACK_FILL_PATTERN;
}

void known_stack_fill(struct known_stack *stack)
{
    fill(stack->low, stack->high);
    stack->has_pattern = true;
}

/* The functions called from here use a little below the given RSP themselves. */
#define FILL_MARGIN 512

void known_stack_fill_unused(struct known_stack *stack, uint64_t rsp)
{
    fill(stack->low, (rsp - FILL_MARGIN) & ~(uint64_t)7);
    stack->has_pattern = true;
}

uint64_t known_stack_high_water_mark(const struct known_stack *stack)
{
    uint64_t address = stack->low;

    while (address < stack->high && *(const volatile uint64_t *)(uintptr_t)address == STACK_FILL_PATTERN)
        address += sizeof(uint64_t);
    return stack->high - address;
}

/* What the compiler's checks and the list's own find. */
#include <lib/list.h>

#include "fault.h"

static struct list provoked_list = LIST_INITIALIZER(provoked_list);

static NOINLINE void fault_remove(struct list *node)
{
    list_remove(node);
}

FAULT(list_corruption, 27, "list corruption")
{
    static struct list first, second, stray;

    list_add_last(&provoked_list, &first);
    list_add_last(&provoked_list, &second);
    *(struct list *volatile *)&first.prev->next = &stray;
    fault_remove(&first);
    return 0;
}

static NOINLINE int fault_index(uint64_t index)
{
    static volatile int table[4] = {1, 2, 3, 4};

    return table[index];
}

FAULT(array_bounds, 28, "array index out of bounds")
{
    return fault_index(opaque(7));
}

static NOINLINE int fault_add(int a, int b)
{
    return a + b;
}

FAULT(signed_overflow, 29, "signed integer overflow")
{
    return fault_add((int)opaque(INT32_MAX), (int)opaque(1));
}

static NOINLINE int fault_shift(int value, unsigned count)
{
    return value << count;
}

FAULT(shift, 29, "shift by more bits than there are")
{
    return fault_shift((int)opaque(1), (unsigned)opaque(40));
}

#include "fault.h"

NOINLINE uint64_t fault_read(const volatile uint64_t *address)
{
    return *address;
}

NOINLINE void fault_write(volatile uint64_t *address, uint64_t value)
{
    *address = value;
}

NOINLINE void fault_call(const void *address)
{
    ((void (*)(void))(uintptr_t)address)();
}

/* Where the kernel image lies in physical memory. */
#include <boot/image.h>

#include <base/compiler.h>
#include <base/layout.h>

static READ_ONLY_AFTER_INIT uint64_t load_distance;

void image_set_load_distance(uint64_t bytes)
{
    load_distance = bytes;
}

uint64_t image_load_distance(void)
{
    return load_distance;
}

paddr_t image_to_physical(const volatile void *address)
{
    return paddr((uint64_t)(uintptr_t)address - KERNEL_BASE + load_distance);
}

/* What only the address sanitizer finds at the access itself (preset `kasan`). The accesses are in functions of their
 * own, which the compiler cannot see into. */
#include <base/errno.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/page_array.h>
#include <mm/vmalloc.h>
#include <smp/cpu.h>
#include <smp/ipi.h>

#include "fault.h"

#define OBJECT_BYTES 40

static char victim[24];

static NOINLINE uint8_t fault_read_byte(const volatile uint8_t *address)
{
    return *address;
}

static NOINLINE void fault_write_byte(volatile uint8_t *address)
{
    *address = 0x41;
}

static NOINLINE void fault_copy(void *to, const void *from, size_t length)
{
    memcpy(to, from, length);
}

FAULT(kasan_read_after_free, 22, "use after free read, at the read")
{
    uint8_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!object)
        return -ENOMEM;
    kfree(object);
    return fault_read_byte((uint8_t *)opaque_pointer(object) + 8);
}

/* The object is not handed out again meanwhile. */
FAULT(kasan_write_after_free, 23, "use after free write, after many other allocations of its size")
{
    uint8_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!object)
        return -ENOMEM;
    kfree(object);
    for (int i = 0; i < 100; i++)
        kfree(kmalloc(OBJECT_BYTES, ALLOC_NORMAL));
    fault_write_byte((uint8_t *)opaque_pointer(object) + 16);
    return 0;
}

FAULT(kasan_heap_overflow, 25, "write of one byte behind an object")
{
    uint8_t *object = kmalloc(OBJECT_BYTES - 3, ALLOC_ZERO);

    if (!object)
        return -ENOMEM;
    fault_write_byte((uint8_t *)opaque_pointer(object) + OBJECT_BYTES - 3);
    kfree(object);
    return 0;
}

FAULT(kasan_large_overflow, 25, "read of one byte behind an object of whole pages")
{
    uint8_t *object = kmalloc(3 * PAGE_SIZE, ALLOC_ZERO);

    if (!object)
        return -ENOMEM;
    int value = fault_read_byte((uint8_t *)opaque_pointer(object) + 3 * PAGE_SIZE);
    kfree(object);
    return value;
}

FAULT(kasan_copy, 25, "memcpy that ends behind an object")
{
    uint8_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);
    char from[OBJECT_BYTES + 1] = "";

    if (!object)
        return -ENOMEM;
    fault_copy(opaque_pointer(object), from, opaque(sizeof(from)));
    kfree(object);
    return 0;
}

FAULT(kasan_stack_overflow, 21, "write of one byte behind a variable on the stack")
{
    volatile char buffer[24];

    fault_write_byte((uint8_t *)opaque_pointer((const void *)buffer) + sizeof(buffer));
    return buffer[0];
}

FAULT(kasan_global_overflow, 28, "read of one byte behind a global variable")
{
    return fault_read_byte((uint8_t *)opaque_pointer(victim) + sizeof(victim));
}

FAULT(kasan_vmalloc_overflow, 25, "write of one byte behind what was asked of vmalloc")
{
    uint8_t *area = vmalloc(1000, ALLOC_ZERO);

    if (!area)
        return -ENOMEM;
    fault_write_byte((uint8_t *)opaque_pointer(area) + 1000);
    vfree(area);
    return 0;
}

FAULT(kasan_free_page, 24, "read of a page that was given back")
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);

    if (!page)
        return -ENOMEM;
    page_free(page, 0);
    return fault_read_byte((uint8_t *)page_to_address(page) + 100);
}

static void fault_free_here(void *object)
{
    kfree(object);
}

static void fault_write_here(void *object)
{
    fault_write_byte((uint8_t *)object + 8);
}

FAULT(kasan_freed_on_another_cpu, 22, "use after free read of what another CPU has freed")
{
    uint8_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!object || smp_nr_online() < 2)
        return object ? -ENODEV : -ENOMEM;
    smp_call_one(1, fault_free_here, object);
    return fault_read_byte((uint8_t *)opaque_pointer(object) + 8);
}

FAULT(kasan_written_on_another_cpu, 23, "use after free write on another CPU than the one that has freed")
{
    uint8_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!object || smp_nr_online() < 2)
        return object ? -ENODEV : -ENOMEM;
    kfree(object);
    smp_call_one(1, fault_write_here, opaque_pointer(object));
    return 0;
}

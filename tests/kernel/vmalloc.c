/* vmalloc, stacks and device mappings on the real page tables. */
#include <base/errno.h>
#include <base/layout.h>
#include <debug/test.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>
#include <mm/stack.h>
#include <mm/vmalloc.h>

static int look_up(const void *address)
{
    struct mapping mapping;

    return paging_lookup(vaddr_of(address), &mapping);
}

KERNEL_TEST(vmalloc_memory, "vmalloc/memory_between_unmapped_pages")
{
    const size_t size = 37 * PAGE_SIZE - 5;
    uint8_t *area = vmalloc(size, ALLOC_ZERO), *other = vmalloc(1, ALLOC_NORMAL);
    bool is_cleared = true;

    EXPECT(area != NULL);
    EXPECT(other != NULL);
    for (size_t i = 0; i < size; i++)
        is_cleared &= area[i] == 0;
    EXPECT(is_cleared);
    memset(area, 0x5a, size);
    EXPECT_EQ(look_up(area), 0);
    EXPECT_EQ(look_up(area + size - 1), 0);
    EXPECT_EQ(look_up(area - 1), -ENOENT);
    EXPECT_EQ(look_up(area + 37 * PAGE_SIZE), -ENOENT);
    *other = 1;
    vfree(area);
    EXPECT_EQ(look_up(area), -ENOENT);
    vfree(other);
    EXPECT(vmalloc(0, ALLOC_NORMAL) == NULL);
    EXPECT(vmalloc(SIZE_MAX, ALLOC_NORMAL) == NULL);
    EXPECT(vmalloc((size_t)1 << 43, ALLOC_NORMAL) == NULL);
}

KERNEL_TEST(vmalloc_stack, "vmalloc/stacks_have_guard_pages_and_high_water_marks")
{
    uint8_t *stack = stack_alloc("test");
    struct stack_info info;
    char text[160];

    EXPECT(stack != NULL);
    EXPECT_EQ(look_up(stack - 1), -EFAULT);
    EXPECT_EQ(look_up(stack + KERNEL_STACK_SIZE), -EFAULT);
    EXPECT_EQ(stack_high_water_mark(stack), 0);
    stack[KERNEL_STACK_SIZE - 1000] = 1;
    EXPECT_EQ(stack_high_water_mark(stack), 1000);
    stack[KERNEL_STACK_SIZE - 5000] = 1;
    EXPECT_EQ(stack_high_water_mark(stack), 5000);
    EXPECT(stack_of_address(stack + 77, &info));
    EXPECT(info.base == stack && info.size_bytes == KERNEL_STACK_SIZE && strcmp(info.name, "test") == 0);
    EXPECT(!stack_of_address(stack - 1, &info));
    EXPECT(vmalloc_describe(stack - 8, text, sizeof(text)));
    EXPECT(strcmp(text, "guard page below stack 'test'") == 0);
    EXPECT(vmalloc_describe(stack + KERNEL_STACK_SIZE, text, sizeof(text)));
    EXPECT(strcmp(text, "guard page above stack 'test'") == 0);
    stack_free(stack);
    EXPECT_EQ(look_up(stack - 1), -ENOENT);
}

KERNEL_TEST(vmalloc_own_stack, "vmalloc/the_stack_this_runs_on_is_registered")
{
    struct stack_info info;
    int local = 0;

    EXPECT(stack_of_address(&local, &info));
    EXPECT_EQ(info.size_bytes, KERNEL_STACK_SIZE);
    EXPECT(stack_bytes_used(info.base, info.size_bytes) > 0);
    EXPECT(stack_bytes_used(info.base, info.size_bytes) < info.size_bytes);
}

/* The RAM behind an object, through a second mapping, which only reads: no device has registers there. */
KERNEL_TEST(vmalloc_device, "vmalloc/device_map_reaches_the_bytes_asked_for")
{
    uint8_t *object = kmalloc(3 * PAGE_SIZE, ALLOC_ZERO), *mapped;

    EXPECT(object != NULL);
    EXPECT(device_map(paddr_add(physmap_to_phys(object), 100), 2 * PAGE_SIZE, MAP_WRITE | MAP_UNCACHED) == NULL);
    mapped = device_map(paddr_add(physmap_to_phys(object), 100), 2 * PAGE_SIZE, MAP_READ);
    EXPECT(mapped != NULL);
    object[100] = 1;
    object[2 * PAGE_SIZE + 99] = 2;
    EXPECT_EQ(mapped[0], 1);
    EXPECT_EQ(mapped[2 * PAGE_SIZE - 1], 2);
    device_unmap(mapped);
    EXPECT_EQ(look_up(mapped), -ENOENT);
    kfree(object);
    EXPECT(device_map(paddr(0), 0, MAP_UNCACHED) == NULL);
    EXPECT(device_map(paddr(UINT64_MAX - 100), 4096, MAP_UNCACHED) == NULL);
}

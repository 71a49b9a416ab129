/* The kernel's page tables as the CPU sees them: what is mapped how, and that changes take effect. */
#include <base/align.h>
#include <base/errno.h>
#include <boot/image.h>
#include <cpu/registers.h>
#include <debug/test.h>
#include <lib/string.h>
#include <mm/describe.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>

/* Far above what vmalloc has handed out, below the same third-level table. */
#define PLACE vaddr(VMALLOC_BASE + 0x6000000000)

static int flags_at(const void *address)
{
    struct mapping mapping;
    int error = paging_lookup(vaddr_of(address), &mapping);

    return error ? error : (int)(mapping.flags & (MAP_WRITE | MAP_EXECUTE | MAP_USER));
}

static int flags_below(const void *end)
{
    return flags_at(vaddr_to_pointer(vaddr(vaddr_of(end).value - 1)));
}

static int alias_flags(const void *address)
{
    return flags_at(phys_to_virt(image_to_physical(address)));
}

static const char constant[] = "constant";
static char variable[16] = "variable";

KERNEL_TEST(paging_image, "paging/image_sections_have_their_own_protection")
{
    EXPECT_EQ(flags_at(__text_start), MAP_EXECUTE);
    EXPECT_EQ(flags_below(__text_end), MAP_EXECUTE);
    EXPECT_EQ(flags_at(constant), MAP_READ);
    EXPECT_EQ(flags_below(__rodata_end), MAP_READ);
    EXPECT_EQ(flags_at(variable), MAP_WRITE);
    EXPECT_EQ(flags_below(__bss_end), MAP_WRITE);
    EXPECT_EQ(flags_at(__symbols_start), MAP_READ);
    EXPECT_EQ(flags_at(__ro_after_init_start), MAP_READ); /* sealed */
    EXPECT_EQ(flags_at(__init_text_start), -ENOENT);      /* given back */
    EXPECT_EQ(flags_at(__init_data_start), -ENOENT);
    EXPECT_EQ(flags_at(__boot_start), -ENOENT);
    EXPECT(read_cr0() & CR0_WP); /* or none of it would hold for the kernel */
    EXPECT(rdmsr(MSR_EFER) & EFER_NXE);
}

KERNEL_TEST(paging_alias, "paging/physmap_is_no_back_door_to_the_image")
{
    EXPECT_EQ(alias_flags(__text_start), MAP_READ);
    EXPECT_EQ(alias_flags(__rodata_start), MAP_READ);
    EXPECT_EQ(alias_flags(__symbols_start), MAP_READ);
    EXPECT_EQ(alias_flags(__ro_after_init_start), MAP_READ);
    EXPECT_EQ(alias_flags(variable), MAP_WRITE);
    EXPECT_EQ(alias_flags(__init_text_start), MAP_WRITE); /* ordinary memory by now */
}

KERNEL_TEST(paging_no_identity, "paging/no_identity_map_and_no_page_0")
{
    EXPECT_EQ(flags_at(NULL), -ENOENT);
    for (uint64_t at = 0; at < GIB(4); at += MIB(1))
        EXPECT_EQ(flags_at(vaddr_to_pointer(vaddr(at))), -ENOENT);
    EXPECT_EQ(flags_at(vaddr_to_pointer(vaddr(image_to_physical(__text_start).value))), -ENOENT);
    EXPECT_EQ(flags_at(vaddr_to_pointer(vaddr(0x0000800000000000))), -EINVAL);
}

KERNEL_TEST(paging_guard, "paging/boot_stack_lies_between_guard_pages")
{
    uint64_t stack = vaddr_of(boot_stack).value;
    char words[160];

    EXPECT_EQ(flags_at(vaddr_to_pointer(vaddr(stack - 1))), -EFAULT);
    EXPECT_EQ(flags_at(boot_stack), MAP_WRITE);
    EXPECT_EQ(flags_at(vaddr_to_pointer(vaddr(stack + KERNEL_STACK_SIZE - 1))), MAP_WRITE);
    EXPECT_EQ(flags_at(vaddr_to_pointer(vaddr(stack + KERNEL_STACK_SIZE))), -EFAULT);
    describe_address(vaddr(stack - 8), words, sizeof(words));
    EXPECT(strstr(words, "guard page below stack"));
}

KERNEL_TEST(paging_map, "paging/map_write_protect_unmap")
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_ZERO);
    volatile uint64_t *there = vaddr_to_pointer(PLACE);
    uint64_t before = page_counts().free;

    EXPECT(page != NULL);
    paddr_t frame = pfn_to_paddr(page_to_pfn(page));
    volatile uint64_t *alias = page_to_address(page);
    EXPECT_EQ(paging_map(PLACE, frame, PAGE_SIZE, MAP_WRITE), 0);
    there[3] = 0x1234;
    EXPECT_EQ(alias[3], 0x1234);
    EXPECT_EQ(paging_map(PLACE, frame, PAGE_SIZE, MAP_READ), -EEXIST);
    EXPECT_EQ(flags_at((const void *)there), MAP_WRITE);
    EXPECT_EQ(paging_protect(PLACE, PAGE_SIZE, MAP_READ), 0);
    EXPECT_EQ(flags_at((const void *)there), MAP_READ);
    alias[3] = 0x5678;
    EXPECT_EQ(there[3], 0x5678);
    EXPECT_EQ(paging_unmap(PLACE, PAGE_SIZE), 0);
    EXPECT_EQ(flags_at((const void *)there), -ENOENT);
    EXPECT_EQ(page_counts().free, before); /* the tables went too */
    page_free(page, 0);
}

/* Mapping another frame at an address the TLB knows must show the other frame. */
KERNEL_TEST(paging_tlb, "paging/unmapping_flushes_the_tlb")
{
    struct page *page[2] = {page_alloc(0, PAGE_PRIVATE, 0), page_alloc(0, PAGE_PRIVATE, 0)};
    volatile uint64_t *there = vaddr_to_pointer(PLACE);
    uint64_t seen[2] = {0, 0};
    int error = 0;

    EXPECT(page[0] && page[1]);
    for (unsigned i = 0; i < 2; i++) {
        *(volatile uint64_t *)page_to_address(page[i]) = 100 + i;
        error |= paging_map(PLACE, pfn_to_paddr(page_to_pfn(page[i])), PAGE_SIZE, MAP_READ);
        seen[i] = error ? 0 : *there;
        error |= paging_unmap(PLACE, PAGE_SIZE);
    }
    page_free(page[0], 0);
    page_free(page[1], 0);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(seen[0], 100);
    EXPECT_EQ(seen[1], 101);
}

KERNEL_TEST(paging_refuses, "paging/writable_code_is_refused")
{
    uint64_t before = page_counts().free;

    EXPECT_EQ(paging_map(PLACE, paddr(0), PAGE_SIZE, MAP_WRITE | MAP_EXECUTE), -EINVAL);
    EXPECT_EQ(paging_protect(vaddr_of(__text_start), PAGE_SIZE, MAP_WRITE | MAP_EXECUTE), -EINVAL);
    EXPECT_EQ(flags_at(__text_start), MAP_EXECUTE);
    EXPECT_EQ(paging_map(PLACE, paddr(0), PAGE_SIZE, MAP_USER), -EINVAL);
    EXPECT_EQ(page_counts().free, before);
}

KERNEL_TEST(paging_physmap, "paging/physmap_uses_large_pages")
{
    struct page *page = page_alloc(PAGE_ORDER_MAX, PAGE_PRIVATE, ALLOC_NORMAL);
    struct mapping mapping;

    EXPECT(page != NULL);
    uint64_t physical = pfn_to_paddr(page_to_pfn(page)).value;
    int error = paging_lookup(vaddr_of(page_to_address(page)), &mapping);
    page_free(page, PAGE_ORDER_MAX);
    EXPECT_EQ(error, 0);
    EXPECT(mapping.page_size.bytes >= PAGE_SIZE_2M); /* a block of 4 MiB is none of the edges */
    EXPECT_EQ(mapping.physical.value + (PHYSMAP_BASE + physical - mapping.base.value), physical);
    EXPECT_EQ(mapping.flags & (MAP_WRITE | MAP_EXECUTE | MAP_UNCACHED), MAP_WRITE);
}

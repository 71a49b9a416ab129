/* What an address is. Everything is read without locks: struct pages and page tables stay mapped, and what the heap
 * tells of its objects it has checked itself. */
#include <mm/describe.h>

#include "kernel_tables.h"
#include "vm_area.h"
#include "vmalloc_internal.h"

#include <base/align.h>
#include <base/errno.h>
#include <boot/image.h>
#include <debug/known_stacks.h>
#include <debug/report_hooks.h>
#include <debug/symbols.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/heap_report.h>
#include <mm/page_array.h>
#include <mm/physmap.h>
#include <mm/stack.h>

static PRINTF(4, 5) void describe(struct address_description *description, enum address_kind kind, const char *area,
                                  const char *format, ...)
{
    va_list arguments;

    description->kind = kind;
    strlcpy(description->area, area, sizeof(description->area));
    va_start(arguments, format);
    vsnprintf(description->text, sizeof(description->text), format, arguments);
    va_end(arguments);
}

static bool is_inside(uint64_t address, uint64_t base, uint64_t size)
{
    return address - base < size;
}

/* The stack whose guard page this is: the page below its lowest address or above its highest. */
static bool find_guarded_stack(uint64_t page, struct known_stack *stack, bool *is_below)
{
    *is_below = known_stack_find(page + PAGE_SIZE, stack) && stack->low == page + PAGE_SIZE;
    return *is_below || (known_stack_find(page - 1, stack) && stack->high == page);
}

static void describe_guard_of(const struct known_stack *stack, enum address_kind kind, const char *side,
                              struct address_description *description)
{
    char words[STACK_WORDS_MAX];

    stack_format_guard(stack->name, stack->owner, side, words, sizeof(words));
    describe(description, kind, words, "%s", words);
}

static void describe_guard(uint64_t address, const char *area, struct address_description *description)
{
    struct known_stack stack;
    bool is_below;

    if (!find_guarded_stack(align_down(address, PAGE_SIZE), &stack, &is_below))
        describe(description, ADDRESS_UNMAPPED, area, "guard page, in %s", area);
    else
        describe_guard_of(&stack, is_below ? ADDRESS_STACK_GUARD_BELOW : ADDRESS_STACK_GUARD_ABOVE,
                          is_below ? "below" : "above", description);
}

/* What holds a frame of the physmap. */
static void describe_frame(uint64_t address, struct address_description *description)
{
    const void *pointer = vaddr_to_pointer(vaddr(address));
    paddr_t physical = physmap_to_phys(pointer);
    const struct page *page = page_of_pfn(paddr_to_pfn(physical));

    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        const struct image_section *section = &image_sections[i];
        uint64_t start = image_to_physical(section->start).value;
        if (page && page->owner == PAGE_KERNEL &&
            is_inside(physical.value, start, (uint64_t)(section->end - section->start))) {
            describe(description, ADDRESS_PHYSMAP, "physmap", "physmap of %s +0x%lx", section->name,
                     physical.value - start);
            return;
        }
    }
    if (page)
        describe(description, ADDRESS_PHYSMAP, "physmap", "physmap of frame 0x%lx (%s)", page_to_pfn(page).number,
                 page_owner_name(page->owner));
    else
        describe(description, ADDRESS_UNMAPPED, "physmap", "physmap, but no RAM is at 0x%lx", physical.value);
}

static void describe_physmap(uint64_t address, struct address_description *description)
{
    description->kind = ADDRESS_HEAP;
    strlcpy(description->area, "heap", sizeof(description->area));
    if (!heap_describe(vaddr_to_pointer(vaddr(address)), description->text, sizeof(description->text)))
        describe_frame(address, description);
}

static void describe_stack(uint64_t address, const struct known_stack *stack, struct address_description *description)
{
    char words[STACK_WORDS_MAX];

    stack_format(stack->name, stack->owner, words, sizeof(words));
    describe(description, ADDRESS_STACK, words, "%s +0x%lx of 0x%lx", words, address - stack->low,
             stack->high - stack->low);
}

static enum address_kind vmalloc_kind(uint64_t address, const struct vm_area *area)
{
    if (area->kind == VM_AREA_DEVICE)
        return ADDRESS_DEVICE;
    if (area->kind == VM_AREA_PAGES)
        return ADDRESS_VMALLOC;
    if (address < area->base)
        return ADDRESS_STACK_GUARD_BELOW;
    return address < area->base + area->size_bytes ? ADDRESS_STACK : ADDRESS_STACK_GUARD_ABOVE;
}

static void describe_vmalloc(uint64_t address, struct address_description *description)
{
    const struct vm_area *area = vm_area_of_address(address);

    if (!area || !vmalloc_describe(vaddr_to_pointer(vaddr(address)), description->text, sizeof(description->text))) {
        describe(description, ADDRESS_UNMAPPED, "vmalloc area", "unmapped, in the vmalloc area");
        return;
    }
    description->kind = vmalloc_kind(address, area);
    if (area->kind == VM_AREA_STACK)
        stack_area_format(area, address, description->area, sizeof(description->area));
    else
        strlcpy(description->area, "vmalloc area", sizeof(description->area));
}

static void describe_page_array(uint64_t address, struct address_description *description)
{
    pfn_t frame = pfn((address - PAGE_ARRAY_BASE) / sizeof(struct page));

    describe(description, pfn_has_page(frame) ? ADDRESS_PAGE_ARRAY : ADDRESS_UNMAPPED, "page array",
             "struct page of frame 0x%lx%s", frame.number, pfn_has_page(frame) ? "" : ", which is no RAM: unmapped");
}

static enum address_kind section_kind(const struct image_section *section)
{
    if (section->is_init)
        return ADDRESS_INIT;
    if (section->flags & MAP_EXECUTE)
        return ADDRESS_TEXT;
    return section->flags & MAP_WRITE ? ADDRESS_DATA : ADDRESS_RODATA;
}

static void describe_section(uint64_t address, const struct image_section *section,
                             struct address_description *description)
{
    struct symbol_location symbol;
    const char *given_back = section->is_init && mm_init_memory_is_free() ? ", given back after boot" : "";

    if (symbol_lookup(address, &symbol) == 0)
        describe(description, section_kind(section), section->name, "%s: %s+0x%lx%s", section->name, symbol.function,
                 symbol.offset, given_back);
    else
        describe(description, section_kind(section), section->name, "%s +0x%lx%s", section->name,
                 address - vaddr_of(section->start).value, given_back);
}

static void describe_image(uint64_t address, struct address_description *description)
{
    struct known_stack stack;

    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        const struct image_section *section = &image_sections[i];
        if (!is_inside(address, vaddr_of(section->start).value, (uint64_t)(section->end - section->start)))
            continue;
        if (known_stack_find(address, &stack))
            describe_stack(address, &stack, description);
        else
            describe_section(address, section, description);
        return;
    }
    describe(description, ADDRESS_UNMAPPED, "kernel image", "unmapped, in the top 2 GiB beside the kernel image");
}

static void describe_for_report(uint64_t address, struct address_description *description)
{
    struct mapping mapping;

    if (address < PAGE_SIZE)
        describe(description, ADDRESS_NULL_PAGE, "the NULL page", "the NULL page, never mapped");
    else if (!vaddr_is_canonical(vaddr(address)))
        describe(description, ADDRESS_NON_CANONICAL, "no address", "not canonical: no address at all");
    else if (!vaddr_is_kernel(vaddr(address)))
        describe(description, ADDRESS_USER, "user half", "user half of the address space");
    else if (is_inside(address, VMALLOC_BASE, VMALLOC_SIZE))
        describe_vmalloc(address, description);
    else if (paging_lookup(vaddr(address), &mapping) == -EFAULT)
        describe_guard(address, "kernel image", description);
    else if (is_inside(address, PHYSMAP_BASE, PHYSMAP_SIZE))
        describe_physmap(address, description);
    else if (is_inside(address, PAGE_ARRAY_BASE, PAGE_ARRAY_SIZE))
        describe_page_array(address, description);
    else if (address >= KERNEL_BASE)
        describe_image(address, description);
    else
        describe(description, ADDRESS_UNMAPPED, "no area", "unmapped, in no area of the kernel's address space");
}

void describe_address(vaddr_t address, char *buffer, size_t size)
{
    struct address_description description = {0};

    describe_for_report(address.value, &description);
    strlcpy(buffer, description.text, size);
}

/* Eight bytes of the poison of freed memory, beginning at any of its bytes. */
static bool is_freed_poison(uint64_t value)
{
    for (unsigned shift = 0; shift < 64; shift += 8)
        if (value == ((uint64_t)HEAP_POISON_FREE << shift | (shift ? (uint64_t)HEAP_POISON_FREE >> (64 - shift) : 0)))
            return true;
    return false;
}

static const char *describe_poison(uint64_t value)
{
    /* What was added to the value to reach a member is small. */
    if (is_freed_poison(value) || (value >> 16) == ((uint64_t)HEAP_POISON_FREE >> 16))
        return "use after free (freed heap memory)";
    if ((value >> 16) == ((uint64_t)HEAP_POISON_NEW >> 16))
        return "use of heap memory that was never written";
    return (value >> 16) == ((uint64_t)HEAP_REDZONE >> 16) ? "use of the redzone behind a heap object" : NULL;
}

void describe_init(void)
{
    static const struct report_hooks hooks = {.describe_address = describe_for_report,
                                              .describe_poison = describe_poison};

    report_set_hooks(&hooks);
}

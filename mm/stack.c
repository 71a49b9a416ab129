/* Kernel stacks with marked guard pages, and the register of all stacks. */
#include <mm/stack.h>

#include <base/assert.h>
#include <base/kasan.h>
#include <base/layout.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

#include "heap_fault.h"
#include "vmalloc_internal.h"

static struct stack_record *records; /* [a] stacks are only ever added */

size_t stack_bytes_used(const void *base, size_t size_bytes)
{
    const volatile uint64_t *word = base;
    size_t unused = 0;

    while (unused < size_bytes && word[unused / sizeof(*word)] == STACK_FILL)
        unused += sizeof(*word);
    return size_bytes - unused;
}

/* The red zone is off (-mno-red-zone), but the callee's own frame lies below: keep clear of it. */
#define STACK_FILL_CLEARANCE 512u

void stack_register(struct stack_record *record)
{
    uint64_t *base = (uint64_t *)(uintptr_t)record->base, *end = base + record->size_bytes / sizeof(uint64_t);
    uint64_t *here = __builtin_frame_address(0);

    if (here >= base && here < end)
        end = here - STACK_FILL_CLEARANCE / sizeof(uint64_t);
    kasan_unpoison(base, (size_t)((char *)end - (char *)base));
    memset(base, (uint8_t)STACK_FILL, (size_t)((char *)end - (char *)base));
    record->next = __atomic_load_n(&records, __ATOMIC_RELAXED);
    /* Release: pairs with the acquire in stack_of_address; the record is complete before it is seen. */
    while (!__atomic_compare_exchange_n(&records, &record->next, record, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

void *stack_alloc(const char *owner_name)
{
    return stack_alloc_sized(owner_name, KERNEL_STACK_SIZE);
}

void *stack_alloc_sized(const char *owner_name, size_t size)
{
    struct vm_area *area = vm_area_alloc(size, PAGE_SIZE, 0, VM_AREA_STACK, __builtin_return_address(0));
    void *base;

    if (!area)
        return NULL;
    area->name = owner_name;
    if (vm_area_populate(area, 0) != 0) {
        vm_area_free(area);
        return NULL;
    }
    if (paging_set_guard(vaddr(area->base - PAGE_SIZE)) != 0 ||
        paging_set_guard(vaddr(area->base + area->size_bytes)) != 0) {
        vm_area_destroy(vaddr_to_pointer(vaddr(area->base)), VM_AREA_STACK, "stack_alloc");
        return NULL;
    }
    base = vaddr_to_pointer(vaddr(area->base));
    kasan_unpoison(base, size);
    return memset(base, (uint8_t)STACK_FILL, size);
}

void stack_free(void *stack)
{
    if (stack)
        vm_area_destroy(stack, VM_AREA_STACK, "stack_free");
}

size_t stack_high_water_mark(const void *stack)
{
    return stack_bytes_used(stack, KERNEL_STACK_SIZE);
}

/* One that its thread has left, or has not reached yet, is nobody's: what is there then is not the magic. */
static const struct stack_owner *owner_of(const struct vm_area *area)
{
    const struct stack_owner *owner = stack_owner_place(vaddr_to_pointer(vaddr(area->base)));

    return area->size_bytes == KERNEL_STACK_SIZE && READ_ONCE(owner->magic) == STACK_OWNER_MAGIC ? owner : NULL;
}

bool stack_of_address(const void *address, struct stack_info *stack)
{
    const struct vm_area *area = vm_area_of_address((uint64_t)(uintptr_t)address);
    uint64_t at = (uint64_t)(uintptr_t)address;

    if (area && area->kind == VM_AREA_STACK && at >= area->base && at < area->base + area->size_bytes) {
        *stack = (struct stack_info){area->name, vaddr_to_pointer(vaddr(area->base)), area->size_bytes, owner_of(area)};
        return true;
    }
    /* Acquire: pairs with the release in stack_register. */
    for (const struct stack_record *r = __atomic_load_n(&records, __ATOMIC_ACQUIRE); r; r = r->next) {
        if (at >= (uint64_t)(uintptr_t)r->base && at < (uint64_t)(uintptr_t)r->base + r->size_bytes) {
            *stack = (struct stack_info){r->name, r->base, r->size_bytes, NULL};
            return true;
        }
    }
    return false;
}

const struct stack_record *stack_records(void)
{
    return __atomic_load_n(&records, __ATOMIC_ACQUIRE); /* pairs with the release in stack_register */
}

void stack_area_format(const struct vm_area *area, uint64_t address, char *buffer, size_t size)
{
    const struct stack_owner *owner = owner_of(area);

    if (address - area->base < area->size_bytes)
        stack_format(area->name, owner, buffer, size);
    else
        stack_format_guard(area->name, owner, address < area->base ? "below" : "above", buffer, size);
}

static void describe_stack(const struct vm_area *area, uint64_t address, char *buffer, size_t size)
{
    char words[STACK_WORDS_MAX];

    stack_area_format(area, address, words, sizeof(words));
    if (address - area->base < area->size_bytes)
        snprintf(buffer, size, "%s +%lu", words, (unsigned long)(address - area->base));
    else if (!owner_of(area))
        snprintf(buffer, size, "%s", words); /* they name the side */
    else
        snprintf(buffer, size, "%s (%s the stack)", words, address < area->base ? "below" : "above");
}

bool vmalloc_describe(const void *address, char *buffer, size_t size)
{
    static const char *const kinds[] = {
        [VM_AREA_PAGES] = "vmalloc memory", [VM_AREA_STACK] = "stack", [VM_AREA_DEVICE] = "device mapping"};
    uint64_t at = (uint64_t)(uintptr_t)address;
    const struct vm_area *area = vm_area_of_address(at);
    char site[96];

    if (!area)
        return false;
    if (area->kind == VM_AREA_STACK) {
        describe_stack(area, at, buffer, size);
        return true;
    }
    heap_format_site(site, sizeof(site), area->allocated_at);
    if (at < area->base || at >= area->base + area->size_bytes)
        snprintf(buffer, size, "guard page %s %s of %lu bytes, allocated at %s", at < area->base ? "below" : "above",
                 kinds[area->kind], (unsigned long)area->requested_bytes, site);
    else
        snprintf(buffer, size, "%s +%lu (%lu bytes, allocated at %s)", kinds[area->kind],
                 (unsigned long)(at - area->base), (unsigned long)area->requested_bytes, site);
    return true;
}

/* The commands `slabs` and `stacks`; the heap's counters for the test runner and its work for the idle loop. */
#include <debug/command.h>
#include <debug/console.h>
#include <debug/idle.h>
#include <debug/test.h>
#include <mm/slab.h>
#include <mm/stack.h>

#include "kmalloc_large.h"
#include "vm_area.h"

static int slabs_command(int argc, char **argv)
{
    struct slab_statistics s;

    (void)argc, (void)argv;
    console_printf("%-20s %7s %7s %6s %8s %8s %8s %9s\n", "cache", "object", "stride", "slabs", "in use", "magazine",
                   "free", "overhead");
    for (unsigned n = 0; slab_statistics(n, &s); n++) {
        uint64_t held = s.slabs * s.slab_bytes, used = s.in_use * s.object_bytes;

        if (!held)
            continue;
        console_printf("%-20s %7u %7u %6lu %8lu %8lu %8lu %8lu%%\n", s.name, s.object_bytes, s.stride_bytes,
                       (unsigned long)s.slabs, (unsigned long)s.in_use, (unsigned long)s.magazines,
                       (unsigned long)s.free, (unsigned long)((held - used) * 100 / held));
    }
    console_printf("large allocations: %lu pages\n", (unsigned long)large_pages());
    return 0;
}

COMMAND(slabs, .name = "slabs", .arguments = "", .summary = "show the slab caches", .run = slabs_command);

static void print_stack(const char *name, const void *base, size_t size)
{
    size_t used = stack_bytes_used(base, size);

    console_printf("%-24s %p %7zu %7zu %3zu%%\n", name, base, size, used, used * 100 / size);
}

/* The n-th stack of stack_alloc: looked up one at a time, since nothing is printed under a lock. */
struct wanted_stack {
    unsigned n;
    struct stack_info found;
};

static void find_stack(struct vm_area *area, void *argument)
{
    struct wanted_stack *wanted = argument;

    if (area->kind == VM_AREA_STACK && wanted->n-- == 0)
        wanted->found = (struct stack_info){area->name, vaddr_to_pointer(vaddr(area->base)), area->size_bytes, NULL};
}

static int stacks_command(int argc, char **argv)
{
    (void)argc, (void)argv;
    console_printf("%-24s %-18s %7s %7s\n", "stack", "base", "size", "used");
    for (const struct stack_record *r = stack_records(); r; r = r->next)
        print_stack(r->name, r->base, r->size_bytes);
    for (unsigned n = 0;; n++) {
        struct wanted_stack wanted = {.n = n};

        vm_area_for_each(find_stack, &wanted);
        if (!wanted.found.base)
            return 0;
        print_stack(wanted.found.name, wanted.found.base, wanted.found.size_bytes);
    }
}

COMMAND(stacks, .name = "stacks", .arguments = "", .summary = "show every stack's size and high-water mark",
        .run = stacks_command);

static void reap(void)
{
    slab_reap();
}

TEST_SETTLE_CPU(slab, reap);

static uint64_t objects(void)
{
    return slab_counts().objects;
}

TEST_COUNTER(slab_objects, "slab objects", NULL, objects);

static uint64_t pages(void)
{
    return slab_counts().pages + large_pages();
}

TEST_COUNTER(heap_pages, "heap pages", NULL, pages);

IDLE_WORK(slab_scrubber, slab_scrub);

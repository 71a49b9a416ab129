#include "heap_host.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <base/errno.h>
#include <cpu/random.h>
#include <debug/symbols.h>
#include <mm/kmalloc.h>

#include "../../../mm/heap_fault.h"
#include "../../../mm/kmalloc_init.h"
#include "../../../mm/slab_internal.h"
#include "host_memory.h"
#include "random.h"
#include "unit.h"

static uint64_t random_state = 88172645463325252ull;

uint64_t boot_random(void)
{
    return random_next(&random_state);
}

int symbol_lookup(uint64_t address, struct symbol_location *location)
{
    return -ENOENT;
}

/* The host's stacks are not the kernel's. */
void heap_trace(uint32_t *trace, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        trace[i] = i < 2 ? 0x1000 + i : 0;
}

void heap_host_init(uint64_t nr_frames)
{
    host_page_alloc_init(nr_frames);
    memset(magazine_slots, 0, sizeof(magazine_slots));
    if (kmalloc_init() != 0)
        abort();
}

uint64_t heap_host_free_pages(void)
{
    slab_reap();
    return page_counts().free;
}

struct model_object {
    uint8_t *address;
    uint64_t size;
    uint8_t byte; /* what it is filled with */
};

#define LIVE_MAX 512

static bool overlaps(const struct model_object *live, unsigned count, const uint8_t *address, uint64_t size)
{
    for (unsigned i = 0; i < count; i++) {
        if (address < live[i].address + live[i].size && live[i].address < address + size)
            return true;
    }
    return false;
}

static const char *check_contents(const struct model_object *object, uint8_t byte)
{
    for (uint64_t i = 0; i < object->size; i++) {
        if (object->address[i] != byte)
            return byte ? "contents changed" : "ALLOC_ZERO not cleared";
    }
    return NULL;
}

/* Mostly small, sometimes a power of two, seldom the largest. */
static uint64_t random_size(uint64_t *seed, uint64_t max_size)
{
    uint64_t limit = random_below(seed, 16) == 0 ? max_size : max_size < 2048 ? max_size : 2048;
    uint64_t size = 1 + random_below(seed, limit);

    return random_below(seed, 4) == 0 ? (uint64_t)1 << log2_floor(size) : size;
}

static const char *allocate(const struct heap_design *design, uint64_t *seed, uint64_t max_size,
                            struct model_object *live, unsigned *count)
{
    struct model_object object = {.size = random_size(seed, max_size), .byte = (uint8_t)(1 + random_below(seed, 255))};
    unsigned flags = random_below(seed, 3) == 0 ? ALLOC_ZERO : 0;
    uint64_t alignment = is_power_of_two(object.size) ? object.size : 16;

    alignment = alignment > PAGE_SIZE ? PAGE_SIZE : alignment < 16 ? 16 : alignment;
    object.address = design->alloc(object.size, flags);
    if (!object.address)
        return "NULL with memory left";
    if (!is_aligned((uintptr_t)object.address - (uintptr_t)host_physmap, alignment))
        return "alignment";
    if (overlaps(live, *count, object.address, object.size))
        return "overlap";
    if (flags & ALLOC_ZERO && check_contents(&object, 0))
        return "ALLOC_ZERO not cleared";
    memset(object.address, object.byte, object.size);
    live[(*count)++] = object;
    return NULL;
}

static const char *release(const struct heap_design *design, uint64_t *seed, struct model_object *live, unsigned *count)
{
    unsigned i = (unsigned)random_below(seed, *count);
    const char *wrong = check_contents(&live[i], live[i].byte);

    if (wrong)
        return wrong;
    design->free(live[i].address);
    live[i] = live[--*count];
    return NULL;
}

const char *heap_property(const struct heap_design *design, uint64_t seed, unsigned steps, uint64_t max_size)
{
    static struct model_object live[LIVE_MAX];
    unsigned count = 0;
    const char *wrong = NULL;

    for (unsigned step = 0; step < steps && !wrong; step++) {
        /* Phases of growing and of shrinking. */
        bool grows = random_below(&seed, 8) < (step / 512 % 2 ? 3u : 5u);

        if (count == 0 || (grows && count < LIVE_MAX))
            wrong = allocate(design, &seed, max_size, live, &count);
        else
            wrong = release(design, &seed, live, &count);
    }
    while (count && !wrong)
        wrong = release(design, &seed, live, &count);
    return wrong;
}

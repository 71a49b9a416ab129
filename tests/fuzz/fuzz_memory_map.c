/* Any ranges as a memory map, against a model that keeps a kind for each of 64 pages. An input is the capacity, then
 * three bytes a range: first page, number of pages, kind. */
#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <boot/memory_map.h>

#include "support.h"

#define PAGES 64u
#define HOLE  0xffu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t model[PAGES];

static void add_to_model(unsigned first, unsigned count, enum memory_kind kind)
{
    for (unsigned page = first; page < first + count && page < PAGES; page++)
        if (model[page] == HOLE || model[page] < kind)
            model[page] = (uint8_t)kind;
}

static unsigned kind_at(const struct boot_info *info, unsigned page)
{
    const struct memory_range *range = memory_map_find(info, paddr(page * PAGE_SIZE));

    return range ? range->kind : HOLE;
}

static void check_exact(const struct boot_info *info)
{
    for (unsigned page = 0; page < PAGES; page++)
        REQUIRE(kind_at(info, page) == model[page], "page %u is %u, the model has %u", page, kind_at(info, page),
                model[page]);
}

/* Nothing usable that is not, nothing reserved forgotten. */
static void check_safe(const struct boot_info *info)
{
    for (unsigned page = 0; page < PAGES; page++) {
        unsigned kind = kind_at(info, page);

        REQUIRE(kind != MEMORY_USABLE || model[page] == MEMORY_USABLE, "page %u is usable, the model has %u", page,
                model[page]);
        REQUIRE(model[page] == HOLE || model[page] == MEMORY_USABLE || (kind != HOLE && kind >= model[page]),
                "page %u is %u, the model has %u", page, kind, model[page]);
    }
}

static void check_order(const struct boot_info *info)
{
    for (unsigned i = 1; i < info->nr_memory; i++) {
        const struct memory_range *low = &info->memory[i - 1], *high = &info->memory[i];

        REQUIRE(low->base.value + low->length_bytes <= high->base.value, "ranges overlap");
        REQUIRE(low->base.value + low->length_bytes < high->base.value || low->kind != high->kind, "ranges not merged");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    struct memory_map map;
    unsigned capacity;
    struct memory_range *ranges;

    if (size < 1)
        return 0;
    notes_to_nowhere(size);
    capacity = data[0] % 2 ? BOOT_MEMORY_MAX : MEMORY_MAP_CAPACITY_MIN + data[0] / 2 % 16;
    ranges = malloc(capacity * sizeof(*ranges));
    memset(model, HOLE, sizeof(model));
    memory_map_start(&map, ranges, capacity);
    for (size_t i = 1; i + 3 <= size; i += 3) {
        unsigned first = data[i] % PAGES, count = data[i + 1] % PAGES;
        enum memory_kind kind = (enum memory_kind)(data[i + 2] % (MEMORY_BAD + 1));

        memory_map_add(&map, first * PAGE_SIZE, count * PAGE_SIZE, kind);
        add_to_model(first, count, kind);
    }
    info.nr_memory = memory_map_finish(&map);
    memcpy(info.memory, ranges, info.nr_memory * sizeof(*ranges));
    check_order(&info);
    check_safe(&info);
    if (capacity == BOOT_MEMORY_MAX)
        check_exact(&info);
    free(ranges);
    return 0;
}

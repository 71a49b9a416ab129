/* Any bytes as the physical memory that holds PVH start information. The start information is at its beginning; the
 * mutator now and then points a pointer of it into the memory. What is read into the result must stay within one of its
 * texts: a neighbouring member is still inside the object, so AddressSanitizer would not see it. */
#include <string.h>

#include <boot/pvh.h>
#include <hw/pvh.h>

#include "check_boot_info.h"
#include "support.h"

#define MEMORY_BASE 0x1000u

struct fuzzed_memory {
    struct physical_memory memory;
    const uint8_t *bytes;
    size_t size;
};

static struct boot_info info;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static bool is_within(const void *at, size_t size, const void *start, size_t length)
{
    uintptr_t offset = (uintptr_t)at - (uintptr_t)start;

    return (uintptr_t)at >= (uintptr_t)start && offset < length && size <= length - offset;
}

static bool is_within_a_text(const void *at, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(info.modules); i++)
        if (is_within(at, size, info.modules[i].command_line, sizeof(info.modules[i].command_line)))
            return true;
    return is_within(at, size, info.command_line, sizeof(info.command_line));
}

static bool read_fuzzed(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    const struct fuzzed_memory *fuzzed = (const struct fuzzed_memory *)memory;
    uint64_t offset = address.value - MEMORY_BASE;

    REQUIRE(!is_within(to, 1, &info, sizeof(info)) || is_within_a_text(to, size), "a text is read beyond its end");
    if (address.value < MEMORY_BASE || offset >= fuzzed->size || size > fuzzed->size - offset)
        return false;
    memcpy(to, fuzzed->bytes + offset, size);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzzed_memory fuzzed = {{read_fuzzed}, data, size};

    notes_to_nowhere(size);
    if (pvh_parse(&fuzzed.memory, paddr(MEMORY_BASE), &info) == 0)
        check_boot_info(&info);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const size_t pointers[] = {
        offsetof(struct pvh_start_info, modules),
        offsetof(struct pvh_start_info, command_line),
        offsetof(struct pvh_start_info, memory_map),
    };
    const uint32_t magic = PVH_START_MAGIC;

    size = LLVMFuzzerMutate(data, size, max_size);
    if (size < sizeof(struct pvh_start_info))
        return size;
    if (seed % 16 != 0)
        memcpy(data, &magic, sizeof(magic));
    if (seed % 3 == 0) {
        uint64_t target = MEMORY_BASE + (seed >> 8) % size;

        memcpy(data + pointers[(seed >> 4) % 3], &target, sizeof(target));
    }
    return size;
}

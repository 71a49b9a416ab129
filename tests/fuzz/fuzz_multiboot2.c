/* Any bytes as Multiboot2 boot information. The mutator knows where tags begin, so that inputs stay readable far enough
 * for what lies inside them to matter. */
#include <string.h>

#include <base/align.h>
#include <base/compiler.h>
#include <boot/multiboot2.h>
#include <hw/multiboot2.h>

#include "check_boot_info.h"
#include "support.h"

#define TAGS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;

    notes_to_nowhere(size);
    if (multiboot2_parse(data, size, &info) == 0)
        check_boot_info(&info);
    return 0;
}

static uint32_t read32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static void write32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Finds where tags begin, as far as their sizes lead somewhere; the last one is where they end. */
static unsigned find_tags(const uint8_t *data, size_t size, size_t *tags)
{
    unsigned count = 0;
    size_t offset = sizeof(struct multiboot2_info);

    while (count < TAGS_MAX - 1 && offset + sizeof(struct multiboot2_tag) <= size) {
        uint32_t length = read32(data + offset + 4);

        tags[count++] = offset;
        if (length < sizeof(struct multiboot2_tag) || length > size - offset)
            break;
        offset = align_up(offset + length, MULTIBOOT2_ALIGNMENT);
    }
    tags[count] = offset < size ? offset : size;
    return count;
}

/* Makes room for, or removes, bytes at offset. Returns the new size. */
static size_t resize(uint8_t *data, size_t size, size_t max_size, size_t offset, size_t old_length, size_t new_length)
{
    if (size - old_length + new_length > max_size)
        return size;
    memmove(data + offset + new_length, data + offset + old_length, size - offset - old_length);
    return size - old_length + new_length;
}

/* Mutates what one tag holds, and gives it the size and padding it then needs. */
static size_t mutate_tag(uint8_t *data, size_t size, size_t max_size, size_t offset, size_t end)
{
    uint8_t payload[512];
    size_t length = end - offset - 8, new_length;

    if (end < offset + 8 || length > sizeof(payload))
        return size;
    memcpy(payload, data + offset + 8, length);
    new_length = LLVMFuzzerMutate(payload, length, sizeof(payload));
    if (size - length + align_up(new_length, 8) > max_size)
        return size;
    size = resize(data, size, max_size, offset + 8, length, align_up(new_length, 8));
    memset(data + offset + 8, 0, align_up(new_length, 8));
    memcpy(data + offset + 8, payload, new_length);
    write32(data + offset + 4, (uint32_t)new_length + 8);
    return size;
}

static size_t duplicate_tag(uint8_t *data, size_t size, size_t max_size, size_t offset, size_t end, size_t to)
{
    uint8_t copy[512];
    size_t length = end - offset;

    if (length > sizeof(copy) || size + length > max_size)
        return size;
    memcpy(copy, data + offset, length);
    size = resize(data, size, max_size, to, 0, length);
    memcpy(data + to, copy, length);
    return size;
}

static size_t insert_tag(uint8_t *data, size_t size, size_t max_size, size_t to, unsigned *random)
{
    unsigned length = next_random(random) % 64;

    if (size + 8 + align_up(length, 8) > max_size)
        return size;
    size = resize(data, size, max_size, to, 0, 8 + align_up(length, 8));
    memset(data + to, (int)next_random(random), 8 + align_up(length, 8));
    write32(data + to, next_random(random) % 24);
    write32(data + to + 4, length + 8);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size_t tags[TAGS_MAX];
    unsigned count = find_tags(data, size, tags), random = seed;

    if (count < 2 || next_random(&random) % 4 == 0) {
        size = LLVMFuzzerMutate(data, size, max_size);
    } else {
        unsigned chosen = next_random(&random) % (count - 1), other = next_random(&random) % count;

        switch (next_random(&random) % 6) {
        case 0:
            size = duplicate_tag(data, size, max_size, tags[chosen], tags[chosen + 1], tags[other]);
            break;
        case 1:
            size = resize(data, size, max_size, tags[chosen], tags[chosen + 1] - tags[chosen], 0);
            break;
        case 2:
            size = insert_tag(data, size, max_size, tags[other], &random);
            break;
        default:
            size = mutate_tag(data, size, max_size, tags[chosen], tags[chosen + 1]);
            break;
        }
    }
    if (size >= sizeof(struct multiboot2_info) && next_random(&random) % 8 != 0)
        write32(data, (uint32_t)size);
    return size;
}

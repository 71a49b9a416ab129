#include "disk_pattern.h"

#include <lib/string.h>
#include <mm/physmap.h>

#define WORD       sizeof(uint64_t)
#define GUARD_BYTE 0xe9

size_t pattern_room(size_t length_bytes)
{
    return length_bytes + (PATTERN_PIECES_MAX + 1) * PATTERN_GUARD_BYTES;
}

void pattern_lay_out(struct pattern_memory *memory, size_t length_bytes, unsigned nr_pieces, uint64_t dice)
{
    size_t left = length_bytes / WORD, at = PATTERN_GUARD_BYTES;

    memory->room = pattern_room(length_bytes);
    memset(memory->bytes, GUARD_BYTE, memory->room);
    memory->nr = 0;
    while (left > 0) {
        size_t words = memory->nr + 1 >= nr_pieces ? left : 1 + (dice & 0xffff) % left;

        memory->segments[memory->nr++] =
            (struct block_segment){physmap_to_phys(memory->bytes + at), (uint32_t)(words * WORD)};
        at += words * WORD + PATTERN_GUARD_BYTES;
        left -= words;
        dice >>= 16;
    }
}

/* The words of a sector, piece by piece. */
struct cursor {
    const struct pattern_memory *memory;
    unsigned piece;
    size_t offset_bytes;
};

static struct cursor cursor_at(const struct pattern_memory *memory, size_t offset_bytes)
{
    struct cursor cursor = {.memory = memory, .offset_bytes = offset_bytes};

    while (cursor.offset_bytes >= memory->segments[cursor.piece].length_bytes)
        cursor.offset_bytes -= memory->segments[cursor.piece++].length_bytes;
    return cursor;
}

static uint64_t *next_word(struct cursor *cursor)
{
    const struct block_segment *segment = &cursor->memory->segments[cursor->piece];
    uint8_t *at = (uint8_t *)phys_to_virt(segment->base) + cursor->offset_bytes;

    cursor->offset_bytes += WORD;
    if (cursor->offset_bytes == segment->length_bytes) {
        cursor->offset_bytes = 0;
        cursor->piece++;
    }
    return (uint64_t *)(void *)at;
}

static uint64_t filler(const struct pattern_stamp *stamp)
{
    return (stamp->sector * 0x9e3779b97f4a7c15ull ^ stamp->ticket) * 0xbf58476d1ce4e5b9ull + stamp->writer;
}

void pattern_write(const struct pattern_memory *memory, unsigned n, uint32_t sector_bytes,
                   const struct pattern_stamp *stamp)
{
    struct cursor cursor = cursor_at(memory, (size_t)n * sector_bytes);
    uint64_t word = filler(stamp);

    *next_word(&cursor) = stamp->sector;
    *next_word(&cursor) = stamp->ticket;
    *next_word(&cursor) = stamp->writer;
    for (size_t i = 3; i < sector_bytes / WORD; i++, word += i)
        *next_word(&cursor) = word;
}

bool pattern_read(const struct pattern_memory *memory, unsigned n, uint32_t sector_bytes, struct pattern_stamp *stamp)
{
    struct cursor cursor = cursor_at(memory, (size_t)n * sector_bytes);
    uint64_t word, difference = 0;

    stamp->sector = *next_word(&cursor);
    stamp->ticket = *next_word(&cursor);
    stamp->writer = (uint32_t)*next_word(&cursor);
    word = filler(stamp);
    for (size_t i = 3; i < sector_bytes / WORD; i++, word += i)
        difference |= *next_word(&cursor) ^ word;
    return difference == 0;
}

static bool is_guard(const uint8_t *from, const uint8_t *to)
{
    for (; from < to; from++)
        if (*from != GUARD_BYTE)
            return false;
    return true;
}

bool pattern_guards_are_whole(const struct pattern_memory *memory)
{
    const uint8_t *at = memory->bytes;

    for (unsigned i = 0; i < memory->nr; i++) {
        const uint8_t *piece = phys_to_virt(memory->segments[i].base);

        if (!is_guard(at, piece))
            return false;
        at = piece + memory->segments[i].length_bytes;
    }
    return is_guard(at, memory->bytes + memory->room);
}

/* What a disk load writes: every sector says which it is, who wrote it and with which request, in memory whose pieces
 * lie apart with guards between them. */
#pragma once

#include <dev/block.h>

#define PATTERN_PIECES_MAX  4u
#define PATTERN_GUARD_BYTES 64u

/* Memory of one request. Pieces are whole words. */
struct pattern_memory {
    uint8_t *bytes; /* room for the longest request */
    size_t room;    /* of the request laid out: pattern_room */
    unsigned nr;
    struct block_segment segments[PATTERN_PIECES_MAX];
};

struct pattern_stamp {
    uint64_t sector, ticket;
    uint32_t writer;
};

size_t pattern_room(size_t length_bytes);

/* Lays length_bytes out in pieces whose sizes the dice say, the room between and around them filled with guards. */
void pattern_lay_out(struct pattern_memory *memory, size_t length_bytes, unsigned nr_pieces, uint64_t dice);

/* Writes the n-th sector of the memory. */
void pattern_write(const struct pattern_memory *memory, unsigned n, uint32_t sector_bytes,
                   const struct pattern_stamp *stamp);
/* Reads its stamp; false when the sector is not whole. */
bool pattern_read(const struct pattern_memory *memory, unsigned n, uint32_t sector_bytes, struct pattern_stamp *stamp);

/* False when something was written outside the pieces. */
bool pattern_guards_are_whole(const struct pattern_memory *memory);

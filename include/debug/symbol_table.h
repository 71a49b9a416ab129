/* The decoder behind debug/symbols.h: pure C over a table of bytes, so that it is tested on the host.
 * tools/symbols/table.py describes the format and writes it. A damaged table gives errors or wrong names, never an
 * access outside it. */
#pragma once

#include <debug/symbols.h>

struct symbol_table {
    const uint8_t *bytes;
    size_t size;
    uint32_t nr_items, nr_blocks, nr_files;
    uint32_t nr_steps, nr_moves;          /* symbols of the two Huffman codes */
    uint32_t codes, files, index, stream; /* offsets of the parts */
};

/* Reads the header. Keeps a pointer to bytes. Returns 0, or -EBADMSG where this is no table of at most size bytes. */
MUST_CHECK int symbol_table_open(struct symbol_table *table, const void *bytes, size_t size);

/* As the functions of debug/symbols.h; -EBADMSG where the table is damaged. *location is untouched on failure. */
MUST_CHECK int symbol_table_lookup(const struct symbol_table *table, uint64_t address,
                                   struct symbol_location *location);
MUST_CHECK int symbol_table_find(const struct symbol_table *table, const char *name, uint64_t *address);
MUST_CHECK int symbol_table_name(const struct symbol_table *table, unsigned n, char name[SYMBOL_NAME_MAX]);

/* Reads the symbol and line table. Format: tools/symbols/table.py.
 *
 * A lookup finds its block of items by binary search, reads the block up to the item that holds the address, and then
 * walks that function's path of lines up to the address. Every read is checked against the end of the table and every
 * count against what its array holds, so a damaged table cannot lead outside: a reader that ran out yields zeros and is
 * marked bad. */
#include <debug/symbol_table.h>

#include <base/errno.h>
#include <lib/string.h>

#define MAGIC        0x4d59534bu /* "KSYM" */
#define VERSION      1
#define BLOCK        16 /* items */
#define HUFFMAN_BITS 15
#define RECENT_MAX   8
#define LINE_BITS    17 /* of a place */

enum move_kind { MOVE_RECENT, MOVE_DELTA, MOVE_PLACE, MOVE_FAR_DELTA, MOVE_FAR_PLACE };

struct header {
    uint32_t magic, version, size;
    uint32_t nr_items, nr_blocks, nr_files, nr_steps, nr_moves;
    uint32_t codes, files, index, stream;
};

/* The counts by length of a Huffman code; its symbols, uint32_t each, follow. */
struct code {
    uint16_t counts[HUFFMAN_BITS];
    uint16_t zero;
};

struct reader {
    const uint8_t *at, *end;
    bool is_bad;
};

struct bit_reader {
    const uint8_t *bytes;
    uint64_t position, end; /* bits */
    bool is_bad;
};

struct item {
    uint64_t address, size;
    bool is_function;
    uint64_t file; /* number + 1; 0 where no line is known */
    int64_t line;
    uint64_t nr_bits; /* of the line path */
    const uint8_t *bits;
    char name[SYMBOL_NAME_MAX];
};

struct place {
    uint64_t file; /* number + 1 */
    int64_t line;
};

static uint32_t load_u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t load_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint8_t read_byte(struct reader *reader)
{
    if (reader->at >= reader->end) {
        reader->is_bad = true;
        return 0;
    }
    return *reader->at++;
}

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(reader);

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->is_bad = true;
    return 0;
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* name holds the name before this one and gets this one. */
static void read_name(struct reader *reader, char *name, size_t size)
{
    size_t length = strnlen(name, size - 1);
    uint64_t shared = read_varint(reader);
    uint8_t byte;

    if (shared > length)
        reader->is_bad = true;
    else
        length = shared;
    do {
        byte = read_byte(reader);
        if (length >= size - 1)
            reader->is_bad = true;
        if (reader->is_bad)
            break;
        name[length++] = (char)(byte & 0x7f);
    } while (byte < 0x80);
    name[length] = '\0';
}

/* item holds the item before in the block and gets this one. */
static bool read_item(struct reader *reader, struct item *item)
{
    uint64_t gap = read_varint(reader), size = read_varint(reader);

    item->address += item->size + gap;
    item->size = size >> 1;
    item->is_function = (size & 1) != 0;
    read_name(reader, item->name, sizeof(item->name));
    if (!item->is_function)
        return !reader->is_bad;
    item->file = read_varint(reader);
    if (item->file != 0)
        item->line = (int64_t)((uint64_t)item->line + (uint64_t)unzigzag(read_varint(reader)));
    item->nr_bits = read_varint(reader);
    item->bits = reader->at;
    if (item->nr_bits / 8 >= (uint64_t)(reader->end - reader->at) + (item->nr_bits % 8 == 0))
        reader->is_bad = true;
    else
        reader->at += (item->nr_bits + 7) / 8;
    return !reader->is_bad;
}

static bool read_bit(struct bit_reader *bits)
{
    uint64_t position = bits->position;

    if (position >= bits->end) {
        bits->is_bad = true;
        return false;
    }
    bits->position++;
    return (bits->bytes[position / 8] >> (7 - position % 8) & 1) != 0;
}

static uint64_t read_gamma(struct bit_reader *bits)
{
    unsigned zeros = 0;
    uint64_t value = 1;

    while (!bits->is_bad && !read_bit(bits))
        zeros++;
    if (zeros > 32)
        bits->is_bad = true;
    for (unsigned i = 0; i < zeros && !bits->is_bad; i++)
        value = value << 1 | read_bit(bits);
    return value;
}

/* Canonical Huffman: the codes of each length are consecutive numbers. Returns the symbol. */
static uint32_t read_code(struct bit_reader *bits, const uint8_t *code_bytes, uint32_t nr_symbols)
{
    uint32_t code = 0, first = 0, number = 0;
    struct code header;

    memcpy(&header, code_bytes, sizeof(header));
    for (unsigned length = 0; length < HUFFMAN_BITS; length++) {
        uint32_t count = header.counts[length];

        code |= read_bit(bits);
        if (code >= first && code - first < count) {
            number += code - first;
            break;
        }
        number += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    if (bits->is_bad || number >= nr_symbols) {
        bits->is_bad = true;
        return 0;
    }
    return load_u32(code_bytes + sizeof(header) + number * sizeof(uint32_t));
}

/* Moves recent[from] to the front. */
static void move_to_front(struct place *recent, uint32_t from, struct place place)
{
    memmove(&recent[1], &recent[0], from * sizeof(recent[0]));
    recent[0] = place;
}

static void read_move(const struct symbol_table *table, struct bit_reader *bits, struct place *recent)
{
    const uint8_t *code = table->bytes + table->codes + sizeof(struct code) + table->nr_steps * sizeof(uint32_t);
    uint32_t move = read_code(bits, code, table->nr_moves);
    struct place place = recent[0];

    switch ((enum move_kind)(move & 7)) {
    case MOVE_RECENT:
        if (move >> 3 > RECENT_MAX)
            bits->is_bad = true;
        else
            move_to_front(recent, move >> 3, recent[move >> 3]);
        return;
    case MOVE_DELTA:
        place.line += (int32_t)move >> 3;
        break;
    case MOVE_FAR_DELTA:
        place.line += unzigzag(read_gamma(bits) - 1);
        break;
    case MOVE_PLACE:
        place.file = (move >> 3 >> LINE_BITS) + 1;
        place.line = move >> 3 & ((1u << LINE_BITS) - 1);
        break;
    case MOVE_FAR_PLACE:
        place.file = read_gamma(bits);
        place.line = (int64_t)read_gamma(bits) - 1;
        break;
    default:
        bits->is_bad = true;
        return;
    }
    move_to_front(recent, RECENT_MAX, place);
}

/* The place whose code starts at or before offset in the function. */
static int walk_lines(const struct symbol_table *table, const struct item *item, uint64_t offset, struct place *place)
{
    struct bit_reader bits = {item->bits, 0, item->nr_bits, false};
    struct place recent[RECENT_MAX + 1] = {{item->file, item->line}};
    uint64_t at = 0;

    while (bits.position < bits.end) {
        uint64_t step = read_code(&bits, table->bytes + table->codes, table->nr_steps);

        if (step == 0)
            step = read_gamma(&bits);
        at += step;
        if (bits.is_bad)
            return -EBADMSG;
        if (at > offset)
            break;
        read_move(table, &bits, recent);
        if (bits.is_bad)
            return -EBADMSG;
    }
    *place = recent[0];
    return 0;
}

static int read_file_name(const struct symbol_table *table, uint64_t number, char name[SYMBOL_FILE_MAX])
{
    struct reader reader = {table->bytes + table->files, table->bytes + table->index, false};

    name[0] = '\0';
    if (number >= table->nr_files)
        return -EBADMSG;
    for (uint64_t i = 0; i <= number && !reader.is_bad; i++)
        read_name(&reader, name, SYMBOL_FILE_MAX);
    return reader.is_bad ? -EBADMSG : 0;
}

static uint64_t block_address(const struct symbol_table *table, uint32_t block)
{
    return load_u64(table->bytes + table->index + (uint64_t)block * 8);
}

/* The reader of a block's items, and the item to start with. */
static struct reader open_block(const struct symbol_table *table, uint32_t block, struct item *item)
{
    const uint8_t *stream = table->bytes + table->stream, *end = table->bytes + table->size;
    uint32_t offset = load_u32(table->bytes + table->index + (uint64_t)table->nr_blocks * 8 + (uint64_t)block * 4);

    *item = (struct item){.address = block_address(table, block)};
    if (offset > (uint64_t)(end - stream))
        return (struct reader){end, end, true};
    return (struct reader){stream + offset, end, false};
}

static uint32_t nr_items_of_block(const struct symbol_table *table, uint32_t block)
{
    uint32_t left = table->nr_items - block * BLOCK;

    return left < BLOCK ? left : BLOCK;
}

/* Whether the parts lie in the table, in order, and have room for what the header counts. */
static bool header_is_sound(const struct header *h, size_t size)
{
    uint64_t codes = 2 * sizeof(struct code) + ((uint64_t)h->nr_steps + h->nr_moves) * sizeof(uint32_t);

    return h->magic == MAGIC && h->version == VERSION && h->size <= size && h->codes == sizeof(*h) &&
           h->codes + codes == h->files && h->files <= h->index && h->stream <= h->size &&
           h->nr_blocks == ((uint64_t)h->nr_items + BLOCK - 1) / BLOCK &&
           h->index + (uint64_t)h->nr_blocks * 12 == h->stream;
}

int symbol_table_open(struct symbol_table *table, const void *bytes, size_t size)
{
    struct header h;

    if (size < sizeof(h))
        return -EBADMSG;
    memcpy(&h, bytes, sizeof(h));
    if (!header_is_sound(&h, size))
        return -EBADMSG;
    *table = (struct symbol_table){
        .bytes = bytes,
        .size = h.size,
        .nr_items = h.nr_items,
        .nr_blocks = h.nr_blocks,
        .nr_files = h.nr_files,
        .nr_steps = h.nr_steps,
        .nr_moves = h.nr_moves,
        .codes = h.codes,
        .files = h.files,
        .index = h.index,
        .stream = h.stream,
    };
    return 0;
}

/* The last block that starts at or before address; nr_blocks where all start behind it. */
static uint32_t find_block(const struct symbol_table *table, uint64_t address)
{
    uint32_t low = 0, high = table->nr_blocks;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (block_address(table, middle) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? table->nr_blocks : low - 1;
}

/* Returns 0, -ENOENT where address lies in no item, -EBADMSG. */
static int find_item(const struct symbol_table *table, uint64_t address, struct item *item)
{
    uint32_t block = find_block(table, address);
    struct reader reader;

    if (block == table->nr_blocks)
        return -ENOENT;
    reader = open_block(table, block, item);
    for (uint32_t left = nr_items_of_block(table, block); left > 0; left--) {
        if (!read_item(&reader, item))
            return -EBADMSG;
        if (address - item->address < item->size)
            return 0;
    }
    return -ENOENT;
}

int symbol_table_lookup(const struct symbol_table *table, uint64_t address, struct symbol_location *location)
{
    char file[SYMBOL_FILE_MAX] = "";
    struct place place = {0, 0};
    struct item item;
    int error = find_item(table, address, &item);

    if (error == 0 && item.is_function)
        error = walk_lines(table, &item, address - item.address, &place);
    if (error == 0 && place.file != 0)
        error = read_file_name(table, place.file - 1, file);
    if (error != 0)
        return error;
    memcpy(location->function, item.name, sizeof(location->function));
    location->offset = address - item.address;
    location->size = item.size;
    memcpy(location->file, file, sizeof(location->file));
    location->line = place.file != 0 ? (unsigned)place.line : 0;
    location->is_function = item.is_function;
    return 0;
}

int symbol_table_find(const struct symbol_table *table, const char *name, uint64_t *address)
{
    for (uint32_t block = 0; block < table->nr_blocks; block++) {
        struct item item;
        struct reader reader = open_block(table, block, &item);

        for (uint32_t left = nr_items_of_block(table, block); left > 0; left--) {
            if (!read_item(&reader, &item))
                return -EBADMSG;
            if (strcmp(item.name, name) == 0) {
                *address = item.address;
                return 0;
            }
        }
    }
    return -ENOENT;
}

int symbol_table_name(const struct symbol_table *table, unsigned n, char name[SYMBOL_NAME_MAX])
{
    struct item item;
    struct reader reader;

    if (n >= table->nr_items)
        return -ENOENT;
    reader = open_block(table, n / BLOCK, &item);
    for (unsigned i = 0; i <= n % BLOCK; i++)
        if (!read_item(&reader, &item))
            return -EBADMSG;
    memcpy(name, item.name, SYMBOL_NAME_MAX);
    return 0;
}

#include "open_line.h"

#include <base/compiler.h>
#include <lib/format.h>
#include <lib/string.h>

#define SGR_DEFAULT_FOREGROUND 39 /* ECMA-48 8.3.117 */

static void clear(struct open_line *line)
{
    line->length = line->cursor = 0;
    line->is_lost = false;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* A further byte of the character before the cursor. */
static void extend_character(struct open_line *line, char byte)
{
    char *bytes;

    if (line->cursor == 0 || line->cursor > line->length)
        return;
    bytes = line->cells[line->cursor - 1].bytes;
    for (unsigned i = 1; i < sizeof(line->cells[0].bytes); i++) {
        if (!bytes[i]) {
            bytes[i] = byte;
            return;
        }
    }
}

static void put_character(struct open_line *line, char byte)
{
    if (line->cursor >= OPEN_LINE_COLUMNS) {
        line->is_lost = true;
        return;
    }
    while (line->length < line->cursor) /* the cursor was moved beyond the end */
        line->cells[line->length++] = (struct open_line_cell){" ", SGR_DEFAULT_FOREGROUND, false};
    line->cells[line->cursor] = (struct open_line_cell){{byte}, line->foreground, line->is_bold};
    line->cursor++;
    if (line->length < line->cursor)
        line->length = line->cursor;
}

static void set_attributes(struct open_line *line)
{
    for (unsigned i = 0; i < line->nr_parameters; i++) {
        unsigned number = line->parameters[i];

        if (number == 0) {
            line->foreground = SGR_DEFAULT_FOREGROUND;
            line->is_bold = false;
        } else if (number == 1) {
            line->is_bold = true;
        } else if (number == 22) {
            line->is_bold = false;
        } else if ((number >= 30 && number <= 37) || number == 39 || (number >= 90 && number <= 97)) {
            line->foreground = (uint8_t)number;
        }
    }
}

static void erase(struct open_line *line, unsigned mode)
{
    if (mode == 2)
        line->length = 0;
    else if (mode == 0 && line->cursor < line->length)
        line->length = line->cursor;
}

static void end_sequence(struct open_line *line, char final)
{
    unsigned first = line->parameters[0];
    unsigned count = first > 0 ? first : 1;

    line->state = OPEN_LINE_TEXT;
    if (final == 'm') {
        set_attributes(line);
    } else if (final == 'C') {
        line->cursor = line->cursor + count < OPEN_LINE_COLUMNS ? line->cursor + count : OPEN_LINE_COLUMNS;
    } else if (final == 'D') {
        line->cursor = line->cursor > count ? line->cursor - count : 0;
    } else if (final == 'K') {
        erase(line, first);
    } else if (final == 'J' || final == 'H') {
        clear(line); /* the whole screen changed */
    }
}

static void take_sequence_byte(struct open_line *line, char byte)
{
    if (byte >= '0' && byte <= '9') {
        unsigned *parameter = &line->parameters[line->nr_parameters - 1];
        if (*parameter < 1000)
            *parameter = *parameter * 10 + (unsigned)(byte - '0');
    } else if (byte == ';') {
        if (line->nr_parameters < 8)
            line->parameters[line->nr_parameters++] = 0;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        end_sequence(line, byte);
    }
}

static void take_text_byte(struct open_line *line, char byte)
{
    if (byte == '\n')
        clear(line);
    else if (byte == '\r')
        line->cursor = 0;
    else if (byte == '\b')
        line->cursor -= line->cursor > 0;
    else if (byte == '\t')
        line->cursor = line->cursor < OPEN_LINE_COLUMNS - 8 ? (line->cursor | 7) + 1 : OPEN_LINE_COLUMNS;
    else if (byte == '\033')
        line->state = OPEN_LINE_ESCAPE;
    else if (is_continuation(byte))
        extend_character(line, byte);
    else if ((unsigned char)byte >= ' ')
        put_character(line, byte);
}

void open_line_write(struct open_line *line, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (line->state == OPEN_LINE_TEXT) {
            take_text_byte(line, bytes[i]);
        } else if (line->state == OPEN_LINE_ESCAPE) {
            line->state = bytes[i] == '[' ? OPEN_LINE_SEQUENCE : OPEN_LINE_TEXT;
            line->nr_parameters = 1;
            line->parameters[0] = 0;
        } else {
            take_sequence_byte(line, bytes[i]);
        }
    }
}

bool open_line_is_open(const struct open_line *line)
{
    return line->length > 0 || line->cursor > 0;
}

const char *open_line_hide(const struct open_line *line, bool has_escapes)
{
    if (!has_escapes)
        return "\n";
    return line->is_lost || line->length > OPEN_LINE_ROW ? "\033[0m\n" : "\033[0m\r\033[K";
}

struct writer {
    void (*write)(void *context, const char *bytes, size_t length);
    void *context;
    char piece[128];
    size_t length;
};

static void flush(struct writer *writer)
{
    if (writer->length > 0)
        writer->write(writer->context, writer->piece, writer->length);
    writer->length = 0;
}

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (writer->length + length > sizeof(writer->piece))
        flush(writer);
    memcpy(writer->piece + writer->length, bytes, length);
    writer->length += length;
}

static void put_attributes(struct writer *writer, uint8_t foreground, bool is_bold)
{
    char sequence[24];

    if (foreground == SGR_DEFAULT_FOREGROUND && !is_bold)
        put(writer, "\033[0m", 4);
    else
        put(writer, sequence,
            (size_t)snprintf(sequence, sizeof(sequence), "\033[0;%s%um", is_bold ? "1;" : "", foreground));
}

static void put_move(struct writer *writer, unsigned count, char direction, bool has_escapes)
{
    char move[16];

    if (has_escapes) {
        put(writer, move, (size_t)snprintf(move, sizeof(move), "\033[%u%c", count, direction));
        return;
    }
    for (unsigned i = 0; i < count; i++)
        put(writer, direction == 'D' ? "\b" : " ", 1);
}

void open_line_show(const struct open_line *line, bool has_escapes,
                    void (*write)(void *context, const char *bytes, size_t length), void *context)
{
    struct writer writer = {.write = write, .context = context};
    uint8_t foreground = SGR_DEFAULT_FOREGROUND;
    bool is_bold = false;

    if (line->is_lost)
        return;
    for (unsigned i = 0; i < line->length; i++) {
        const struct open_line_cell *cell = &line->cells[i];
        if (has_escapes && (cell->foreground != foreground || cell->is_bold != is_bold))
            put_attributes(&writer, foreground = cell->foreground, is_bold = cell->is_bold);
        put(&writer, cell->bytes, strnlen(cell->bytes, sizeof(cell->bytes)));
    }
    if (has_escapes && (foreground != line->foreground || is_bold != line->is_bold))
        put_attributes(&writer, line->foreground, line->is_bold);
    if (line->cursor < line->length)
        put_move(&writer, line->length - line->cursor, 'D', has_escapes);
    else if (line->cursor > line->length)
        put_move(&writer, line->cursor - line->length, 'C', has_escapes);
    flush(&writer);
}

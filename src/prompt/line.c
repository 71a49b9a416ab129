#include "line.h"

#include <lib/string.h>

void line_init(struct line *line, char *storage, size_t capacity)
{
    *line = (struct line){.text = storage, .capacity = capacity};
    storage[0] = '\0';
}

bool line_insert(struct line *line, const char *text, size_t length)
{
    char *at = line->text + line->cursor;

    if (length > line->capacity - 1 - line->length)
        return false;
    memmove(at + length, at, line->length - line->cursor + 1);
    memcpy(at, text, length);
    line->length += length;
    line->cursor += length;
    return true;
}

void line_erase(struct line *line, size_t from, size_t to)
{
    memmove(line->text + from, line->text + to, line->length - to + 1);
    line->length -= to - from;
    if (line->cursor >= to)
        line->cursor -= to - from;
    else if (line->cursor > from)
        line->cursor = from;
}

bool line_set(struct line *line, const char *text, size_t length)
{
    if (length > line->capacity - 1)
        return false;
    memmove(line->text, text, length);
    line->text[length] = '\0';
    line->length = line->cursor = length;
    return true;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t line_before(const struct line *line, size_t offset)
{
    while (offset > 0 && is_continuation(line->text[--offset]))
        ;
    return offset;
}

size_t line_after(const struct line *line, size_t offset)
{
    if (offset == line->length)
        return offset;
    do {
        offset++;
    } while (is_continuation(line->text[offset])); /* ends at the terminator */
    return offset;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
    unsigned char byte = (unsigned char)c;

    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte >= 0x80;
}

size_t line_word_before(const struct line *line, size_t offset)
{
    while (offset > 0 && !is_word(line->text[offset - 1]))
        offset--;
    while (offset > 0 && is_word(line->text[offset - 1]))
        offset--;
    return offset;
}

size_t line_word_after(const struct line *line, size_t offset)
{
    while (offset < line->length && !is_word(line->text[offset]))
        offset++;
    while (offset < line->length && is_word(line->text[offset]))
        offset++;
    return offset;
}

size_t line_blank_word_before(const struct line *line, size_t offset)
{
    while (offset > 0 && is_blank(line->text[offset - 1]))
        offset--;
    while (offset > 0 && !is_blank(line->text[offset - 1]))
        offset--;
    return offset;
}

bool line_transpose(struct line *line)
{
    size_t second = line->cursor == line->length ? line_before(line, line->cursor) : line->cursor;
    size_t first = line_before(line, second);
    size_t end = line_after(line, second);
    char moved[4];
    size_t moved_length = second - first;

    if (first == second || second == end)
        return false;
    memcpy(moved, line->text + first, moved_length);
    memmove(line->text + first, line->text + second, end - second);
    memcpy(line->text + end - moved_length, moved, moved_length);
    line->cursor = end;
    return true;
}

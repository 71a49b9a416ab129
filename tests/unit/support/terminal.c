#include "terminal.h"
#include "unit.h"

#include <lib/utf8.h>
#include <string.h>

static void clear(struct terminal *terminal)
{
    for (unsigned row = 0; row < TERMINAL_ROWS; row++) {
        for (unsigned column = 0; column < TERMINAL_COLUMNS_MAX; column++)
            terminal->cells[row][column] = ' ';
    }
}

void terminal_init(struct terminal *terminal, unsigned columns)
{
    memset(terminal, 0, sizeof(*terminal));
    terminal->columns = columns;
    clear(terminal);
}

static void next_row(struct terminal *terminal)
{
    terminal->column = 0;
    if (++terminal->row < TERMINAL_ROWS)
        return;
    terminal->row--;
    memmove(terminal->cells[0], terminal->cells[1], sizeof(terminal->cells[0]) * (TERMINAL_ROWS - 1));
    for (unsigned column = 0; column < TERMINAL_COLUMNS_MAX; column++)
        terminal->cells[terminal->row][column] = ' ';
}

static void put(struct terminal *terminal, uint32_t character)
{
    assert_true(character >= 0x20 && character != 0x7f);
    if (terminal->column == terminal->columns)
        next_row(terminal);
    terminal->cells[terminal->row][terminal->column++] = character;
}

/* Returns the length of the sequence behind the escape character. */
static size_t escape(struct terminal *terminal, const char *bytes, size_t length)
{
    size_t end = 1;

    assert_true(length >= 2 && bytes[0] == '[');
    while (end < length && (bytes[end] < 0x40 || bytes[end] > 0x7e))
        end++;
    assert_true(end < length); /* the editor writes sequences whole */
    if (bytes[end] == 'm') {
        terminal->colour_sequences++;
    } else if (bytes[end] == 'H' && end == 1) {
        terminal->row = terminal->column = 0;
    } else if (bytes[end] == 'J' && bytes[1] == '2' && end == 2) {
        clear(terminal);
    } else {
        fail_msg("the terminal does not know ESC %.*s", (int)end + 1, bytes);
    }
    return end + 1;
}

static size_t write_one(struct terminal *terminal, const char *bytes, size_t length)
{
    uint32_t character = 0;
    unsigned taken;

    switch (bytes[0]) {
    case '\r':
        terminal->column = 0;
        return 1;
    case '\n':
        next_row(terminal);
        return 1;
    case '\b':
        assert_true(terminal->column > 0);
        terminal->column--;
        return 1;
    case '\a':
        terminal->bells++;
        return 1;
    case '\x1b':
        return 1 + escape(terminal, bytes + 1, length - 1);
    default:
        taken = utf8_decode(bytes, length, &character);
        assert_true(taken > 0);
        put(terminal, character);
        return taken;
    }
}

/* Writes may end inside a character or a sequence: the tests' output is gathered in pieces of at most 256 bytes. */
void terminal_write(struct terminal *terminal, const char *bytes, size_t length)
{
    terminal->bytes += length;
    for (size_t i = 0; i < length;)
        i += write_one(terminal, bytes + i, length - i);
}

const char *terminal_row(const struct terminal *terminal, unsigned row)
{
    static char text[TERMINAL_COLUMNS_MAX * 4 + 1];
    size_t length = 0, end = 0;

    for (unsigned column = 0; column < terminal->columns; column++) {
        length += utf8_encode(terminal->cells[row][column], text + length);
        if (terminal->cells[row][column] != ' ')
            end = length;
    }
    text[end] = '\0';
    return text;
}

/* An update lays the wanted row out in columns, finds the first column that differs from what is shown, writes from
 * there to the last column that differs, and steps back to the cursor. */
#include "display.h"

#include <lib/string.h>
#include <lib/utf8.h>

struct row {
    uint32_t cells[DISPLAY_COLUMNS_MAX];
    unsigned nr_cells;
    unsigned nr_label; /* of them */
    unsigned cursor;
};

static void flush(struct display *display)
{
    if (display->output_length > 0)
        display->write(display->output, display->output_length);
    display->output_length = 0;
}

/* A character or a sequence goes out whole. */
static void put(struct display *display, const char *bytes, size_t length)
{
    if (length > sizeof(display->output) - display->output_length)
        flush(display);
    memcpy(display->output + display->output_length, bytes, length);
    display->output_length += length;
}

static void put_cell(struct display *display, uint32_t cell)
{
    char text[4];

    put(display, text, utf8_encode(cell, text));
    display->cursor++;
}

/* One column on every console: Latin, Greek, Cyrillic, Armenian, Hebrew letters and the common symbols. */
static uint32_t cell_of(uint32_t character)
{
    bool is_single = (character >= 0x20 && character < 0x7f) ||
                     (character >= 0xa1 && character <= 0x2ff && character != 0xad) ||
                     (character >= 0x370 && character <= 0x482) || (character >= 0x48a && character <= 0x58f) ||
                     (character >= 0x1e00 && character <= 0x1fff) || (character >= 0x2010 && character <= 0x2027) ||
                     (character >= 0x2500 && character <= 0x25ff && character != 0x25fd && character != 0x25fe) ||
                     character == 0x20ac;

    return is_single ? character : '?';
}

static size_t count_characters(const char *text, size_t length)
{
    size_t characters = 0;

    for (size_t i = 0; i < length; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    return characters;
}

/* Scrolls by half the room when the cursor would leave it, so that typing at the end redraws seldom. */
static void scroll(struct display *display, size_t nr_characters, size_t cursor, unsigned room)
{
    size_t first = display->first_visible;

    if (nr_characters <= room) {
        first = 0;
    } else if (cursor < first + (first > 0) || cursor >= first + room - 1) {
        first = cursor > room / 2 ? cursor - room / 2 : 0;
    } else if (first > 0 && nr_characters < first + room / 2) {
        first = nr_characters - room / 2; /* much was deleted: bring text back into view */
    }
    display->first_visible = first;
}

static void lay_out_label(struct row *row, const char *label, unsigned limit)
{
    size_t length = strlen(label);
    uint32_t character;
    unsigned taken;

    while (row->nr_cells < limit && (taken = utf8_decode(label, length, &character)) > 0) {
        row->cells[row->nr_cells++] = cell_of(character);
        label += taken;
        length -= taken;
    }
    row->nr_label = row->nr_cells;
}

/* The label may take half the row: the end of a longer one is not shown. The last column stays free, because terminals
 * differ in where the cursor is after it has been written. */
static void lay_out(struct display *display, struct row *row, const char *label, const char *text, size_t length,
                    size_t cursor)
{
    size_t nr_characters = count_characters(text, length);
    size_t cursor_index = count_characters(text, cursor);
    size_t index = 0;
    uint32_t character = 0;
    unsigned room;

    row->nr_cells = 0;
    lay_out_label(row, label, display->columns / 2);
    room = display->columns - 1 - row->nr_label;
    scroll(display, nr_characters, cursor_index, room - 1);
    row->cursor = row->nr_label + (unsigned)(cursor_index - display->first_visible);
    for (size_t i = 0; i < length && index < display->first_visible + room - 1; index++) {
        i += utf8_decode(text + i, length - i, &character);
        if (index >= display->first_visible)
            row->cells[row->nr_cells++] = cell_of(character);
    }
    if (display->first_visible > 0)
        row->cells[row->nr_label] = '<';
    if (index < nr_characters)
        row->cells[row->nr_cells++] = '>';
}

static uint32_t cell_or_blank(const uint32_t *cells, unsigned nr_cells, unsigned column)
{
    return column < nr_cells ? cells[column] : ' ';
}

/* Moving left is backspaces (a carriage return for all the way), moving right writes again what is there. */
static void move_to(struct display *display, unsigned column)
{
    if (column == 0 && display->cursor > 0) {
        put(display, "\r", 1);
        display->cursor = 0;
    }
    while (display->cursor > column) {
        put(display, "\b", 1);
        display->cursor--;
    }
    while (display->cursor < column)
        put_cell(display, cell_or_blank(display->shown, display->nr_shown, display->cursor));
}

static void write_cells(struct display *display, const struct row *row, unsigned end)
{
    bool is_in_label = display->cursor < row->nr_label;

    if (is_in_label)
        put(display, display->label_begin, strlen(display->label_begin));
    while (display->cursor < end) {
        if (is_in_label && display->cursor == row->nr_label) {
            put(display, display->label_end, strlen(display->label_end));
            is_in_label = false;
        }
        put_cell(display, display->cursor < row->nr_cells ? row->cells[display->cursor] : ' ');
    }
    if (is_in_label)
        put(display, display->label_end, strlen(display->label_end));
}

static bool differs(const struct display *display, const struct row *row, unsigned column)
{
    return cell_or_blank(display->shown, display->nr_shown, column) != cell_or_blank(row->cells, row->nr_cells, column);
}

void display_init(struct display *display, display_write write, unsigned columns, const char *label_begin,
                  const char *label_end)
{
    memset(display, 0, sizeof(*display));
    display->write = write;
    display->label_begin = label_begin;
    display->label_end = label_end;
    display->columns = columns;
    if (columns < DISPLAY_COLUMNS_MIN)
        display->columns = DISPLAY_COLUMNS_MIN;
    if (columns > DISPLAY_COLUMNS_MAX)
        display->columns = DISPLAY_COLUMNS_MAX;
}

void display_begin(struct display *display)
{
    display->nr_shown = display->cursor = 0;
    display->first_visible = 0;
}

void display_update(struct display *display, const char *label, const char *text, size_t length, size_t cursor)
{
    static struct row row; /* [prompt] 1 KiB; there is one */
    unsigned first = 0, end;

    lay_out(display, &row, label, text, length, cursor);
    end = row.nr_cells > display->nr_shown ? row.nr_cells : display->nr_shown;
    while (first < end && !differs(display, &row, first))
        first++;
    while (end > first && !differs(display, &row, end - 1))
        end--;
    if (first < row.nr_label)
        first = 0; /* the label is written as a whole, with its colour */
    if (first < end) {
        move_to(display, first);
        write_cells(display, &row, end);
    }
    memcpy(display->shown, row.cells, row.nr_cells * sizeof(row.cells[0]));
    display->nr_shown = row.nr_cells;
    move_to(display, row.cursor);
    flush(display);
}

void display_end(struct display *display)
{
    put(display, "\n", 1);
    flush(display);
    display_begin(display);
}

void display_bell(struct display *display)
{
    put(display, "\a", 1);
    flush(display);
}

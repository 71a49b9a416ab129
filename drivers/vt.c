#include "vt.h"

#include <lib/string.h>
#include <lib/utf8.h>

#define REPLACEMENT 0xfffd

/* Cells. */

static struct vt_cell *cell_at(const struct vt *vt, unsigned column, unsigned row)
{
    unsigned from_first = vt->first_row + row;

    if (from_first >= vt->rows)
        from_first -= vt->rows;
    return &vt->cells[(size_t)from_first * vt->columns + column];
}

static void mark_dirty(struct vt *vt, unsigned first, unsigned end)
{
    if (first < vt->dirty_first)
        vt->dirty_first = first;
    if (end > vt->dirty_end)
        vt->dirty_end = end;
}

/* The colours in force: bold is bright, as on the hardware this imitates. */
static struct vt_cell make_cell(const struct vt *vt, uint32_t character)
{
    uint8_t foreground = vt->is_bold && vt->foreground < 8 ? vt->foreground + 8 : vt->foreground;
    bool reverse = vt->is_reverse;

    return (struct vt_cell){
        .character = character > 0xffff ? REPLACEMENT : (uint16_t)character,
        .foreground = reverse ? vt->background : foreground,
        .background = reverse ? foreground : vt->background,
    };
}

/* Erased cells take the background colour in force, never the reversed one. */
static void clear_cells(struct vt *vt, unsigned row, unsigned column, unsigned end)
{
    struct vt_cell blank = {' ', VT_FOREGROUND, vt->background};

    for (; column < end; column++)
        *cell_at(vt, column, row) = blank;
    mark_dirty(vt, row, row + 1);
}

static void clear_rows(struct vt *vt, unsigned first, unsigned end)
{
    for (unsigned row = first; row < end; row++)
        clear_cells(vt, row, 0, vt->columns);
}

static void scroll_up(struct vt *vt)
{
    vt->first_row = vt->first_row + 1 == vt->rows ? 0 : vt->first_row + 1;
    vt->scrolled++;
    clear_cells(vt, vt->rows - 1, 0, vt->columns);
    mark_dirty(vt, 0, vt->rows);
}

/* Shifts the cells of the cursor's row from the cursor on: count > 0 to the right, < 0 to the left. */
static void shift_cells(struct vt *vt, int count)
{
    struct vt_cell *row = cell_at(vt, 0, vt->cursor.row);
    unsigned column = vt->cursor.column, room = vt->columns - column;
    unsigned distance = (unsigned)(count < 0 ? -count : count);
    unsigned kept;

    if (distance > room)
        distance = room;
    kept = room - distance;
    if (count > 0) {
        memmove(row + column + distance, row + column, kept * sizeof(*row));
        clear_cells(vt, vt->cursor.row, column, column + distance);
    } else {
        memmove(row + column, row + column + distance, kept * sizeof(*row));
        clear_cells(vt, vt->cursor.row, column + kept, vt->columns);
    }
}

/* Shifts the rows from the cursor's on: count > 0 down, < 0 up. */
static void shift_rows(struct vt *vt, int count)
{
    unsigned first = vt->cursor.row, room = vt->rows - first;
    unsigned distance = (unsigned)(count < 0 ? -count : count);

    if (distance > room)
        distance = room;
    for (unsigned i = 0; i < room - distance; i++) {
        unsigned to = count > 0 ? vt->rows - 1 - i : first + i;
        unsigned from = count > 0 ? to - distance : to + distance;
        memcpy(cell_at(vt, 0, to), cell_at(vt, 0, from), vt->columns * sizeof(struct vt_cell));
    }
    mark_dirty(vt, first, vt->rows);
    if (count > 0)
        clear_rows(vt, first, first + distance);
    else
        clear_rows(vt, vt->rows - distance, vt->rows);
}

/* The cursor. */

static void touch_cursor(struct vt *vt)
{
    mark_dirty(vt, vt->cursor.row, vt->cursor.row + 1);
}

/* Goes to a place, which is moved into the screen where it is outside. */
static void go_to(struct vt *vt, unsigned column, unsigned row)
{
    touch_cursor(vt);
    vt->cursor.column = column < vt->columns ? column : vt->columns - 1;
    vt->cursor.row = row < vt->rows ? row : vt->rows - 1;
    vt->wraps_next = false;
    touch_cursor(vt);
}

static void go_up(struct vt *vt, unsigned count)
{
    go_to(vt, vt->cursor.column, vt->cursor.row > count ? vt->cursor.row - count : 0);
}

static void go_left(struct vt *vt, unsigned count)
{
    go_to(vt, vt->cursor.column > count ? vt->cursor.column - count : 0, vt->cursor.row);
}

static void new_line(struct vt *vt)
{
    if (vt->cursor.row + 1 == vt->rows) {
        scroll_up(vt);
        go_to(vt, 0, vt->cursor.row);
    } else {
        go_to(vt, 0, vt->cursor.row + 1);
    }
}

/* Characters of no width: combining marks, zero-width space and joiners, directional marks, byte order mark. */
static bool has_no_width(uint32_t character)
{
    return (character >= 0x300 && character <= 0x36f) || (character >= 0x200b && character <= 0x200f) ||
           (character >= 0x80 && character < 0xa0) || character == 0xfeff || character == 0xad;
}

static void put_character(struct vt *vt, uint32_t character)
{
    if (has_no_width(character))
        return;
    if (vt->wraps_next)
        new_line(vt);
    *cell_at(vt, vt->cursor.column, vt->cursor.row) = make_cell(vt, character);
    if (vt->cursor.column + 1 == vt->columns) {
        vt->wraps_next = true;
    } else {
        vt->cursor.column++;
    }
    touch_cursor(vt);
}

static void reset(struct vt *vt)
{
    vt->foreground = VT_FOREGROUND;
    vt->background = VT_BACKGROUND;
    vt->is_bold = vt->is_reverse = vt->is_cursor_hidden = false;
    vt->saved = (struct vt_position){0, 0};
    clear_rows(vt, 0, vt->rows);
    go_to(vt, 0, 0);
}

/* Control sequences (ECMA-48 8.3). */

/* Parameter i, or a default where it is missing or 0. */
static unsigned parameter(const struct vt *vt, unsigned i, unsigned otherwise)
{
    return i < vt->nr_parameters && vt->parameters[i] > 0 ? vt->parameters[i] : otherwise;
}

/* 38 or 48: "5;n" from a table of 256, or "2;r;g;b". Takes the nearest of our sixteen; returns the last parameter used.
 */
static unsigned set_wide_colour(const struct vt *vt, unsigned i, uint8_t *colour)
{
    unsigned kind = parameter(vt, i + 1, 0);
    unsigned red, green, blue;

    if (kind == 5) {
        unsigned index = parameter(vt, i + 2, 0);
        if (index < 16) {
            *colour = (uint8_t)index;
            return i + 2;
        }
        if (index >= 232) { /* 24 greys */
            red = green = blue = (index - 232) * 10 + 8;
        } else { /* a cube of 6 * 6 * 6 */
            red = (index - 16) / 36 * 51;
            green = (index - 16) / 6 % 6 * 51;
            blue = (index - 16) % 6 * 51;
        }
        i += 2;
    } else if (kind == 2) {
        red = parameter(vt, i + 2, 0);
        green = parameter(vt, i + 3, 0);
        blue = parameter(vt, i + 4, 0);
        i += 4;
    } else {
        return i + 1;
    }
    *colour = (uint8_t)((red >= 96) | (green >= 96) << 1 | (blue >= 96) << 2);
    if (red >= 208 || green >= 208 || blue >= 208)
        *colour |= 8;
    return i;
}

static void set_attributes(struct vt *vt)
{
    for (unsigned i = 0; i < vt->nr_parameters; i++) {
        unsigned number = vt->parameters[i];

        if (number == 0) {
            vt->foreground = VT_FOREGROUND;
            vt->background = VT_BACKGROUND;
            vt->is_bold = vt->is_reverse = false;
        } else if (number == 1) {
            vt->is_bold = true;
        } else if (number == 22) {
            vt->is_bold = false;
        } else if (number == 7 || number == 27) {
            vt->is_reverse = number == 7;
        } else if (number >= 30 && number <= 37) {
            vt->foreground = (uint8_t)(number - 30);
        } else if (number == 38) {
            i = set_wide_colour(vt, i, &vt->foreground);
        } else if (number == 39) {
            vt->foreground = VT_FOREGROUND;
        } else if (number >= 40 && number <= 47) {
            vt->background = (uint8_t)(number - 40);
        } else if (number == 48) {
            i = set_wide_colour(vt, i, &vt->background);
        } else if (number == 49) {
            vt->background = VT_BACKGROUND;
        } else if (number >= 90 && number <= 97) {
            vt->foreground = (uint8_t)(number - 90 + 8);
        } else if (number >= 100 && number <= 107) {
            vt->background = (uint8_t)(number - 100 + 8);
        }
    }
}

static void erase_in_line(struct vt *vt, unsigned mode)
{
    unsigned column = vt->cursor.column;

    if (mode == 0)
        clear_cells(vt, vt->cursor.row, column, vt->columns);
    else if (mode == 1)
        clear_cells(vt, vt->cursor.row, 0, column + 1);
    else if (mode == 2)
        clear_cells(vt, vt->cursor.row, 0, vt->columns);
}

static void erase_in_display(struct vt *vt, unsigned mode)
{
    if (mode <= 1)
        erase_in_line(vt, mode);
    if (mode == 0)
        clear_rows(vt, vt->cursor.row + 1, vt->rows);
    else if (mode == 1)
        clear_rows(vt, 0, vt->cursor.row);
    else
        clear_rows(vt, 0, vt->rows);
}

static void set_private_mode(struct vt *vt, bool is_set)
{
    for (unsigned i = 0; i < vt->nr_parameters; i++) {
        if (vt->parameters[i] == 25) {
            vt->is_cursor_hidden = !is_set;
            touch_cursor(vt);
        }
    }
}

static void move_cursor(struct vt *vt, char final)
{
    unsigned count = parameter(vt, 0, 1), column = vt->cursor.column, row = vt->cursor.row;

    switch (final) {
    case 'A':
        go_up(vt, count);
        break;
    case 'B':
        go_to(vt, column, row + count);
        break;
    case 'C':
        go_to(vt, column + count, row);
        break;
    case 'D':
        go_left(vt, count);
        break;
    case 'E':
        go_to(vt, 0, row + count);
        break;
    case 'F':
        go_up(vt, count);
        go_to(vt, 0, vt->cursor.row);
        break;
    case 'G':
        go_to(vt, count - 1, row);
        break;
    case 'd':
        go_to(vt, column, count - 1);
        break;
    default: /* H, f */
        go_to(vt, parameter(vt, 1, 1) - 1, count - 1);
        break;
    }
}

static void edit(struct vt *vt, char final)
{
    int count = (int)parameter(vt, 0, 1);
    unsigned column = vt->cursor.column;

    switch (final) {
    case 'J':
        erase_in_display(vt, parameter(vt, 0, 0));
        break;
    case 'K':
        erase_in_line(vt, parameter(vt, 0, 0));
        break;
    case 'X':
        clear_cells(vt, vt->cursor.row, column,
                    (unsigned)count < vt->columns - column ? column + (unsigned)count : vt->columns);
        break;
    case '@':
    case 'P':
        shift_cells(vt, final == '@' ? count : -count);
        break;
    default: /* L, M */
        shift_rows(vt, final == 'L' ? count : -count);
        break;
    }
    vt->wraps_next = false;
}

static void end_sequence(struct vt *vt, char final)
{
    vt->state = VT_TEXT;
    if (vt->is_ignored)
        return;
    if (vt->is_private) {
        if (final == 'h' || final == 'l')
            set_private_mode(vt, final == 'h');
    } else if (final == 'm') {
        set_attributes(vt);
    } else if (final == 's') {
        vt->saved = vt->cursor;
    } else if (final == 'u') {
        go_to(vt, vt->saved.column, vt->saved.row);
    } else if (strchr("ABCDEFGHdf", final)) {
        move_cursor(vt, final);
    } else if (strchr("JKX@PLM", final)) {
        edit(vt, final);
    }
}

static void begin_sequence(struct vt *vt)
{
    vt->state = VT_SEQUENCE;
    vt->nr_parameters = 1;
    vt->parameters[0] = 0;
    vt->is_private = vt->is_ignored = false;
}

/* Large values are cut: no sequence of ours means anything by more than a screen. */
#define PARAMETER_LIMIT 9999u

static void take_sequence(struct vt *vt, char byte)
{
    if (byte >= '0' && byte <= '9') {
        unsigned *last = &vt->parameters[vt->nr_parameters - 1];
        *last = *last * 10 + (unsigned)(byte - '0');
        if (*last > PARAMETER_LIMIT)
            *last = PARAMETER_LIMIT;
    } else if (byte == ';' || byte == ':') {
        if (vt->nr_parameters < VT_PARAMETERS_MAX)
            vt->parameters[vt->nr_parameters++] = 0;
        else
            vt->is_ignored = true;
    } else if (byte >= '<' && byte <= '?') {
        vt->is_private = true;
    } else if (byte >= 0x20 && byte <= 0x2f) {
        vt->is_ignored = true;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        end_sequence(vt, byte);
    } else {
        vt->state = VT_TEXT; /* broken off */
    }
}

static void take_escape(struct vt *vt, char byte)
{
    vt->state = VT_TEXT;
    if (byte == '[') {
        begin_sequence(vt);
    } else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_') {
        vt->state = VT_STRING; /* titles and the like, to BEL or ESC \ */
    } else if (byte >= 0x20 && byte <= 0x2f) {
        vt->state = VT_CHARSET; /* one more byte */
    } else if (byte == '7') {
        vt->saved = vt->cursor;
    } else if (byte == '8') {
        go_to(vt, vt->saved.column, vt->saved.row);
    } else if (byte == 'c') {
        reset(vt);
    }
}

/* Text. */

static void take_control(struct vt *vt, char byte)
{
    switch (byte) {
    case '\b':
        go_left(vt, 1);
        break;
    case '\t':
        go_to(vt, (vt->cursor.column | 7) + 1, vt->cursor.row);
        break;
    case '\n':
    case '\v':
    case '\f':
        new_line(vt);
        break;
    case '\r':
        go_to(vt, 0, vt->cursor.row);
        break;
    case '\033':
        vt->state = VT_ESCAPE;
        break;
    default:
        break;
    }
}

/* Collects a character's bytes. What is not UTF-8 becomes U+FFFD, one for each sequence broken off. */
static void take_utf8(struct vt *vt, char byte)
{
    uint32_t character;

    vt->utf8[vt->utf8_length++] = byte;
    if (vt->utf8_length < vt->utf8_wanted)
        return;
    if (utf8_decode(vt->utf8, vt->utf8_length, &character) == 0)
        character = REPLACEMENT;
    vt->utf8_length = vt->utf8_wanted = 0;
    put_character(vt, character);
}

static void take_text(struct vt *vt, char byte)
{
    unsigned char value = (unsigned char)byte;

    if (vt->utf8_wanted > 0) {
        if ((value & 0xc0) == 0x80) {
            take_utf8(vt, byte);
            return;
        }
        vt->utf8_length = vt->utf8_wanted = 0;
        put_character(vt, REPLACEMENT);
    }
    if (value < 0x20) {
        take_control(vt, byte);
    } else if (value < 0x7f) {
        put_character(vt, value);
    } else if (value > 0x7f) {
        vt->utf8_wanted = utf8_sequence_length(value);
        if (vt->utf8_wanted == 0)
            vt->utf8_wanted = 1; /* becomes U+FFFD at once */
        take_utf8(vt, byte);
    }
}

static void take_byte(struct vt *vt, char byte)
{
    switch (vt->state) {
    case VT_TEXT:
        take_text(vt, byte);
        break;
    case VT_ESCAPE:
        take_escape(vt, byte);
        break;
    case VT_CHARSET:
        vt->state = VT_TEXT;
        break;
    case VT_SEQUENCE:
        take_sequence(vt, byte);
        break;
    case VT_STRING:
        if (byte == '\a')
            vt->state = VT_TEXT;
        else if (byte == '\033')
            vt->state = VT_STRING_ESCAPE;
        break;
    case VT_STRING_ESCAPE:
        vt->state = byte == '\\' ? VT_TEXT : VT_STRING;
        break;
    }
}

void vt_write(struct vt *vt, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        take_byte(vt, bytes[i]);
}

/* The grid, from outside. */

void vt_init(struct vt *vt, struct vt_cell *cells, unsigned columns, unsigned rows)
{
    *vt = (struct vt){.cells = cells, .columns = columns, .rows = rows, .dirty_first = rows};
    reset(vt);
}

void vt_resize(struct vt *vt, struct vt_cell *cells, unsigned columns, unsigned rows)
{
    struct vt old = *vt;
    unsigned above = old.cursor.row < rows ? 0 : old.cursor.row - (rows - 1); /* rows that do not fit any more */
    unsigned kept_columns = columns < old.columns ? columns : old.columns;

    vt->cells = cells;
    vt->columns = columns;
    vt->rows = rows;
    vt->first_row = 0;
    vt->dirty_first = vt->dirty_end = 0;
    clear_rows(vt, 0, rows);
    for (unsigned row = above; row < old.rows && row - above < rows; row++)
        memcpy(cell_at(vt, 0, row - above), cell_at(&old, 0, row), kept_columns * sizeof(*cells));
    vt->saved = vt->cursor = (struct vt_position){0, 0};
    go_to(vt, old.cursor.column, old.cursor.row - above);
    mark_dirty(vt, 0, rows);
}

struct vt_cell vt_cell(const struct vt *vt, unsigned column, unsigned row)
{
    return *cell_at(vt, column, row);
}

struct vt_cell vt_cell_with_cursor(const struct vt *vt, unsigned column, unsigned row)
{
    struct vt_cell cell = *cell_at(vt, column, row);

    if (row == vt->cursor.row && column == vt->cursor.column && !vt->is_cursor_hidden) {
        uint8_t foreground = cell.foreground;
        cell.foreground = cell.background;
        cell.background = foreground;
    }
    return cell;
}

bool vt_take_dirty(struct vt *vt, unsigned *first, unsigned *end)
{
    *first = vt->dirty_first;
    *end = vt->dirty_end;
    vt->dirty_first = vt->rows;
    vt->dirty_end = 0;
    return *first < *end;
}

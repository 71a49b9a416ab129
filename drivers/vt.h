/* A video terminal: takes UTF-8 with the usual ECMA-48 (ANSI) control sequences in and keeps a grid of character cells.
 * It knows no hardware: a screen driver compares the grid with what it shows. Pure; tested on the host.
 *
 * Understood: \b \t \n (with an implied \r) \v \f \r; ESC 7 8 c; CSI @ A B C D E F G H J K L M P X d f m s u and ?25 h
 * l (the cursor). Other sequences are skipped whole. A row that is full wraps when the next character comes. */
#pragma once

#include <base/types.h>

/* Colours are 0 to 7 in ANSI's order, 8 to 15 the bright ones. */
#define VT_FOREGROUND 7
#define VT_BACKGROUND 0

struct vt_cell {
    uint16_t character; /* Unicode; what lies above U+FFFF is shown as U+FFFD */
    uint8_t foreground, background;
};

struct vt_position {
    unsigned column, row;
};

#define VT_PARAMETERS_MAX 16

/* No locking of its own: the console lock. */
struct vt {
    struct vt_cell *cells; /* columns * rows; screen row r is row (first_row + r) % rows here */
    unsigned columns, rows, first_row;
    struct vt_position cursor, saved;
    bool is_cursor_hidden;
    bool wraps_next; /* the cursor stands on the last column, which has been written */
    uint8_t foreground, background;
    bool is_bold, is_reverse;
    uint64_t scrolled;               /* rows, since the beginning */
    unsigned dirty_first, dirty_end; /* screen rows changed since vt_take_dirty */

    enum { VT_TEXT, VT_ESCAPE, VT_CHARSET, VT_SEQUENCE, VT_STRING, VT_STRING_ESCAPE } state;
    unsigned parameters[VT_PARAMETERS_MAX];
    unsigned nr_parameters;
    bool is_private; /* the sequence has a ? or another private marker */
    bool is_ignored; /* the sequence has an intermediate byte: not one of ours */
    char utf8[4];
    unsigned utf8_length, utf8_wanted;
};

/* Sets up an empty screen. cells is the caller's, columns * rows of them, both at least 1. */
void vt_init(struct vt *vt, struct vt_cell *cells, unsigned columns, unsigned rows);

/* Moves to another grid of another size; the cursor's row and what is above it stay visible as far as they fit. */
void vt_resize(struct vt *vt, struct vt_cell *cells, unsigned columns, unsigned rows);

void vt_write(struct vt *vt, const char *bytes, size_t length);

/* The cell of this place. */
struct vt_cell vt_cell(const struct vt *vt, unsigned column, unsigned row);

/* The cell as it looks where the cursor is drawn by reversing it. */
struct vt_cell vt_cell_with_cursor(const struct vt *vt, unsigned column, unsigned row);

/* The rows changed since the last call, *first to *end - 1; false when there are none. */
bool vt_take_dirty(struct vt *vt, unsigned *first, unsigned *end);

/* The line of prompt output that has not ended yet, as it stands on the screen: kept so that a log line can be put
 * above it. A little terminal of one row: printable UTF-8, CR, BS, CSI C D K and m (colours) as the line editor uses
 * them. */
#pragma once

#include <base/types.h>

#define OPEN_LINE_COLUMNS 250
#define OPEN_LINE_ROW     79 /* longer lines may have wrapped: they are written anew below instead of erased */

struct open_line_cell {
    char bytes[4]; /* one character; unused bytes are 0 */
    uint8_t foreground;
    bool is_bold;
};

struct open_line {
    struct open_line_cell cells[OPEN_LINE_COLUMNS];
    unsigned length, cursor; /* columns; cursor may lie beyond the end */
    bool is_lost;            /* became longer than we keep */
    uint8_t foreground;      /* SGR number of the colour, 39 for the default */
    bool is_bold;
    enum { OPEN_LINE_TEXT, OPEN_LINE_ESCAPE, OPEN_LINE_SEQUENCE } state;
    unsigned parameters[8];
    unsigned nr_parameters;
};

#define OPEN_LINE_INITIALIZER \
    {                         \
        .foreground = 39      \
    }

/* Takes prompt output in. */
void open_line_write(struct open_line *line, const char *bytes, size_t length);

/* There is something on the line, or the cursor is not at its begin. */
bool open_line_is_open(const struct open_line *line);

/* What to write before a log line: erases the line, or goes to the next one. A terminal without escapes cannot erase.
 */
const char *open_line_hide(const struct open_line *line, bool has_escapes);

/* Writes the line as it was, cursor and colour included, in pieces. Without escapes: its text, and backspaces. */
void open_line_show(const struct open_line *line, bool has_escapes,
                    void (*write)(void *context, const char *bytes, size_t length), void *context);

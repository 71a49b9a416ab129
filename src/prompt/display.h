/* The row of the terminal that shows the line being edited: a label (the prompt) and as much of the text around the
 * cursor as fits. What is hidden at either end is marked with < and >.
 *
 * Output goes to every console at once, and they differ in width and in what they understand, so a row never reaches
 * the last column of the narrowest, long lines scroll sideways in it, and it is redrawn with nothing but printable
 * characters, backspace, carriage return and (unless colours are off) SGR colours. Each update writes only what
 * changed. Characters that terminals do not agree to be one column wide are shown as '?'. Context: any. */
#pragma once

#include <base/types.h>

#define DISPLAY_COLUMNS_MIN     20u
#define DISPLAY_COLUMNS_MAX     256u
#define DISPLAY_COLUMNS_DEFAULT 80u /* VGA text, and any terminal program at the other end of a serial line */

typedef void (*display_write)(const char *bytes, size_t length);

struct display {
    display_write write;
    unsigned columns;                    /* [I] of the narrowest console */
    const char *label_begin, *label_end; /* [I] written around the prompt label: colours, or "" */
    uint32_t shown[DISPLAY_COLUMNS_MAX]; /* what is on the row now, one character a column */
    unsigned nr_shown;
    unsigned cursor;      /* the column the terminal's cursor is in */
    size_t first_visible; /* the text's first visible character, counted in characters */
    char output[256];     /* gathered for one write */
    size_t output_length;
};

/* columns is brought into the range above. The strings outlive the display. */
void display_init(struct display *display, display_write write, unsigned columns, const char *label_begin,
                  const char *label_end);

/* Declares the terminal's cursor to be at the beginning of an empty row. */
void display_begin(struct display *display);

/* Makes the row show label and text (valid UTF-8) with the cursor at this byte offset of text. */
void display_update(struct display *display, const char *label, const char *text, size_t length, size_t cursor);

/* Leaves the row as it is and goes to the next one. */
void display_end(struct display *display);

void display_bell(struct display *display);

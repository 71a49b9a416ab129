/* A terminal as simple as one can be: what a user would see after the bytes written to it. One column a character;
 * wraps at its width; knows CR, LF (to the beginning of the next row, as after the driver's CR), BS, BEL, SGR, ED 2 and
 * CUP 1;1. Anything else fails the test. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TERMINAL_ROWS        64
#define TERMINAL_COLUMNS_MAX 300

struct terminal {
    unsigned columns;
    uint32_t cells[TERMINAL_ROWS][TERMINAL_COLUMNS_MAX];
    unsigned row, column; /* the cursor */
    unsigned bells;
    unsigned colour_sequences;
    size_t bytes; /* written so far */
};

void terminal_init(struct terminal *terminal, unsigned columns);
void terminal_write(struct terminal *terminal, const char *bytes, size_t length);

/* The row as UTF-8 without the blanks at its end; valid until the next call. */
const char *terminal_row(const struct terminal *terminal, unsigned row);

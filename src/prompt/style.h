/* How the prompt's own output looks, as far as the terminal is said to understand it. */
#pragma once

#include <base/types.h>

enum style { STYLE_NONE, STYLE_ERROR, STYLE_HEADING, STYLE_FAINT };

/* Until then nothing but plain text is written. Context: thread, once. */
void style_init(bool has_escapes, bool has_colours);

/* The SGR sequence (ECMA-48 8.3.117), or "" without colours. Context: any. */
const char *style(enum style which);

/* What clears the screen, or just begins a new line on a dumb terminal. Context: any. */
const char *style_clear_screen(void);

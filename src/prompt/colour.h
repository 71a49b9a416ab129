/* Colours of the prompt's own output. */
#pragma once

#include <base/types.h>

enum colour { COLOUR_NONE, COLOUR_ERROR, COLOUR_HEADING, COLOUR_FAINT };

void colour_enable(bool is_enabled);

/* The SGR sequence (ECMA-48 8.3.117), or "" while colours are off. */
const char *colour(enum colour which);

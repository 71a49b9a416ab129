#include "colour.h"

static bool is_on; /* set once, before the first command runs */

static const char *const sequences[] = {
    [COLOUR_NONE] = "\x1b[0m",
    [COLOUR_ERROR] = "\x1b[31m",
    [COLOUR_HEADING] = "\x1b[1m",
    [COLOUR_FAINT] = "\x1b[2m",
};

void colour_enable(bool is_enabled)
{
    is_on = is_enabled;
}

const char *colour(enum colour which)
{
    return is_on ? sequences[which] : "";
}

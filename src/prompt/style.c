#include "style.h"

static bool can_clear, can_colour; /* [prompt] */

static const char *const sequences[] = {
    [STYLE_NONE] = "\x1b[0m",
    [STYLE_ERROR] = "\x1b[31m",
    [STYLE_HEADING] = "\x1b[1m",
    [STYLE_FAINT] = "\x1b[90m",
};

void style_init(bool has_escapes, bool has_colours)
{
    can_clear = has_escapes;
    can_colour = has_escapes && has_colours;
}

const char *style(enum style which)
{
    return can_colour ? sequences[which] : "";
}

const char *style_clear_screen(void)
{
    return can_clear ? "\x1b[H\x1b[2J" : "\n";
}

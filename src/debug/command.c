#include <debug/command.h>

#include <lib/format.h>

static char words[256]; /* [prompt] commands run one at a time */
static bool has_words;  /* [prompt] */

int command_error(int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    has_words = true;
    return error;
}

const char *command_take_error(void)
{
    const char *taken = has_words ? words : NULL;

    has_words = false;
    return taken;
}

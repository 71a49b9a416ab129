#include "dispatch.h"
#include "style.h"

#include <base/errno.h>
#include <debug/console.h>
#include <lib/error_name.h>
#include <lib/format.h>
#include <lib/parse.h>
#include <lib/string.h>

#define ERROR_TEXT_MAX 256

void dispatch_error(const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    console_printf("%serror: %s%s\n", style(STYLE_ERROR), text, style(STYLE_NONE));
}

/* The end of the command that begins here: its ';' or the terminator; NULL where a quote stays open. */
static char *command_end(char *at)
{
    char quote = 0;

    for (; *at; at++) {
        if (quote) {
            if (*at == quote)
                quote = 0;
        } else if (*at == '"' || *at == '\'') {
            quote = *at;
        } else if (*at == ';') {
            break;
        }
    }
    return quote ? NULL : at;
}

/* What the prompt itself can say: the same words for every command. */
static int call(const struct command *command, int nr_words, char **words)
{
    if (nr_words > 1 && !command->arguments[0])
        return command_error(-E2BIG, "takes no arguments");
    return command->run(nr_words, words);
}

static void explain(const struct command *command, int error)
{
    const char *why = command_take_error(), *name = command->name;

    if (!why && error == -EINVAL)
        dispatch_error("%s: %s: see help %s (%s)", name, error_text(error), name, error_name(error));
    else
        dispatch_error("%s: %s (%s)", name, why ? why : error_text(error), error_name(error));
}

/* Returns 1 when the command failed, else 0. */
static unsigned run(const struct command_set *set, char *text)
{
    static char *words[DISPATCH_WORDS_MAX + 1]; /* [prompt] too much for the stack; commands do not dispatch */
    const struct command *command;
    int nr_words = split_words(text, words, DISPATCH_WORDS_MAX);
    int error;

    if (nr_words == -E2BIG) {
        dispatch_error("more than %d words in one command", DISPATCH_WORDS_MAX);
        return 1;
    }
    if (nr_words < 0) {
        dispatch_error("cannot read the command: %s", error_text(nr_words));
        return 1;
    }
    if (nr_words == 0)
        return 0;
    command = command_find(set, words[0], strlen(words[0]));
    if (!command) {
        dispatch_error("unknown command '%s': try help", words[0]);
        return 1;
    }
    (void)command_take_error();
    error = call(command, nr_words, words);
    if (error < 0)
        explain(command, error);
    return error != 0;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

static unsigned dispatch(const struct command_set *set, char *line, bool is_echoed)
{
    unsigned failed = 0;
    bool is_last = false;

    while (!is_last) {
        char *end = command_end(line);

        if (!end) {
            dispatch_error("unclosed quote");
            return failed + 1;
        }
        is_last = *end == '\0';
        *end = '\0';
        if (is_echoed && *skip_blanks(line))
            console_printf("%s+ %s%s\n", style(STYLE_FAINT), skip_blanks(line), style(STYLE_NONE));
        failed += run(set, line);
        line = end + 1;
    }
    return failed;
}

unsigned dispatch_line(const struct command_set *set, char *line)
{
    return dispatch(set, line, false);
}

unsigned dispatch_line_echoed(const struct command_set *set, char *line)
{
    return dispatch(set, line, true);
}

#include <base/errno.h>
#include <boot/command_line.h>
#include <boot/report.h>
#include <lib/string.h>

#define END_OF_WORD  (-1)
#define OWN_PREFIX   "keel."
#define KEY_SIZE_MAX 48

/* Where in a word we are. Copying it is how a place is remembered. */
struct word_reader {
    const char *at;
    char quote; /* the quote we are inside of, or 0 */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_escapable(char c)
{
    return c == '\\' || c == '"' || c == '\'';
}

/* The next character of the word with quoting taken off, as an unsigned char, or END_OF_WORD. */
static int next_character(struct word_reader *reader)
{
    for (;;) {
        char c = *reader->at;

        if (c == '\0' || (reader->quote == 0 && is_blank(c)))
            return END_OF_WORD;
        reader->at++;
        if (c == '\\' && reader->quote != '\'' && is_escapable(*reader->at))
            return (unsigned char)*reader->at++;
        if (reader->quote == 0 && (c == '"' || c == '\''))
            reader->quote = c;
        else if (reader->quote == c)
            reader->quote = 0;
        else
            return (unsigned char)c;
    }
}

/* Moves to the next word; false at the end of the line. */
static bool find_word(struct word_reader *reader)
{
    reader->quote = 0;
    while (is_blank(*reader->at))
        reader->at++;
    return *reader->at != '\0';
}

static size_t skip_rest_of_word(struct word_reader *reader)
{
    size_t length = 0;

    while (next_character(reader) != END_OF_WORD)
        length++;
    return length;
}

/* Copies the rest of the word as far as it fits, with a terminator. Returns its whole length. */
static size_t copy_rest_of_word(struct word_reader *reader, char *to, size_t size)
{
    size_t length = 0;

    for (int c; (c = next_character(reader)) != END_OF_WORD; length++)
        if (length + 1 < size)
            to[length] = (char)c;
    if (size != 0)
        to[length < size ? length : size - 1] = '\0';
    return length;
}

/* Reads key and a `=`, or key alone; the reader stands at the value after it. */
static bool read_key(struct word_reader *reader, const char *key)
{
    int c = next_character(reader);

    while (*key != '\0' && c == (unsigned char)*key) {
        key++;
        c = next_character(reader);
    }
    return *key == '\0' && (c == '=' || c == END_OF_WORD);
}

int command_line_get(const char *line, const char *key, char *value, size_t size)
{
    struct word_reader reader = {.at = line}, found = {.at = NULL};
    size_t length = 0;

    while (find_word(&reader)) {
        struct word_reader word = reader;

        if (read_key(&word, key)) {
            found = word;
            length = skip_rest_of_word(&word);
        }
        skip_rest_of_word(&reader);
    }
    if (!found.at)
        return -ENOENT;
    if (length >= size)
        return -ENAMETOOLONG;
    copy_rest_of_word(&found, value, size);
    return (int)length;
}

int command_line_next(const char **at, char *word, size_t size)
{
    struct word_reader reader = {.at = *at};
    size_t length;

    if (!find_word(&reader))
        return -ENOENT;
    length = copy_rest_of_word(&reader, word, size);
    *at = reader.at;
    return length < size ? (int)length : -ENAMETOOLONG;
}

static INIT bool is_known(const char *key)
{
    unsigned count;
    const struct command_line_option *options = command_line_options(&count);

    for (unsigned i = 0; i < count; i++)
        if (strcmp(options[i].key, key) == 0)
            return true;
    return false;
}

INIT void command_line_check(const char *line)
{
    struct word_reader reader = {.at = line};
    char key[KEY_SIZE_MAX];

    while (find_word(&reader)) {
        struct word_reader word = reader;

        copy_rest_of_word(&word, key, sizeof(key));
        if (strchr(key, '='))
            *strchr(key, '=') = '\0';
        if (strncmp(key, OWN_PREFIX, strlen(OWN_PREFIX)) == 0 && !is_known(key))
            boot_note("command line: unknown option '%s' is ignored", key);
        skip_rest_of_word(&reader);
        if (reader.quote != 0)
            boot_note("command line: a %c quote is never closed", reader.quote);
    }
}

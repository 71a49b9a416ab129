/* Any bytes as a kernel command line, read in every way; and the same bytes as one word, quoted as GRUB quotes it,
 * which must read back as it was. */
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <boot/command_line.h>

#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as large as the text, for the address sanitizer. */
static char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static void check_word(const char *line, const char *word, size_t length)
{
    const char *equals = strchr(word, '=');
    size_t key_length = equals ? (size_t)(equals - word) : length;
    char *key = text_of((const uint8_t *)word, key_length);
    char *value = malloc(length + 1);
    int found = command_line_get(line, key, value, length + 1);

    REQUIRE(found >= 0 || found == -ENAMETOOLONG, "key of a word is not found");
    if (found >= 0)
        REQUIRE(strlen(value) == (size_t)found, "length of a value is not its length");
    free(value);
    free(key);
}

#define WORDS_CHECKED 2u /* by key too: looking up every word of a long line takes quadratic time */

/* Words of at most room - 1 characters fit; the others are said to be too long. */
static void check_words(const char *line, size_t room)
{
    const char *at = line;
    char *word = malloc(room);
    unsigned nr_words = 0;
    int length;

    while ((length = command_line_next(&at, word, room)) != -ENOENT) {
        REQUIRE(at > line && at <= line + strlen(line), "stepped out of the line");
        REQUIRE(length == -ENAMETOOLONG || (length >= 0 && strlen(word) == (size_t)length), "length is not the word's");
        if (length > 0 && nr_words++ < WORDS_CHECKED)
            check_word(line, word, (size_t)length);
    }
    free(word);
}

/* Every word of the line read with room for all of it has the length and characters that reading by key sees. */
static void check_grub_quoting(const char *word)
{
    size_t length = strlen(word), used = 0;
    char *line = malloc(2 * length + 3), *read = malloc(length + 1);
    const char *at = line;
    bool has_blank = strpbrk(word, " \t\r\n") != NULL || length == 0;

    if (has_blank)
        line[used++] = '"';
    for (const char *from = word; *from; from++) {
        if (strchr("\\\"'", *from))
            line[used++] = '\\';
        line[used++] = *from;
    }
    if (has_blank)
        line[used++] = '"';
    line[used] = '\0';
    REQUIRE(command_line_next(&at, read, length + 1) == (int)length && strcmp(read, word) == 0,
            "what GRUB quotes is not the word it was");
    REQUIRE(*at == '\0', "what GRUB quotes is not the word: more follows");
    free(read);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line, value[16];

    if (size == 0)
        return 0;
    notes_to_nowhere(0);
    line = text_of(data + 1, strnlen((const char *)data + 1, size - 1));
    command_line_check(line);
    if (command_line_get(line, "keel.run", value, sizeof(value)) >= 0)
        REQUIRE(strlen(value) < sizeof(value), "value is not the word");
    check_words(line, 1 + data[0]);
    check_grub_quoting(line);
    free(line);
    return 0;
}

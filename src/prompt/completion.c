#include "completion.h"

#include <lib/string.h>

/* A word the scan has found; words of an earlier command on the line are forgotten. */
struct scan {
    const char *first_word; /* of the current command */
    size_t first_length;
    const char *word; /* the word being read, NULL between words */
    char quote;       /* the open quote, or 0 */
    bool has_quote;   /* in the word being read */
};

static void end_word(struct scan *scan, const char *at)
{
    if (scan->word && !scan->first_word) {
        scan->first_word = scan->word;
        scan->first_length = (size_t)(at - scan->word);
    }
    scan->word = NULL;
    scan->has_quote = false;
}

static void scan_character(struct scan *scan, const char *at)
{
    if (scan->quote) {
        if (*at == scan->quote)
            scan->quote = 0;
        return;
    }
    if (*at == ' ' || *at == '\t' || *at == ';') {
        end_word(scan, at);
        if (*at == ';')
            *scan = (struct scan){0};
        return;
    }
    if (!scan->word)
        scan->word = at;
    if (*at == '"' || *at == '\'') {
        scan->quote = *at;
        scan->has_quote = true;
    }
}

struct completion completion_of(const struct command_set *set, const char *line, size_t cursor)
{
    struct completion completion = {.set = set, .word = line + cursor};
    struct scan scan = {0};

    for (size_t i = 0; i < cursor; i++)
        scan_character(&scan, line + i);
    if (scan.word) {
        completion.word = scan.word;
        completion.length = (size_t)(line + cursor - scan.word);
    }
    if (scan.first_word)
        completion.command = command_find(set, scan.first_word, scan.first_length);
    if (!scan.has_quote)
        completion.is_possible = !scan.first_word || (completion.command && completion.command->complete);
    return completion;
}

static const char *next_candidate(const struct completion *completion, struct completion_position *position)
{
    if (completion->command)
        return completion->command->complete(position->n++);
    position->command = command_next(completion->set, position->command);
    if (!position->command) {
        position->n = 1; /* command_next(NULL) would begin again */
        return NULL;
    }
    return position->command->name;
}

const char *completion_next(const struct completion *completion, struct completion_position *position)
{
    const char *candidate;

    if (!completion->is_possible || (!completion->command && position->n > 0))
        return NULL;
    do {
        candidate = next_candidate(completion, position);
    } while (candidate && strncmp(candidate, completion->word, completion->length) != 0);
    return candidate;
}

static size_t common_prefix(const char *a, const char *b, size_t limit)
{
    size_t length = 0;

    while (length < limit && a[length] == b[length])
        length++;
    return length;
}

size_t completion_match(const struct completion *completion, const char **common, size_t *common_length)
{
    struct completion_position position = {0};
    const char *candidate;
    size_t matches = 0;

    while ((candidate = completion_next(completion, &position)) != NULL) {
        if (matches++ == 0) {
            *common = candidate;
            *common_length = strlen(candidate);
        } else {
            *common_length = common_prefix(*common, candidate, *common_length);
        }
    }
    return matches;
}

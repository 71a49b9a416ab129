/* What the word before the cursor could become: a command's name at the beginning of a command, else what the command
 * says its arguments can be. Context: any. */
#pragma once

#include "command_set.h"

struct completion {
    const struct command_set *set;
    const struct command *command; /* whose argument it is; NULL: the name of a command */
    bool is_possible;              /* false inside quotes, and for commands that complete nothing */
    const char *word;              /* the word's beginning in the line */
    size_t length;                 /* of the word, up to the cursor */
};

/* Finds the word that ends at the cursor. Several commands on the line are separated by ';'. */
struct completion completion_of(const struct command_set *set, const char *line, size_t cursor);

/* The next word that begins like the completion's, or NULL. *position is 0 for the first. */
struct completion_position {
    const struct command *command;
    unsigned n;
};
const char *completion_next(const struct completion *completion, struct completion_position *position);

/* Counts the matches, up to SIZE_MAX, and finds what they all begin with: *common is set to a match, *common_length to
 * how much of it. Both untouched when there is no match. */
size_t completion_match(const struct completion *completion, const char **common, size_t *common_length);

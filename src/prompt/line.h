/* A line of text with a cursor. The text is valid UTF-8, and the cursor and every offset lie between characters.
 * Editing never fails halfway: what does not fit changes nothing. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct line {
    char *text;      /* terminated */
    size_t capacity; /* bytes of text, the terminator included */
    size_t length;   /* bytes, the terminator not included */
    size_t cursor;   /* a byte offset, 0 to length */
};

/* storage is the caller's and outlives the line; capacity is at least 1. */
void line_init(struct line *line, char *storage, size_t capacity);

/* Inserts at the cursor, which moves behind it. Returns false, with nothing changed, when it does not fit. */
MUST_CHECK bool line_insert(struct line *line, const char *text, size_t length);

/* Takes the text from `from` up to `to` away; the cursor stays on its character, or goes to from. */
void line_erase(struct line *line, size_t from, size_t to);

/* Replaces the whole text; the cursor goes to its end. Returns false, with nothing changed, when it does not fit. */
MUST_CHECK bool line_set(struct line *line, const char *text, size_t length);

/* The offset of the neighbouring character, or the same offset at the end of the line. */
size_t line_before(const struct line *line, size_t offset);
size_t line_after(const struct line *line, size_t offset);

/* The beginning of the word before, and the end of the word after an offset. A word is a run of letters, digits and
 * characters beyond ASCII; a blank word is a run of anything but blanks. */
size_t line_word_before(const struct line *line, size_t offset);
size_t line_word_after(const struct line *line, size_t offset);
size_t line_blank_word_before(const struct line *line, size_t offset);

/* Exchanges the character before the cursor with the one under it (the last two at the end of the line) and moves
 * behind both. Returns false where there are no two such characters. */
bool line_transpose(struct line *line);

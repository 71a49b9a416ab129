/* The lines typed so far, the oldest forgotten first when their storage is full. Context: any. */
#pragma once

#include <base/types.h>

/* Lines one after the other, each terminated, the newest last. A line is named by its address, valid until the next
 * history_add. */
struct history {
    char *storage; /* the caller's */
    size_t capacity;
    size_t used;
};

void history_init(struct history *history, char *storage, size_t capacity);

/* Remembers a line, unless it is empty, equals the newest, or would not fit even alone. */
void history_add(struct history *history, const char *text);

/* The line typed before this one, or the newest for NULL; NULL when there is none. */
const char *history_older(const struct history *history, const char *line);

/* The line typed after this one; NULL when it was the newest. */
const char *history_newer(const struct history *history, const char *line);

/* The newest line typed before this one (of all for NULL) that contains wanted; NULL when there is none. */
const char *history_search(const struct history *history, const char *wanted, const char *line);

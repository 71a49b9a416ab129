#include "history.h"

#include <lib/string.h>

void history_init(struct history *history, char *storage, size_t capacity)
{
    *history = (struct history){.storage = storage, .capacity = capacity};
}

void history_add(struct history *history, const char *text)
{
    size_t size = strlen(text) + 1;
    size_t forgotten = 0;
    const char *newest = history_older(history, NULL);

    if (size == 1 || size > history->capacity || (newest && strcmp(newest, text) == 0))
        return;
    while (history->used - forgotten > history->capacity - size)
        forgotten += strlen(history->storage + forgotten) + 1;
    history->used -= forgotten;
    memmove(history->storage, history->storage + forgotten, history->used);
    memcpy(history->storage + history->used, text, size);
    history->used += size;
}

const char *history_older(const struct history *history, const char *line)
{
    size_t at = line ? (size_t)(line - history->storage) : history->used;

    if (at == 0)
        return NULL;
    at--; /* onto the terminator of the line before */
    while (at > 0 && history->storage[at - 1] != '\0')
        at--;
    return history->storage + at;
}

const char *history_newer(const struct history *history, const char *line)
{
    const char *newer = line + strlen(line) + 1;

    return newer < history->storage + history->used ? newer : NULL;
}

const char *history_search(const struct history *history, const char *wanted, const char *line)
{
    do {
        line = history_older(history, line);
    } while (line && !strstr(line, wanted));
    return line;
}

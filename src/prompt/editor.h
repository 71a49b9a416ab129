/* The line editor: terminal bytes in, a line and terminal output out. Pure: it neither reads nor waits, allocates
 * nothing, and runs in host tests as in the kernel. docs/prompt.md lists the keys.
 *
 *     editor_begin(editor);
 *     do {
 *         event = editor_input(editor, next byte);
 *         if (no more bytes are there right now)
 *             editor_refresh(editor);
 *     } while (event == EDITOR_CONTINUE);
 *
 * Refreshing only when input pauses keeps a long paste from being drawn once a character. Context: thread. */
#pragma once

#include "action.h"
#include "command_set.h"
#include "display.h"
#include "history.h"
#include "line.h"

#define EDITOR_LINE_MAX    8192u  /* bytes of a line, the terminator included */
#define EDITOR_HISTORY_MAX 16384u /* bytes of all remembered lines */
#define EDITOR_SEARCH_MAX  128u

enum editor_event {
    EDITOR_CONTINUE,
    EDITOR_LINE,     /* Enter: editor->line holds the line; the cursor is on a new row */
    EDITOR_CANCELED, /* Ctrl-C: the line is to be dropped; the cursor is on a new row */
    EDITOR_TOO_LONG, /* Enter on a line that lost characters because it was full: it must not be run */
};

struct editor_config {
    display_write write;
    unsigned columns;
    bool has_escapes; /* false on a dumb terminal: no colours, no clearing of the screen */
    bool has_colours;
    const char *prompt;
    const struct command_set *commands; /* for completion */
};

/* Fields are the editor's own, line excepted, which may be read after EDITOR_LINE until editor_begin. */
struct editor {
    struct editor_config config;
    struct decoder decoder;
    struct display display;
    struct history history;
    struct line line;
    enum action previous; /* the action before this one: repeated kills gather, a second Tab lists */
    bool is_overlong;     /* a character did not fit */
    const char *recalled; /* the history line shown, NULL for a new one */
    bool is_searching;
    const char *found;  /* the search's match, NULL for none yet */
    struct line wanted; /* the search's text */
    struct line kill;   /* what was killed last */
    struct line fresh;  /* the new line, while a history line is shown */
    char line_storage[EDITOR_LINE_MAX], kill_storage[EDITOR_LINE_MAX], fresh_storage[EDITOR_LINE_MAX];
    char wanted_storage[EDITOR_SEARCH_MAX], search_label[EDITOR_SEARCH_MAX + 16];
    char history_storage[EDITOR_HISTORY_MAX];
};

void editor_init(struct editor *editor, const struct editor_config *config);

/* Begins an empty line on an empty row; shows the prompt. */
void editor_begin(struct editor *editor);

/* Takes a byte. The row is only brought up to date by editor_refresh, or by an event other than EDITOR_CONTINUE. */
enum editor_event editor_input(struct editor *editor, unsigned char byte);

void editor_refresh(struct editor *editor);

/* Draws prompt and line again, after something else has been written below them and has ended its row. */
void editor_redraw(struct editor *editor);

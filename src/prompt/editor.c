/* Each action changes the line (or the history position, or the search) and leaves the drawing to editor_refresh.
 *
 * Searching is a mode: text goes to the wanted string, and any action that is not of the search's own takes the match
 * over as the line and is then done as usual. */
#include "editor.h"
#include "editor_completion.h"

#include <lib/format.h>
#include <lib/string.h>

#define COLOUR_PROMPT "\x1b[1;32m"
#define COLOUR_OFF    "\x1b[0m"
#define CLEAR_SCREEN  "\x1b[H\x1b[2J"

void editor_init(struct editor *editor, const struct editor_config *config)
{
    bool has_colours = config->has_colours && config->has_escapes;

    memset(editor, 0, sizeof(*editor)); /* too large to assign: a compiler may build the value on the stack */
    editor->config = *config;
    display_init(&editor->display, config->write, config->columns, has_colours ? COLOUR_PROMPT : "",
                 has_colours ? COLOUR_OFF : "");
    history_init(&editor->history, editor->history_storage, sizeof(editor->history_storage));
    line_init(&editor->line, editor->line_storage, sizeof(editor->line_storage));
    line_init(&editor->kill, editor->kill_storage, sizeof(editor->kill_storage));
    line_init(&editor->fresh, editor->fresh_storage, sizeof(editor->fresh_storage));
    line_init(&editor->wanted, editor->wanted_storage, sizeof(editor->wanted_storage));
}

void editor_refresh(struct editor *editor)
{
    if (editor->is_searching) {
        const char *found = editor->found ? editor->found : "";
        const char *match = editor->wanted.length > 0 ? strstr(found, editor->wanted.text) : NULL;

        snprintf(editor->search_label, sizeof(editor->search_label), "(search)`%s': ", editor->wanted.text);
        display_update(&editor->display, editor->search_label, found, strlen(found),
                       match ? (size_t)(match - found) : 0);
    } else {
        display_update(&editor->display, editor->config.prompt, editor->line.text, editor->line.length,
                       editor->line.cursor);
    }
}

void editor_redraw(struct editor *editor)
{
    display_begin(&editor->display);
    editor_refresh(editor);
}

static void set_line(struct editor *editor, const char *text)
{
    if (!line_set(&editor->line, text, strlen(text)))
        display_bell(&editor->display); /* not reached: remembered lines were lines */
    editor->is_overlong = false;
}

void editor_begin(struct editor *editor)
{
    set_line(editor, "");
    editor->previous = ACTION_NONE;
    editor->is_searching = false;
    editor->recalled = editor->found = NULL;
    editor_redraw(editor);
}

static void insert(struct editor *editor, const char *text, size_t length)
{
    if (line_insert(&editor->line, text, length))
        return;
    if (!editor->is_overlong)
        display_bell(&editor->display);
    editor->is_overlong = true;
}

static bool is_kill(enum action action)
{
    return action == ACTION_KILL_TO_END || action == ACTION_KILL_TO_START || action == ACTION_KILL_WORD_LEFT ||
           action == ACTION_KILL_WORD_RIGHT || action == ACTION_KILL_BLANK_LEFT;
}

/* Moves a part of the line to the kill text: kills one after the other add up, in the order the text had. */
static void kill(struct editor *editor, size_t from, size_t to)
{
    struct line *gathered = &editor->kill;

    if (from == to)
        return;
    if (!is_kill(editor->previous))
        line_erase(gathered, 0, gathered->length);
    gathered->cursor = from < editor->line.cursor ? 0 : gathered->length;
    if (!line_insert(gathered, editor->line.text + from, to - from))
        display_bell(&editor->display); /* not reached: what adds up was in one line */
    line_erase(&editor->line, from, to);
}

/* Before a history line takes the place of a line that is being typed. */
static void keep_fresh_line(struct editor *editor)
{
    if (!editor->recalled && !line_set(&editor->fresh, editor->line.text, editor->line.length))
        display_bell(&editor->display); /* not reached: both are of one size */
}

static void recall_older(struct editor *editor)
{
    const char *older = history_older(&editor->history, editor->recalled);

    if (!older) {
        display_bell(&editor->display);
        return;
    }
    keep_fresh_line(editor);
    editor->recalled = older;
    set_line(editor, older);
}

static void recall_newer(struct editor *editor)
{
    if (!editor->recalled) {
        display_bell(&editor->display);
        return;
    }
    editor->recalled = history_newer(&editor->history, editor->recalled);
    set_line(editor, editor->recalled ? editor->recalled : editor->fresh.text);
}

static void clear_screen(struct editor *editor)
{
    if (editor->config.has_escapes)
        editor->config.write(CLEAR_SCREEN, strlen(CLEAR_SCREEN));
    else
        editor->config.write("\n", 1);
    editor_redraw(editor);
}

static void move(struct editor *editor, enum action action)
{
    struct line *line = &editor->line;

    switch (action) {
    case ACTION_LEFT:
        line->cursor = line_before(line, line->cursor);
        break;
    case ACTION_RIGHT:
        line->cursor = line_after(line, line->cursor);
        break;
    case ACTION_HOME:
        line->cursor = 0;
        break;
    case ACTION_END:
        line->cursor = line->length;
        break;
    case ACTION_WORD_LEFT:
        line->cursor = line_word_before(line, line->cursor);
        break;
    case ACTION_WORD_RIGHT:
        line->cursor = line_word_after(line, line->cursor);
        break;
    default:
        break;
    }
}

static void change(struct editor *editor, enum action action)
{
    struct line *line = &editor->line;

    switch (action) {
    case ACTION_ERASE_LEFT:
        line_erase(line, line_before(line, line->cursor), line->cursor);
        break;
    case ACTION_ERASE_RIGHT:
        line_erase(line, line->cursor, line_after(line, line->cursor));
        break;
    case ACTION_KILL_TO_END:
        kill(editor, line->cursor, line->length);
        break;
    case ACTION_KILL_TO_START:
        kill(editor, 0, line->cursor);
        break;
    case ACTION_KILL_WORD_LEFT:
        kill(editor, line_word_before(line, line->cursor), line->cursor);
        break;
    case ACTION_KILL_WORD_RIGHT:
        kill(editor, line->cursor, line_word_after(line, line->cursor));
        break;
    case ACTION_KILL_BLANK_LEFT:
        kill(editor, line_blank_word_before(line, line->cursor), line->cursor);
        break;
    case ACTION_YANK:
        insert(editor, editor->kill.text, editor->kill.length);
        break;
    case ACTION_TRANSPOSE:
        if (!line_transpose(line))
            display_bell(&editor->display);
        break;
    default:
        break;
    }
}

static enum editor_event finish(struct editor *editor, enum editor_event event)
{
    editor->line.cursor = editor->line.length;
    editor_refresh(editor);
    if (event == EDITOR_CANCELED)
        editor->config.write("^C", 2);
    display_end(&editor->display);
    if (event == EDITOR_LINE && editor->is_overlong)
        event = EDITOR_TOO_LONG;
    if (event == EDITOR_LINE)
        history_add(&editor->history, editor->line.text);
    return event;
}

static enum editor_event edit(struct editor *editor, enum action action)
{
    switch (action) {
    case ACTION_INSERT:
        insert(editor, editor->decoder.text, editor->decoder.text_length);
        break;
    case ACTION_ENTER:
        return finish(editor, EDITOR_LINE);
    case ACTION_CANCEL:
        return finish(editor, EDITOR_CANCELED);
    case ACTION_COMPLETE:
        editor_complete(editor);
        break;
    case ACTION_CLEAR_SCREEN:
        clear_screen(editor);
        break;
    case ACTION_OLDER:
        recall_older(editor);
        break;
    case ACTION_NEWER:
        recall_newer(editor);
        break;
    case ACTION_SEARCH:
        editor->is_searching = true;
        editor->found = NULL;
        line_erase(&editor->wanted, 0, editor->wanted.length);
        break;
    default:
        move(editor, action);
        change(editor, action);
        break;
    }
    return EDITOR_CONTINUE;
}

static void search_from(struct editor *editor, const char *line)
{
    const char *found = history_search(&editor->history, editor->wanted.text, line);

    if (found)
        editor->found = found;
    else
        display_bell(&editor->display);
}

static void accept_search(struct editor *editor)
{
    editor->is_searching = false;
    if (!editor->found)
        return;
    keep_fresh_line(editor);
    editor->recalled = editor->found;
    set_line(editor, editor->found);
}

/* True when the action was the search's own. */
static bool search(struct editor *editor, enum action action)
{
    switch (action) {
    case ACTION_NONE:
        return true;
    case ACTION_INSERT:
        if (!line_insert(&editor->wanted, editor->decoder.text, editor->decoder.text_length))
            display_bell(&editor->display);
        else if (!editor->found || !strstr(editor->found, editor->wanted.text))
            search_from(editor, editor->found);
        return true;
    case ACTION_ERASE_LEFT:
        line_erase(&editor->wanted, line_before(&editor->wanted, editor->wanted.length), editor->wanted.length);
        return true;
    case ACTION_SEARCH:
        search_from(editor, editor->found);
        return true;
    case ACTION_ABORT:
        editor->is_searching = false;
        return true;
    case ACTION_CANCEL:
        editor->is_searching = false;
        return false;
    default:
        accept_search(editor);
        return false;
    }
}

enum editor_event editor_input(struct editor *editor, unsigned char byte)
{
    enum action action = decoder_input(&editor->decoder, byte);
    enum editor_event event = EDITOR_CONTINUE;

    if (action == ACTION_NONE || (editor->is_searching && search(editor, action)))
        return EDITOR_CONTINUE;
    event = edit(editor, action);
    editor->previous = action;
    if (editor->line.length == 0)
        editor->is_overlong = false;
    return event;
}

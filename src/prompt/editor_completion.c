#include "editor_completion.h"
#include "completion.h"

#include <lib/string.h>

#define COLUMN_GAP 2u

static size_t longest_match(const struct completion *completion)
{
    struct completion_position position = {0};
    const char *word;
    size_t longest = 0;

    while ((word = completion_next(completion, &position)) != NULL) {
        if (strlen(word) > longest)
            longest = strlen(word);
    }
    return longest;
}

static void write_padded(struct editor *editor, const char *word, size_t width)
{
    size_t length = strlen(word);

    editor->config.write(word, length);
    for (; length < width; length++)
        editor->config.write(" ", 1);
}

static void list(struct editor *editor, const struct completion *completion)
{
    struct completion_position position = {0};
    size_t width = longest_match(completion) + COLUMN_GAP;
    size_t per_row = editor->display.columns / width;
    size_t column = 0;
    const char *word;

    editor_refresh(editor);
    display_end(&editor->display);
    while ((word = completion_next(completion, &position)) != NULL) {
        if (column > 0 && column >= per_row) {
            editor->config.write("\n", 1);
            column = 0;
        }
        write_padded(editor, word, width);
        column++;
    }
    editor->config.write("\n", 1);
    editor_redraw(editor);
}

static bool insert(struct editor *editor, const char *text, size_t length)
{
    if (line_insert(&editor->line, text, length))
        return true;
    display_bell(&editor->display);
    return false;
}

void editor_complete(struct editor *editor)
{
    struct line *line = &editor->line;
    struct completion completion = completion_of(editor->config.commands, line->text, line->cursor);
    const char *common = NULL;
    size_t common_length = 0;
    size_t matches = completion_match(&completion, &common, &common_length);

    if (matches == 0) {
        display_bell(&editor->display);
    } else if (matches == 1) {
        if (insert(editor, common + completion.length, common_length - completion.length) &&
            line->text[line->cursor] != ' ')
            insert(editor, " ", 1);
    } else if (common_length > completion.length) {
        insert(editor, common + completion.length, common_length - completion.length);
    } else if (editor->previous == ACTION_COMPLETE) {
        list(editor, &completion);
    } else {
        display_bell(&editor->display);
    }
}

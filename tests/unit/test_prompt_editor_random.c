/* Random keys against a model that is an array of characters: after each key the editor's line, its cursor and the row
 * on the terminal must be what the model says. Random bytes, sequences cut short included, only have to leave the
 * editor and the terminal consistent. */
#include "support/terminal.h"
#include "support/unit.h"

#include "../../src/prompt/editor.h"

#include <lib/utf8.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_MAX    600 /* characters; lines are kept well below the editor's limit */
#define MODEL_LINES  8
#define PROMPT_WIDTH 6u

struct text {
    uint32_t characters[MODEL_MAX];
    size_t length;
};

static struct {
    struct text line, killed, fresh;
    size_t cursor;
    bool is_killing;
    struct text history[MODEL_LINES]; /* the newest first */
    unsigned nr_history;
    unsigned recalled; /* 0: the fresh line, n: history[n - 1] */
} model;

static struct terminal terminal;
static struct editor editor;
static const struct command_set no_commands;

static void write_to_terminal(const char *bytes, size_t length)
{
    terminal_write(&terminal, bytes, length);
}

static void text_insert(struct text *text, size_t at, const uint32_t *characters, size_t count)
{
    memmove(text->characters + at + count, text->characters + at, (text->length - at) * sizeof(uint32_t));
    memcpy(text->characters + at, characters, count * sizeof(uint32_t));
    text->length += count;
}

static void text_remove(struct text *text, size_t from, size_t to)
{
    memmove(text->characters + from, text->characters + to, (text->length - to) * sizeof(uint32_t));
    text->length -= to - from;
}

static bool is_word(uint32_t character)
{
    return character >= 0x80 || (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z');
}

static size_t word_left(void)
{
    size_t at = model.cursor;

    while (at > 0 && !is_word(model.line.characters[at - 1]))
        at--;
    while (at > 0 && is_word(model.line.characters[at - 1]))
        at--;
    return at;
}

static size_t word_right(void)
{
    size_t at = model.cursor;

    while (at < model.line.length && !is_word(model.line.characters[at]))
        at++;
    while (at < model.line.length && is_word(model.line.characters[at]))
        at++;
    return at;
}

static size_t blank_left(void)
{
    size_t at = model.cursor;

    while (at > 0 && model.line.characters[at - 1] == ' ')
        at--;
    while (at > 0 && model.line.characters[at - 1] != ' ')
        at--;
    return at;
}

static void model_kill(size_t from, size_t to)
{
    if (from == to)
        return;
    if (!model.is_killing)
        model.killed.length = 0;
    text_insert(&model.killed, from < model.cursor ? 0 : model.killed.length, model.line.characters + from, to - from);
    text_remove(&model.line, from, to);
    model.cursor = from;
}

static void model_transpose(void)
{
    size_t second = model.cursor == model.line.length ? model.cursor - 1 : model.cursor;
    uint32_t moved;

    if (model.cursor == 0 || model.line.length < 2)
        return;
    moved = model.line.characters[second];
    model.line.characters[second] = model.line.characters[second - 1];
    model.line.characters[second - 1] = moved;
    model.cursor = second + 1;
}

static void model_recall(unsigned n)
{
    if (n > model.nr_history)
        return;
    if (model.recalled == 0)
        model.fresh = model.line;
    model.recalled = n;
    model.line = n == 0 ? model.fresh : model.history[n - 1];
    model.cursor = model.line.length;
}

static void model_enter(void)
{
    bool is_repeated = model.nr_history > 0 && model.history[0].length == model.line.length &&
                       memcmp(model.history[0].characters, model.line.characters, model.line.length * 4) == 0;

    if (model.line.length > 0 && !is_repeated) {
        if (model.nr_history < MODEL_LINES)
            model.nr_history++;
        memmove(model.history + 1, model.history, sizeof(model.history[0]) * (model.nr_history - 1));
        model.history[0] = model.line;
    }
    model.line.length = model.cursor = model.recalled = 0;
}

static void type(const char *bytes)
{
    for (; *bytes; bytes++) {
        enum editor_event event = editor_input(&editor, (unsigned char)*bytes);

        if (event != EDITOR_CONTINUE)
            editor_begin(&editor);
        else if (rand() % 3 == 0)
            editor_refresh(&editor);
    }
}

static void insert_character(void)
{
    static const uint32_t characters[] = {'a', 'b', 'z', '0', ' ', ' ', '.', '"', 0xfc, 0x3b1, 0x20ac, 0x1f600};
    uint32_t character = characters[(unsigned)rand() % (sizeof(characters) / sizeof(characters[0]))];
    char bytes[5] = {0};

    utf8_encode(character, bytes);
    text_insert(&model.line, model.cursor++, &character, 1);
    type(bytes);
}

enum random_key {
    KEY_LEFT = 4,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_KILL_END,
    KEY_KILL_START,
    KEY_KILL_BLANK,
    KEY_KILL_LEFT,
    KEY_KILL_RIGHT,
    KEY_YANK,
    KEY_TRANSPOSE,
    KEY_UP,
    KEY_DOWN,
    KEY_ENTER,
    RANDOM_KEYS,
};

static const char *const key_bytes[RANDOM_KEYS] = {
    [KEY_LEFT] = "\x1b[D",
    [KEY_RIGHT] = "\x06",
    [KEY_HOME] = "\x01",
    [KEY_END] = "\x1b[F",
    [KEY_BACKSPACE] = "\x7f",
    [KEY_DELETE] = "\x1b[3~",
    [KEY_WORD_LEFT] = "\x1b"
                      "b",
    [KEY_WORD_RIGHT] = "\x1b"
                       "f",
    [KEY_KILL_END] = "\x0b",
    [KEY_KILL_START] = "\x15",
    [KEY_KILL_BLANK] = "\x17",
    [KEY_KILL_LEFT] = "\x1b\x7f",
    [KEY_KILL_RIGHT] = "\x1b"
                       "d",
    [KEY_YANK] = "\x19",
    [KEY_TRANSPOSE] = "\x14",
    [KEY_UP] = "\x1b[A",
    [KEY_DOWN] = "\x0e",
    [KEY_ENTER] = "\r",
};

static void model_key(unsigned key)
{
    size_t cursor = model.cursor;

    switch (key) {
    case KEY_LEFT:
        model.cursor -= cursor > 0;
        break;
    case KEY_RIGHT:
        model.cursor += cursor < model.line.length;
        break;
    case KEY_HOME:
        model.cursor = 0;
        break;
    case KEY_END:
        model.cursor = model.line.length;
        break;
    case KEY_BACKSPACE:
        model.cursor -= cursor > 0;
        text_remove(&model.line, model.cursor, cursor);
        break;
    case KEY_DELETE:
        text_remove(&model.line, cursor, cursor + (cursor < model.line.length));
        break;
    case KEY_WORD_LEFT:
        model.cursor = word_left();
        break;
    case KEY_WORD_RIGHT:
        model.cursor = word_right();
        break;
    case KEY_KILL_END:
        model_kill(cursor, model.line.length);
        break;
    case KEY_KILL_START:
        model_kill(0, cursor);
        break;
    case KEY_KILL_BLANK:
        model_kill(blank_left(), cursor);
        break;
    case KEY_KILL_LEFT:
        model_kill(word_left(), cursor);
        break;
    case KEY_KILL_RIGHT:
        model_kill(cursor, word_right());
        break;
    case KEY_YANK:
        text_insert(&model.line, cursor, model.killed.characters, model.killed.length);
        model.cursor += model.killed.length;
        break;
    case KEY_TRANSPOSE:
        model_transpose();
        break;
    case KEY_UP:
        model_recall(model.recalled + 1);
        break;
    case KEY_DOWN:
        if (model.recalled > 0)
            model_recall(model.recalled - 1);
        break;
    case KEY_ENTER:
        model_enter();
        break;
    }
    model.is_killing = key >= KEY_KILL_END && key <= KEY_KILL_RIGHT;
}

static uint32_t shown_as(uint32_t character)
{
    return character == 0x1f600 ? '?' : character;
}

static void expect_line(void)
{
    char text[MODEL_MAX * 4 + 1];
    size_t length = 0, cursor = 0;

    for (size_t i = 0; i < model.line.length; i++) {
        if (i == model.cursor)
            cursor = length;
        length += utf8_encode(model.line.characters[i], text + length);
    }
    if (model.cursor == model.line.length)
        cursor = length;
    text[length] = '\0';
    assert_string_equal(editor.line.text, text);
    assert_int_equal(editor.line.length, length);
    assert_int_equal(editor.line.cursor, cursor);
}

/* The row shows the text from some character on, marked where it goes on, and the cursor stands where it should. */
static void expect_row(void)
{
    const uint32_t *row = terminal.cells[terminal.row];
    size_t first = model.cursor + PROMPT_WIDTH - terminal.column;
    size_t room = terminal.columns - PROMPT_WIDTH - 1;

    assert_memory_equal(row, ((uint32_t[]){'k', 'e', 'e', 'l', '>', ' '}), PROMPT_WIDTH * sizeof(uint32_t));
    assert_true(terminal.column >= PROMPT_WIDTH && terminal.column < terminal.columns - 1);
    assert_true(first <= model.line.length);
    for (size_t i = 0; i < room; i++) {
        uint32_t cell = row[PROMPT_WIDTH + i];
        size_t index = first + i;
        uint32_t expected = index < model.line.length ? shown_as(model.line.characters[index]) : ' ';

        if (i == 0 && first > 0)
            expected = '<';
        if (i == room - 1)
            expected = index < model.line.length ? '>' : ' ';
        assert_int_equal(cell, expected);
    }
    assert_int_equal(row[terminal.columns - 1], ' ');
}

static void begin(unsigned columns)
{
    struct editor_config config = {.write = write_to_terminal,
                                   .columns = columns,
                                   .has_escapes = true,
                                   .prompt = "keel> ",
                                   .commands = &no_commands};

    memset(&model, 0, sizeof(model));
    terminal_init(&terminal, columns);
    editor_init(&editor, &config);
    editor_begin(&editor);
}

static void one_random_key(void)
{
    unsigned key = (unsigned)rand() % (RANDOM_KEYS + 12);

    if (key == KEY_ENTER && rand() % 4 != 0)
        return;
    if (key == KEY_YANK && model.line.length + model.killed.length > MODEL_MAX / 2)
        return;
    if (key < KEY_LEFT || key >= RANDOM_KEYS) {
        if (model.line.length < MODEL_MAX / 2) {
            insert_character();
            model.is_killing = false;
        }
        return;
    }
    model_key(key);
    type(key_bytes[key]);
}

static void the_editor_and_the_screen_follow_the_model(void **state)
{
    static const unsigned widths[] = {20, 21, 33, 40, 80, 256};

    srand(7);
    for (unsigned round = 0; round < 300; round++) {
        begin(widths[round % 6]);
        for (unsigned i = 0; i < 2000; i++) {
            /* The model's history is short: start anew before the editor's would differ from it. */
            if (model.nr_history == MODEL_LINES)
                begin(widths[round % 6]);
            one_random_key();
            editor_refresh(&editor);
            expect_line();
            expect_row();
        }
    }
}

static void random_bytes_leave_the_editor_consistent(void **state)
{
    srand(11);
    begin(40);
    for (unsigned i = 0; i < 400000; i++) {
        int kind = rand() % 8;
        unsigned char byte = (unsigned char)(kind == 0 ? 0x1b : kind < 3 ? "[O;0159~ABCDHF"[rand() % 14] : rand());

        if (editor_input(&editor, byte) != EDITOR_CONTINUE)
            editor_begin(&editor);
        if (rand() % 16 == 0)
            editor_refresh(&editor);
        assert_true(editor.line.cursor <= editor.line.length && editor.line.length < EDITOR_LINE_MAX);
        assert_int_equal(strlen(editor.line.text), editor.line.length);
    }
    type("\x18\x03"); /* out of any sequence or search */
    type("alive");
    editor_refresh(&editor);
    assert_string_equal(terminal_row(&terminal, terminal.row), "keel> alive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_editor_and_the_screen_follow_the_model),
        cmocka_unit_test(random_bytes_leave_the_editor_consistent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

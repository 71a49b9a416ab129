/* Keys in, and what the user then sees on a terminal. */
#include "support/terminal.h"
#include "support/unit.h"

#include "../../src/prompt/editor.h"

#include <stdio.h>
#include <string.h>

static struct terminal terminal;
static struct editor editor;

static void write_to_terminal(const char *bytes, size_t length)
{
    terminal_write(&terminal, bytes, length);
}

static const char *complete_log(unsigned n)
{
    static const char *const words[] = {"error", "warn", "info", "debug", "-n"};

    return n < 5 ? words[n] : NULL;
}

static const char *complete_test(unsigned n)
{
    static const char *const words[] = {"list", "slab/alloc", "slab/free"};

    return n < 3 ? words[n] : NULL;
}

/* In no order, as a linker leaves them. */
static const struct command commands[] = {
    {.name = "test", .complete = complete_test},
    {.name = "help"},
    {.name = "log", .complete = complete_log},
    {.name = "reboot"},
    {.name = "echo"},
    {.name = "exit"},
};
static const struct command_set set = {commands, commands + 6};

static void begin(unsigned columns, bool has_escapes)
{
    struct editor_config config = {.write = write_to_terminal,
                                   .columns = columns,
                                   .has_escapes = has_escapes,
                                   .has_colours = has_escapes,
                                   .prompt = "keel> ",
                                   .commands = &set};

    terminal_init(&terminal, columns);
    editor_init(&editor, &config);
    editor_begin(&editor);
}

/* Types bytes, refreshing after each one, as a slow typist would see it. A line that ends is followed by a new one. */
static enum editor_event type_bytes(const char *bytes, size_t length)
{
    enum editor_event last = EDITOR_CONTINUE;

    for (size_t i = 0; i < length; i++) {
        enum editor_event event = editor_input(&editor, (unsigned char)bytes[i]);

        if (event == EDITOR_CONTINUE) {
            editor_refresh(&editor);
        } else {
            last = event;
            editor_begin(&editor);
        }
    }
    return last;
}

static enum editor_event type(const char *bytes)
{
    return type_bytes(bytes, strlen(bytes));
}

static void expect_row(unsigned row, const char *text)
{
    assert_string_equal(terminal_row(&terminal, row), text);
}

static void expect_cursor(unsigned row, unsigned column)
{
    assert_int_equal(terminal.row, row);
    assert_int_equal(terminal.column, column);
}

#define LEFT  "\x1b[D"
#define RIGHT "\x1b[C"
#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define ALT   "\x1b"

static void each_key_edits_as_seen(void **state)
{
    static const struct {
        const char *keys, *row;
        unsigned cursor; /* behind the prompt */
    } cases[] = {
        {"", "keel>", 0},
        {"abc", "keel> abc", 3},
        {"ac" LEFT "b", "keel> abc", 2},
        {"abc" LEFT LEFT LEFT LEFT "x", "keel> xabc", 1},
        {"abc" RIGHT "d", "keel> abcd", 4},
        {"abc\x01x\x05y", "keel> xabcy", 5},
        {"abc\x1b[Hx\x1b[Fy", "keel> xabcy", 5},
        {"abc\x02\x02\x06x", "keel> abxc", 3},
        {"abcd" LEFT LEFT "\x7f", "keel> acd", 1},
        {"abcd" LEFT LEFT "\x1b[3~", "keel> abd", 2},
        {"abcd\x01\x04", "keel> bcd", 0},
        {"\x04\x7f\x1b[3~", "keel>", 0},
        {"one two three" ALT "b" ALT "b\x0b", "keel> one", 4},
        {"one two\x01\x0b\x19\x19", "keel> one twoone two", 14},
        {"one two" LEFT LEFT "\x15", "keel> wo", 0},
        {"one two-three\x17", "keel> one", 4},
        {"one two-three  \x17x", "keel> one x", 5},
        {"one two-three" ALT "\x7f", "keel> one two-", 8},
        {"one two three\x01" ALT "f" ALT "d", "keel> one three", 3},
        {"one two three\x01" ALT "d" ALT "d\x05\x19", "keel>  threeone two", 13},
        {"a b c\x17\x17\x17\x19", "keel> a b c", 5},
        {"a b c\x17\x17" LEFT RIGHT "\x17\x19", "keel> a", 2},
        {"abc\x0b\x17\x0b\x19", "keel> abc", 3}, /* killing nothing keeps what was killed */
        {"ab\x14", "keel> ba", 2},
        {"abcd" LEFT LEFT "\x14", "keel> acbd", 3},
        {"a\x14", "keel> a", 1},
        {"ab\x01\x14", "keel> ab", 0},
        {"one two" ALT "bX" ALT "fY", "keel> one XtwoY", 9},
        {"one two\x1b[1;5D\x1b[1;5DX", "keel> Xone two", 1},
        {"abc\x03"
         "de",
         "keel> de", 2},
        {"gr\xc3\xbc\xc3\x9f" LEFT "\x7f"
         "u",
         "keel> gru\xc3\x9f", 3},
        {"\xc3\xbc\xc3\x9f\x14", "keel> \xc3\x9f\xc3\xbc", 2},
        {"a\xe6\x97\xa5z" LEFT, "keel> a?z", 2},
        {"a\0b", "keel> a", 1},
        {"a\x80\xff\xc3"
         "b",
         "keel> ab", 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(80, true);
        type(cases[i].keys);
        expect_row(terminal.row, cases[i].row);
        expect_cursor(terminal.row, 6 + cases[i].cursor);
    }
}

/* Typing at the end of a line costs the terminal one byte a key. */
static void typing_writes_only_what_changes(void **state)
{
    size_t before;

    begin(80, true);
    before = terminal.bytes;
    type("memory");
    assert_int_equal(terminal.bytes - before, 6);
    type(LEFT);
    assert_int_equal(terminal.bytes - before, 7);
}

static void long_lines_scroll_sideways(void **state)
{
    char text[201];
    char row[81];

    for (unsigned i = 0; i < 200; i++)
        text[i] = (char)('a' + i % 26);
    text[200] = '\0';
    begin(40, true);
    type(text);
    assert_int_equal(terminal.row, 0);
    assert_true(terminal.column < 39);
    assert_int_equal(terminal.cells[0][6], '<');
    assert_int_equal(terminal.cells[0][terminal.column - 1], text[199]);
    expect_row(1, "");
    type("\x01");
    snprintf(row, sizeof(row), "keel> %.32s>", text);
    expect_row(0, row);
    expect_cursor(0, 6);
    type("\x05\x15"
         "x");
    expect_row(0, "keel> x");
}

static void a_line_that_is_full_is_not_run(void **state)
{
    begin(80, true);
    for (unsigned i = 0; i < EDITOR_LINE_MAX - 1; i++)
        assert_int_equal(editor_input(&editor, 'a'), EDITOR_CONTINUE);
    assert_int_equal(terminal.bells, 0);
    editor_input(&editor, 'b');
    assert_int_equal(editor.line.length, EDITOR_LINE_MAX - 1);
    assert_int_equal(terminal.bells, 1);
    assert_int_equal(type("\x7f\r"), EDITOR_TOO_LONG);
    assert_int_equal(type("x\r"), EDITOR_LINE);
    type(UP);
    expect_row(terminal.row, "keel> x");
    type(UP);
    expect_row(terminal.row, "keel> x");
}

static void a_paste_is_drawn_once(void **state)
{
    size_t before;

    begin(80, true);
    before = terminal.bytes;
    for (unsigned i = 0; i < 4096; i++)
        editor_input(&editor, (unsigned char)('a' + i % 26));
    editor_refresh(&editor);
    assert_int_equal(editor.line.length, 4096);
    assert_true(terminal.bytes - before < 200);
}

static void history_is_walked_and_the_new_line_kept(void **state)
{
    begin(80, true);
    type("one\rtwo\rtwo\rthree\r");
    type("ne\x17new");
    type(UP);
    expect_row(4, "keel> three");
    type("\x10");
    expect_row(4, "keel> two");
    type(UP);
    expect_row(4, "keel> one");
    type(UP);
    expect_row(4, "keel> one");
    assert_int_equal(terminal.bells, 1);
    type("!" DOWN "\x0e");
    expect_row(4, "keel> three");
    type(DOWN);
    expect_row(4, "keel> new");
    expect_cursor(4, 9);
    type(DOWN);
    expect_row(4, "keel> new");
    assert_int_equal(terminal.bells, 2);
    assert_int_equal(type("\r"), EDITOR_LINE);
}

static void history_is_searched_as_typed(void **state)
{
    begin(80, true);
    type("log -n 5\recho log\rhelp\r");
    type("fresh\x12l");
    expect_row(3, "(search)`l': help");
    type("o");
    expect_row(3, "(search)`lo': echo log");
    type("\x12");
    expect_row(3, "(search)`lo': log -n 5");
    type("\x12");
    assert_int_equal(terminal.bells, 1);
    type("\x05!");
    expect_row(3, "keel> log -n 5!");
    type(DOWN);
    expect_row(3, "keel> echo log");
    type("\x03");
    type("fresh\x12"
         "ech\x07");
    expect_row(4, "keel> fresh");
    type("\x15\x12hel\r");
    assert_string_equal(terminal_row(&terminal, 4), "keel> help");
    type("fresh\x12zzz\x7f\x7f\x7f\r");
    expect_row(5, "keel> fresh");
    type("a\x12"
         "echo\x03");
    expect_row(6, "keel> a^C");
}

static void tab_completes_as_far_as_matches_agree(void **state)
{
    static const struct {
        const char *keys, *row;
        unsigned bells;
    } cases[] = {
        {"reb\tx", "keel> reboot x", 0},
        {"e\tx", "keel> ex", 1},
        {"l\te\tx", "keel> log error x", 0},
        {"log -\tx", "keel> log -n x", 0},
        {"test s\tx", "keel> test slab/x", 0},
        {"test slab/f\tx", "keel> test slab/free x", 0},
        {"test list s\tx", "keel> test list slab/x", 0},
        {"help; l\tx", "keel> help; log x", 0},
        {"echo 'a;' x;l\tx", "keel> echo 'a;' x;log x", 0},
        {"echo 'l\tx", "keel> echo 'lx", 1},
        {"nothing l\tx", "keel> nothing lx", 1},
        {"zz\tx", "keel> zzx", 1},
        {"help l\tx", "keel> help lx", 1},
        {"log info\tx", "keel> log info x", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(80, true);
        type(cases[i].keys);
        expect_row(0, cases[i].row);
        assert_int_equal(terminal.bells, cases[i].bells);
    }
}

static void a_second_tab_lists_in_order(void **state)
{
    begin(24, true);
    type("\t\t");
    expect_row(0, "keel>");
    expect_row(1, "echo    exit    help");
    expect_row(2, "log     reboot  test");
    expect_row(3, "keel>");
    expect_cursor(3, 6);
    type("log \t\t");
    expect_row(3, "keel> log");
    expect_row(4, "error  warn   info");
    expect_row(5, "debug  -n");
    expect_row(6, "keel> log");
    expect_cursor(6, 10);
}

static void clearing_and_colours_follow_the_terminal(void **state)
{
    begin(80, true);
    type("a\rb\rlog\x0c");
    expect_row(0, "keel> log");
    expect_row(1, "");
    expect_cursor(0, 9);
    assert_true(terminal.colour_sequences >= 2);
    begin(80, false);
    type("a\rlog\x0c");
    expect_row(1, "keel> log");
    expect_row(2, "keel> log");
    assert_int_equal(terminal.colour_sequences, 0);
}

static void output_of_others_is_followed_by_the_line_again(void **state)
{
    begin(80, true);
    type("abc" LEFT);
    write_to_terminal("\nlog line\n", 10);
    editor_redraw(&editor);
    expect_row(0, "keel> abc");
    expect_row(1, "log line");
    expect_row(2, "keel> abc");
    expect_cursor(2, 8);
}

static void a_nul_byte_is_no_text(void **state)
{
    begin(80, true);
    type_bytes("a\0b\0\r", 4);
    assert_string_equal(editor.line.text, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_edits_as_seen),
        cmocka_unit_test(typing_writes_only_what_changes),
        cmocka_unit_test(long_lines_scroll_sideways),
        cmocka_unit_test(a_line_that_is_full_is_not_run),
        cmocka_unit_test(a_paste_is_drawn_once),
        cmocka_unit_test(history_is_walked_and_the_new_line_kept),
        cmocka_unit_test(history_is_searched_as_typed),
        cmocka_unit_test(tab_completes_as_far_as_matches_agree),
        cmocka_unit_test(a_second_tab_lists_in_order),
        cmocka_unit_test(clearing_and_colours_follow_the_terminal),
        cmocka_unit_test(output_of_others_is_followed_by_the_line_again),
        cmocka_unit_test(a_nul_byte_is_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

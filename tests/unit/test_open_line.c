/* The open line: what the prompt wrote is taken in by one model, shown again into another, and both must agree. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <debug/open_line.h>

static char shown[4000];

static void take(void *context, const char *bytes, size_t length)
{
    size_t at = strlen(shown);

    memcpy(shown + at, bytes, length);
    shown[at + length] = '\0';
    open_line_write(context, bytes, length);
}

static void write_all(struct open_line *line, const char *text)
{
    open_line_write(line, text, strlen(text));
}

static void check_shown(const char *text, const char *expected)
{
    struct open_line line = OPEN_LINE_INITIALIZER, again = OPEN_LINE_INITIALIZER;

    write_all(&line, text);
    shown[0] = '\0';
    open_line_show(&line, true, take, &again);
    assert_string_equal(shown, expected);
    assert_int_equal(again.length, line.length);
    assert_int_equal(again.cursor, line.cursor);
    assert_memory_equal(again.cells, line.cells, line.length * sizeof(line.cells[0]));
    assert_int_equal(again.foreground, line.foreground);
}

static void editing(void **state)
{
    check_shown("", "");
    check_shown("whole\n", "");
    check_shown("whole\nopen", "open");
    check_shown("keel> help", "keel> help");
    check_shown("keel> help\b\b", "keel> help\033[2D");
    check_shown("keel> help\b\b\bxyz", "keel> hxyz");
    check_shown("abc\rX", "Xbc\033[2D");
    check_shown("abc\r\033[KX", "X");
    check_shown("abcdef\033[3D\033[K", "abc");
    check_shown("abc\033[10Dx\033[C\033[Cy", "xbcy");
    check_shown("a\033[2Cb", "a  b");
    check_shown("\033[1;32mkeel> \033[0mhi", "\033[0;1;32mkeel> \033[0mhi");
    check_shown("\033[31m", "\033[0;31m");
    check_shown("caf\xc3\xa9 \xe2\x86\x92x\b", "caf\xc3\xa9 \xe2\x86\x92x\033[1D");
    check_shown("abc\033[2J", "");
    check_shown("a\tb", "a       b");
}

static void long_lines(void **state)
{
    struct open_line line = OPEN_LINE_INITIALIZER;

    write_all(&line, "short");
    assert_string_equal(open_line_hide(&line, true), "\033[0m\r\033[K");
    for (unsigned i = 0; i < 80; i++)
        write_all(&line, "x");
    assert_string_equal(open_line_hide(&line, true), "\033[0m\n");
    for (unsigned i = 0; i < 300; i++)
        write_all(&line, "y");
    shown[0] = '\0';
    open_line_show(&line, true, take, &line);
    assert_string_equal(shown, "");
    assert_true(open_line_is_open(&line));
    write_all(&line, "\n");
    assert_false(open_line_is_open(&line));
}

static void dumb_terminal(void **state)
{
    struct open_line line = OPEN_LINE_INITIALIZER, again = OPEN_LINE_INITIALIZER;

    write_all(&line, "\033[1mkeel> \033[0mhelp\b\b");
    assert_string_equal(open_line_hide(&line, false), "\n");
    shown[0] = '\0';
    open_line_show(&line, false, take, &again);
    assert_string_equal(shown, "keel> help\b\b");
    assert_int_equal(again.cursor, line.cursor);
}

/* Whatever bytes come, nothing is written outside, and what is shown has the model's length. */
static void random_bytes(void **state)
{
    static const char alphabet[] = "ab\xc3\xa9\r\b\033[[[;;12345679CDKmmJH\t\xff";

    for (unsigned round = 0; round < 3000; round++) {
        struct open_line line = OPEN_LINE_INITIALIZER, again = OPEN_LINE_INITIALIZER;

        for (int i = rand() % 100; i > 0; i--)
            open_line_write(&line, &alphabet[(size_t)rand() % (sizeof(alphabet) - 1)], 1);
        shown[0] = '\0';
        open_line_show(&line, true, take, &again);
        if (!line.is_lost) {
            assert_int_equal(again.length, line.length);
            assert_int_equal(again.cursor, line.cursor);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(editing),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(dumb_terminal),
        cmocka_unit_test(random_bytes),
    };

    srand(1);
    return cmocka_run_group_tests_name("debug/open_line", tests, NULL, NULL);
}

/* The text buffer and the history; what the editor does with them is in test_prompt_editor.c. */
#include "support/unit.h"

#include "../../src/prompt/history.h"
#include "../../src/prompt/line.h"

#include <stdio.h>
#include <string.h>

static void a_full_line_refuses_and_stays(void **state)
{
    char storage[8];
    struct line line;

    line_init(&line, storage, sizeof(storage));
    assert_true(line_insert(&line, "abcdef", 6));
    assert_false(line_insert(&line, "gh", 2));
    assert_string_equal(line.text, "abcdef");
    assert_true(line_insert(&line, "g", 1));
    assert_false(line_insert(&line, "h", 1));
    assert_false(line_set(&line, "12345678", 8));
    assert_string_equal(line.text, "abcdefg");
    assert_true(line_set(&line, "1234567", 7));
    assert_int_equal(line.cursor, 7);
}

static void erasing_keeps_the_cursor_on_its_character(void **state)
{
    char storage[16];
    struct line line;

    line_init(&line, storage, sizeof(storage));
    assert_true(line_set(&line, "0123456789", 10));
    line.cursor = 7;
    line_erase(&line, 2, 4);
    assert_string_equal(line.text, "01456789");
    assert_int_equal(line.cursor, 5);
    line_erase(&line, 4, 7);
    assert_int_equal(line.cursor, 4);
    line_erase(&line, 5, 5);
    line_erase(&line, 0, line.length);
    assert_int_equal(line.cursor, 0);
    assert_int_equal(line.length, 0);
}

static void history_forgets_the_oldest_first(void **state)
{
    char storage[64];
    struct history history;
    const char *line;
    char text[32];

    history_init(&history, storage, sizeof(storage));
    assert_null(history_older(&history, NULL));
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%u%.*s", i, (int)(i % 20), "abcdefghijklmnopqrst");
        history_add(&history, text);
        line = history_older(&history, NULL);
        assert_string_equal(line, text);
        assert_null(history_newer(&history, line));
        for (unsigned back = i; (line = history_older(&history, line)) != NULL;) {
            back--;
            snprintf(text, sizeof(text), "%u%.*s", back, (int)(back % 20), "abcdefghijklmnopqrst");
            assert_string_equal(line, text);
        }
    }
}

static void history_refuses_repeats_blanks_and_giants(void **state)
{
    char storage[16];
    struct history history;

    history_init(&history, storage, sizeof(storage));
    history_add(&history, "");
    assert_null(history_older(&history, NULL));
    history_add(&history, "one");
    history_add(&history, "one");
    assert_null(history_older(&history, history_older(&history, NULL)));
    history_add(&history, "0123456789abcdef");
    assert_string_equal(history_older(&history, NULL), "one");
    history_add(&history, "0123456789abcde"); /* fills the storage to the last byte */
    assert_string_equal(history_older(&history, NULL), "0123456789abcde");
    assert_null(history_older(&history, history_older(&history, NULL)));
}

static void history_is_searched_from_the_newest(void **state)
{
    char storage[64];
    struct history history;
    const char *found;

    history_init(&history, storage, sizeof(storage));
    history_add(&history, "log -n 5");
    history_add(&history, "echo log");
    history_add(&history, "help");
    found = history_search(&history, "log", NULL);
    assert_string_equal(found, "echo log");
    found = history_search(&history, "log", found);
    assert_string_equal(found, "log -n 5");
    assert_null(history_search(&history, "log", found));
    assert_null(history_search(&history, "logs", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_line_refuses_and_stays),
        cmocka_unit_test(erasing_keeps_the_cursor_on_its_character),
        cmocka_unit_test(history_forgets_the_oldest_first),
        cmocka_unit_test(history_refuses_repeats_blanks_and_giants),
        cmocka_unit_test(history_is_searched_from_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

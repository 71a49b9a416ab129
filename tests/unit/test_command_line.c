#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <boot/command_line.h>

#include "support/boot_notes.h"

static char value[64];

static const char *get(const char *line, const char *key)
{
    int length = command_line_get(line, key, value, sizeof(value));

    if (length < 0)
        return length == -ENOENT ? "(none)" : "(error)";
    assert_int_equal(length, strlen(value));
    return value;
}

static void plain_words(void **state)
{
    const char *line = "  keel.panic=exit\tquiet keel.run=help\n";

    assert_string_equal(get(line, "keel.panic"), "exit");
    assert_string_equal(get(line, "quiet"), "");
    assert_string_equal(get(line, "keel.run"), "help");
    assert_string_equal(get(line, "keel.ru"), "(none)");
    assert_string_equal(get(line, "keel.runs"), "(none)");
    assert_string_equal(get("", "keel.run"), "(none)");
    assert_string_equal(get("   ", "keel.run"), "(none)");
    assert_string_equal(get("keel.run=", "keel.run"), "");
    assert_string_equal(get("a=b=c", "a"), "b=c");
}

static void quotes_as_a_user_writes_them(void **state)
{
    assert_string_equal(get("x keel.run=\"a b; c\" y", "keel.run"), "a b; c");
    assert_string_equal(get("keel.run='a b; c' y", "keel.run"), "a b; c");
    assert_string_equal(get("keel.run=a' 'b", "keel.run"), "a b");
    assert_string_equal(get("keel.run='say \"x\" \\'", "keel.run"), "say \"x\" \\");
    assert_string_equal(get("keel.run=\"it's\"", "keel.run"), "it's");
    assert_string_equal(get("x=\"a keel.run=b\"", "keel.run"), "(none)");
}

static void quotes_as_grub_writes_them(void **state)
{
    assert_string_equal(get("keel.panic=exit \"keel.run=a b; c\"", "keel.run"), "a b; c");
    assert_string_equal(get("\"keel.run=say \\\"x\\\" it\\'s \\\\\"", "keel.run"), "say \"x\" it's \\");
    assert_string_equal(get("keel.run=it\\'s", "keel.run"), "it's");
    assert_string_equal(get("keel.path=a\\\\b", "keel.path"), "a\\b");
}

static void lone_backslashes_stay(void **state)
{
    assert_string_equal(get("keel.path=C:\\dir\\x", "keel.path"), "C:\\dir\\x");
    assert_string_equal(get("keel.path=a\\", "keel.path"), "a\\");
}

static void last_one_counts(void **state)
{
    assert_string_equal(get("keel.panic=halt keel.panic=exit", "keel.panic"), "exit");
    assert_string_equal(get("keel.panic=halt keel.panic", "keel.panic"), "");
}

static void unclosed_quotes_reach_the_end(void **state)
{
    assert_string_equal(get("keel.run=\"a b c", "keel.run"), "a b c");
    assert_string_equal(get("keel.run='", "keel.run"), "");
    boot_notes_start();
    command_line_check("keel.run=\"a b c");
    assert_true(boot_notes_have("quote is never closed"));
}

static void long_values_are_errors(void **state)
{
    char small[4] = "old";

    assert_int_equal(command_line_get("k=abcd", "k", small, sizeof(small)), -ENAMETOOLONG);
    assert_string_equal(small, "old");
    assert_int_equal(command_line_get("k=abc", "k", small, sizeof(small)), 3);
    assert_string_equal(small, "abc");
    assert_int_equal(command_line_get("k=", "k", small, 0), -ENAMETOOLONG);
}

static void steps_through_words(void **state)
{
    const char *at = " one \"two three\" '' four=\"5 6\" toolongaword end";
    char word[12];

    assert_int_equal(command_line_next(&at, word, sizeof(word)), 3);
    assert_string_equal(word, "one");
    assert_int_equal(command_line_next(&at, word, sizeof(word)), 9);
    assert_string_equal(word, "two three");
    assert_int_equal(command_line_next(&at, word, sizeof(word)), 0);
    assert_int_equal(command_line_next(&at, word, sizeof(word)), 8);
    assert_string_equal(word, "four=5 6");
    assert_int_equal(command_line_next(&at, word, sizeof(word)), -ENAMETOOLONG);
    assert_int_equal(command_line_next(&at, word, sizeof(word)), 3);
    assert_string_equal(word, "end");
    assert_int_equal(command_line_next(&at, word, sizeof(word)), -ENOENT);
    assert_int_equal(command_line_next(&at, word, sizeof(word)), -ENOENT);
}

/* Writes a word as GRUB 2.06 does: \ " ' escaped, and quoted where it holds a blank. */
static size_t quote_as_grub(char *to, const char *word)
{
    const char *start = to;
    bool has_blank = strchr(word, ' ') != NULL;

    if (has_blank)
        *to++ = '"';
    for (; *word; word++) {
        if (strchr("\\\"'", *word))
            *to++ = '\\';
        *to++ = *word;
    }
    if (has_blank)
        *to++ = '"';
    *to = '\0';
    return (size_t)(to - start);
}

static void what_grub_quotes_reads_the_same(void **state)
{
    static const char alphabet[] = "ab=;\\\"' ";
    char word[20], line[64], read[20];

    srand(4);
    for (unsigned round = 0; round < 100000; round++) {
        unsigned length = 1 + (unsigned)rand() % (sizeof(word) - 2);
        const char *at = line;

        for (unsigned i = 0; i < length; i++)
            word[i] = alphabet[(unsigned)rand() % (sizeof(alphabet) - 1)];
        word[length] = '\0';
        strcpy(line + quote_as_grub(line, word), " z");
        assert_int_equal(command_line_next(&at, read, sizeof(read)), length);
        assert_string_equal(read, word);
        assert_int_equal(command_line_next(&at, read, sizeof(read)), 1);
        assert_string_equal(read, "z");
    }
}

static void unknown_own_options_are_said(void **state)
{
    unsigned count;
    const struct command_line_option *options = command_line_options(&count);
    char line[64];

    boot_notes_start();
    command_line_check(
        "root=x \"keel.rum=a b\" keel.panic=exit keelrun keel.an_option_whose_name_is_longer_than_the_buffer=1");
    assert_int_equal(boot_notes_count(), 2);
    assert_true(boot_notes_have("'keel.rum'"));
    boot_notes_start();
    for (unsigned i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "%s=x", options[i].key);
        command_line_check(line);
    }
    assert_int_equal(boot_notes_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words),
        cmocka_unit_test(quotes_as_a_user_writes_them),
        cmocka_unit_test(quotes_as_grub_writes_them),
        cmocka_unit_test(lone_backslashes_stay),
        cmocka_unit_test(last_one_counts),
        cmocka_unit_test(unclosed_quotes_reach_the_end),
        cmocka_unit_test(long_values_are_errors),
        cmocka_unit_test(steps_through_words),
        cmocka_unit_test(what_grub_quotes_reads_the_same),
        cmocka_unit_test(unknown_own_options_are_said),
    };

    return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}

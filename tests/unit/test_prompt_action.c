#include "support/unit.h"

#include "../../src/prompt/action.h"

#include <stdlib.h>
#include <string.h>

/* The actions that a run of bytes gives, ACTION_NONE left out. */
static size_t decode(struct decoder *decoder, const char *bytes, size_t length, enum action *actions)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        enum action action = decoder_input(decoder, (unsigned char)bytes[i]);

        if (action != ACTION_NONE)
            actions[count++] = action;
    }
    return count;
}

static void expect_one(const char *bytes, enum action expected)
{
    struct decoder decoder = {0};
    enum action actions[32];

    assert_int_equal(decode(&decoder, bytes, strlen(bytes), actions), 1);
    assert_int_equal(actions[0], expected);
    assert_int_equal(decoder_input(&decoder, 'x'), ACTION_INSERT); /* nothing is left over */
    assert_int_equal(decoder.text[0], 'x');
}

static void keys_mean_what_terminals_send_for_them(void **state)
{
    static const struct {
        const char *bytes;
        enum action action;
    } keys[] = {
        {"\x01", ACTION_HOME},
        {"\x1b[H", ACTION_HOME},
        {"\x1bOH", ACTION_HOME},
        {"\x1b[1~", ACTION_HOME},
        {"\x1b[7~", ACTION_HOME},
        {"\x05", ACTION_END},
        {"\x1b[F", ACTION_END},
        {"\x1bOF", ACTION_END},
        {"\x1b[4~", ACTION_END},
        {"\x1b[8~", ACTION_END},
        {"\x02", ACTION_LEFT},
        {"\x1b[D", ACTION_LEFT},
        {"\x1bOD", ACTION_LEFT},
        {"\x06", ACTION_RIGHT},
        {"\x1b[C", ACTION_RIGHT},
        {"\x1b[1;5C", ACTION_WORD_RIGHT},
        {"\x1b[1;3D", ACTION_WORD_LEFT},
        {"\x1b[1;2D", ACTION_LEFT},
        {"\x1b"
         "b",
         ACTION_WORD_LEFT},
        {"\x1b"
         "f",
         ACTION_WORD_RIGHT},
        {"\x1b"
         "d",
         ACTION_KILL_WORD_RIGHT},
        {"\x1b\x7f", ACTION_KILL_WORD_LEFT},
        {"\x1b\x08", ACTION_KILL_WORD_LEFT},
        {"\x17", ACTION_KILL_BLANK_LEFT},
        {"\x0b", ACTION_KILL_TO_END},
        {"\x15", ACTION_KILL_TO_START},
        {"\x19", ACTION_YANK},
        {"\x14", ACTION_TRANSPOSE},
        {"\x04", ACTION_ERASE_RIGHT},
        {"\x1b[3~", ACTION_ERASE_RIGHT},
        {"\x08", ACTION_ERASE_LEFT},
        {"\x7f", ACTION_ERASE_LEFT},
        {"\x0c", ACTION_CLEAR_SCREEN},
        {"\x10", ACTION_OLDER},
        {"\x1b[A", ACTION_OLDER},
        {"\x0e", ACTION_NEWER},
        {"\x1b[B", ACTION_NEWER},
        {"\x12", ACTION_SEARCH},
        {"\x07", ACTION_ABORT},
        {"\x03", ACTION_CANCEL},
        {"\t", ACTION_COMPLETE},
        {"\r", ACTION_ENTER},
        {"\n", ACTION_ENTER},
        {"\r\n", ACTION_ENTER},
        {"\x1b\r", ACTION_ENTER},     /* a sequence cut short */
        {"\x1b[12;\r", ACTION_ENTER}, /* in the middle */
        {"\x1b[1;\x1b[A", ACTION_OLDER},
        {"\xe2\x82\x03", ACTION_CANCEL}, /* a character cut short */
        {"\xc3\x1b[A", ACTION_OLDER},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        expect_one(keys[i].bytes, keys[i].action);
}

static void unknown_and_malformed_input_means_nothing(void **state)
{
    static const char *const inputs[] = {
        "\x1b[200~",      "\x1b[[A",
        "\x1b[99;99;99R", "\x1b[?1;2c",
        "\x1bz",          "\x1b[5~",
        "\x1b[Z",         "\xff",
        "\x80",           "\xc0\x80",
        "\xed\xa0\x80",   "\xf5\x80\x80\x80",
        "\xc2\x85",       "\x1b[99999999999999999A",
        "\x1f",           "\x1b\x1b[G",
    };

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        struct decoder decoder = {0};
        enum action actions[64];
        size_t count = decode(&decoder, inputs[i], strlen(inputs[i]), actions);

        if (i == 13) { /* too long for a sequence: given up, and what follows is text again */
            assert_true(count > 0);
            continue;
        }
        assert_int_equal(count, 0);
        assert_int_equal(decoder_input(&decoder, 'x'), ACTION_INSERT);
    }
}

static void two_line_ends_are_two(void **state)
{
    struct decoder decoder = {0};
    enum action actions[8];

    assert_int_equal(decode(&decoder, "\r\r\n\n\n", 5, actions), 4);
    assert_int_equal(decode(&decoder, "\rx\n", 3, actions), 3);
    assert_int_equal(decode(&decoder, "\0\0", 2, actions), 0);
}

static void characters_come_whole(void **state)
{
    struct decoder decoder = {0};
    enum action actions[8];

    assert_int_equal(decode(&decoder, "\xe2\x82\xac", 3, actions), 1);
    assert_int_equal(actions[0], ACTION_INSERT);
    assert_int_equal(decoder.text_length, 3);
    assert_memory_equal(decoder.text, "\xe2\x82\xac", 3);
    assert_int_equal(decode(&decoder, "\xf0\x9f\x98\x80", 4, actions), 1);
    assert_int_equal(decoder.text_length, 4);
}

/* Whatever came before, three plain characters later the decoder is back to reading text. */
static void no_garbage_keeps_the_decoder(void **state)
{
    struct decoder decoder = {0};

    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned length = (unsigned)rand() % 24;

        for (unsigned i = 0; i < length; i++) {
            int kind = rand() % 4;

            decoder_input(&decoder, (unsigned char)(kind == 0 ? 0x1b : kind == 1 ? "[O;0159~"[rand() % 8] : rand()));
        }
        decoder_input(&decoder, '\x18');
        assert_int_equal(decoder_input(&decoder, 'x'), ACTION_INSERT);
        assert_true(decoder.text_length >= 1 && decoder.text_length <= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_mean_what_terminals_send_for_them),
        cmocka_unit_test(unknown_and_malformed_input_means_nothing),
        cmocka_unit_test(two_line_ends_are_two),
        cmocka_unit_test(characters_come_whole),
        cmocka_unit_test(no_garbage_keeps_the_decoder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

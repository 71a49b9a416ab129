#include "support/unit.h"

#include <lib/utf8.h>
#include <string.h>

static void every_character_survives_encoding_and_decoding(void **state)
{
    for (uint32_t character = 0; character < 0x110000; character++) {
        char text[4];
        unsigned length = utf8_encode(character, text);
        uint32_t decoded = UINT32_MAX;
        bool is_surrogate = character >= 0xd800 && character <= 0xdfff;

        assert_int_equal(utf8_decode(text, length, &decoded), is_surrogate ? 0 : length);
        assert_int_equal(decoded, is_surrogate ? UINT32_MAX : character);
        assert_int_equal(utf8_decode(text, length - 1, &decoded), 0);
        if (!is_surrogate)
            assert_int_equal(utf8_sequence_length((unsigned char)text[0]), length);
    }
}

/* Of all four-byte texts only those that utf8_encode can produce are taken. */
static void nothing_else_is_decoded(void **state)
{
    static const unsigned char others[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};

    for (unsigned first = 0; first < 256; first++) {
        for (unsigned i = 0; i < 1000; i++) {
            char text[4] = {(char)first, (char)others[i % 10], (char)others[i / 10 % 10], (char)others[i / 100]};
            char again[4];
            uint32_t character = 0;
            unsigned length = utf8_decode(text, sizeof(text), &character);

            if (length > 0) {
                assert_int_equal(utf8_encode(character, again), length);
                assert_memory_equal(text, again, length);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_survives_encoding_and_decoding),
        cmocka_unit_test(nothing_else_is_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

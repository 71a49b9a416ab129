/* Keyboards: the same keys in both scan code sets, what they type in each layout, and bytes that make no sense. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <dev/keyboard.h>

static struct keyboard keyboard;
static char typed[4096];
static size_t nr_typed;
static char requested;

static void start(const char *layout, enum scan_set set)
{
    keyboard_init(&keyboard, keymap_find(layout), set);
    nr_typed = 0;
    requested = 0;
}

static void feed(uint8_t byte)
{
    struct keyboard_output output;

    keyboard_input(&keyboard, byte, &output);
    assert_true(output.length <= KEYBOARD_BYTES_MAX);
    if (nr_typed + output.length < sizeof(typed)) {
        memcpy(typed + nr_typed, output.bytes, output.length);
        nr_typed += output.length;
    }
    if (output.sysrq)
        requested = output.sysrq;
}

static void feed_all(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        feed((uint8_t)bytes[i]);
}

/* A key of set 1, pressed and released. */
static void tap(uint8_t code)
{
    feed(code);
    feed(code | 0x80);
}

static void tap_extended(uint8_t code)
{
    feed(0xe0);
    feed(code);
    feed(0xe0);
    feed(code | 0x80);
}

static void expect_typed(const char *wanted)
{
    typed[nr_typed] = '\0';
    assert_string_equal(typed, wanted);
    nr_typed = 0;
}

static void type_row(uint8_t first, uint8_t last, const char *plain, const char *shifted)
{
    for (unsigned code = first; code <= last; code++)
        tap((uint8_t)code);
    expect_typed(plain);
    feed(0x2a);
    for (unsigned code = first; code <= last; code++)
        tap((uint8_t)code);
    feed(0xaa);
    expect_typed(shifted);
}

static void us_rows(void **state)
{
    start("us", SCAN_SET_1);
    type_row(0x02, 0x0d, "1234567890-=", "!@#$%^&*()_+");
    type_row(0x10, 0x1b, "qwertyuiop[]", "QWERTYUIOP{}");
    type_row(0x1e, 0x29, "asdfghjkl;'`", "ASDFGHJKL:\"~");
    type_row(0x2b, 0x2b, "\\", "|");
    type_row(0x2c, 0x35, "zxcvbnm,./", "ZXCVBNM<>?");
    type_row(0x39, 0x39, " ", " ");
}

static void de_rows(void **state)
{
    start("de", SCAN_SET_1);
    type_row(0x02, 0x0c, "1234567890ß", "!\"§$%&/()=?");
    type_row(0x10, 0x1b, "qwertzuiopü+", "QWERTZUIOPÜ*");
    type_row(0x1e, 0x28, "asdfghjklöä", "ASDFGHJKLÖÄ");
    type_row(0x2b, 0x35, "#yxcvbnm,.-", "'YXCVBNM;:_");
    type_row(0x56, 0x56, "<", ">");
    feed(0xe0), feed(0x38);
    for (const char *code = "\x03\x04\x08\x09\x0a\x0b\x0c\x10\x12\x1b\x56\x32\x1e"; *code; code++)
        tap((uint8_t)*code);
    feed(0xe0), feed(0xb8);
    expect_typed("²³{[]}\\@€~|µ");
}

static void de_accents(void **state)
{
    start("de", SCAN_SET_1);
    tap(0x29), tap(0x1e), tap(0x0d), tap(0x12);   /* ^ a, ´ e */
    feed(0x2a), tap(0x0d), feed(0xaa), tap(0x18); /* ` o */
    expect_typed("âéò");
    tap(0x29), tap(0x39); /* the accent itself */
    expect_typed("^");
    tap(0x29), tap(0x29);
    expect_typed("^");
    tap(0x0d), tap(0x10); /* no such letter */
    expect_typed("´q");
    tap(0x29), feed(0x2a), tap(0x16), feed(0xaa);
    expect_typed("Û");
}

static void modifiers(void **state)
{
    start("us", SCAN_SET_1);
    feed(0x1d), tap(0x1e), tap(0x26), feed(0x9d);
    expect_typed("\x01\x0c");
    feed(0x38), tap(0x30), feed(0xb8);
    expect_typed("\033b");
    feed(0xe0), feed(0x1d), tap(0x2e), feed(0xe0), feed(0x9d);
    expect_typed("\x03");
    tap(0x0f), tap(0x1c), tap(0x0e), tap(0x01);
    expect_typed("\t\r\x7f\033");
    feed(0x2a), tap(0x0f), feed(0xaa);
    expect_typed("\033[Z");
}

static void locks(void **state)
{
    start("de", SCAN_SET_1);
    feed(0x3a), feed(0x3a), feed(0xba); /* held: once */
    assert_int_equal(keyboard.leds, KEYBOARD_LED_CAPS);
    tap(0x1e), tap(0x02), tap(0x28), tap(0x0c);
    feed(0x2a), tap(0x1e), feed(0xaa);
    expect_typed("A1Äßa");
    tap(0x3a);
    assert_int_equal(keyboard.leds, 0);
    tap(0x47), tap(0x53);
    expect_typed("\033[H\033[3~");
    tap(0x45);
    assert_int_equal(keyboard.leds, KEYBOARD_LED_NUM);
    tap(0x47), tap(0x53), tap(0x4a), tap_extended(0x35);
    expect_typed("7,-/");
}

static void named_keys(void **state)
{
    start("us", SCAN_SET_1);
    tap_extended(0x48), tap_extended(0x50), tap_extended(0x4d), tap_extended(0x4b);
    expect_typed("\033[A\033[B\033[C\033[D");
    tap_extended(0x47), tap_extended(0x4f), tap_extended(0x53), tap_extended(0x52);
    expect_typed("\033[H\033[F\033[3~\033[2~");
    tap_extended(0x49), tap_extended(0x51), tap(0x3b), tap(0x3f), tap(0x58);
    expect_typed("\033[5~\033[6~\033OP\033[15~\033[24~");
    feed(0x1d), tap_extended(0x4d), feed(0x9d);
    expect_typed("\033[1;5C");
    feed_all("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa", 8); /* a shift key that nobody pressed */
    expect_typed("\033[A");
}

static void set_2(void **state)
{
    start("us", SCAN_SET_2);
    feed_all("\x1c\xf0\x1c\x12\x1c\xf0\x1c\xf0\x12\x1c\xf0\x1c", 12);
    expect_typed("aAa");
    feed_all("\xe0\x75\xe0\xf0\x75\x83\xf0\x83\x5a\xf0\x5a", 11);
    expect_typed("\033[A\033[18~\r");
}

static void pause_is_one_key(void **state)
{
    static const struct {
        enum scan_set set;
        const char *bytes;
        size_t length;
    } codes[] = {{SCAN_SET_1, "\xe1\x1d\x45\xe1\x9d\xc5", 6}, {SCAN_SET_2, "\xe1\x14\x77\xe1\xf0\x14\xf0\x77", 8}};

    for (unsigned i = 0; i < 2; i++) {
        unsigned nr_presses = 0;
        struct scan_decoder decoder;
        uint8_t key;

        scan_decoder_init(&decoder, codes[i].set);
        for (size_t n = 0; n < 3 * codes[i].length; n++) {
            enum scan_result result = scan_decode(&decoder, (uint8_t)codes[i].bytes[n % codes[i].length], &key);

            assert_true(result == SCAN_NOTHING || (result == SCAN_PRESS && key == KEY_PAUSE));
            nr_presses += result == SCAN_PRESS;
        }
        assert_int_equal(nr_presses, 3);
        start("us", codes[i].set);
        feed_all(codes[i].bytes, codes[i].length);
        assert_int_equal(keyboard.leds, 0);
        feed_all(codes[i].bytes, 2);           /* cut short */
        feed_all(i == 0 ? "\x1e" : "\x1c", 1); /* and understood again */
        expect_typed("a");
    }
}

static void requests(void **state)
{
    start("us", SCAN_SET_1);
    feed(0x38), feed(0x54), tap(0x14);
    assert_int_equal(requested, 't');
    expect_typed("");
    feed(0xd4), feed(0xb8), requested = 0;
    tap(0x14);
    assert_int_equal(requested, 0);
    expect_typed("t");
}

static void lost_codes(void **state)
{
    start("us", SCAN_SET_1);
    feed(0x2a), feed(0x1d), feed(0xff);
    tap(0x1e);
    expect_typed("a");
    start("us", SCAN_SET_2);
    feed(0x12), feed(0xaa), feed(0x1c); /* another keyboard */
    expect_typed("a");
}

static void garbage(void **state)
{
    static const char *const layouts[] = {"us", "de"};

    srand(8042);
    for (unsigned round = 0; round < 2000; round++) {
        enum scan_set set = round % 2 ? SCAN_SET_2 : SCAN_SET_1;

        start(layouts[round / 2 % 2], set);
        for (unsigned i = 0; i < 200; i++)
            feed((uint8_t)rand());
        feed(0xff);
        nr_typed = 0;
        keyboard.leds = 0;
        keyboard.accent = 0;
        feed(set == SCAN_SET_1 ? 0x1e : 0x1c);
        expect_typed("a");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(us_rows),    cmocka_unit_test(de_rows),  cmocka_unit_test(de_accents),
        cmocka_unit_test(modifiers),  cmocka_unit_test(locks),    cmocka_unit_test(named_keys),
        cmocka_unit_test(set_2),      cmocka_unit_test(requests), cmocka_unit_test(pause_is_one_key),
        cmocka_unit_test(lost_codes), cmocka_unit_test(garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

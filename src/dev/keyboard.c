#include <dev/keyboard.h>

#include <base/compiler.h>
#include <lib/format.h>
#include <lib/string.h>
#include <lib/utf8.h>

enum {
    KEY_ESCAPE = 0x01,
    KEY_BACKSPACE = 0x0e,
    KEY_TAB = 0x0f,
    KEY_ENTER = 0x1c,
    KEY_CTRL = 0x1d,
    KEY_SHIFT_LEFT = 0x2a,
    KEY_SHIFT_RIGHT = 0x36,
    KEY_PAD_STAR = 0x37,
    KEY_ALT = 0x38,
    KEY_CAPS_LOCK = 0x3a,
    KEY_F1 = 0x3b,
    KEY_F10 = 0x44,
    KEY_NUM_LOCK = 0x45,
    KEY_SCROLL_LOCK = 0x46,
    KEY_PAD_FIRST = 0x47,
    KEY_PAD_MINUS = 0x4a,
    KEY_PAD_PLUS = 0x4e,
    KEY_PAD_POINT = 0x53,
    KEY_F11 = 0x57,
    KEY_F12 = 0x58,
    KEY_CTRL_RIGHT = KEY_CTRL | KEY_EXTENDED,
    KEY_PAD_SLASH = 0x35 | KEY_EXTENDED,
    KEY_ALT_RIGHT = KEY_ALT | KEY_EXTENDED,
    KEY_PAD_ENTER = KEY_ENTER | KEY_EXTENDED,
};

/* From KEY_PAD_FIRST on: the character with Num Lock; without it, and on the keys behind E0, the final byte of ESC [,
 * or the number of ESC [ number ~. */
static const struct {
    char digit, letter;
    uint8_t number;
} pad[] = {{'7', 'H', 0}, {'8', 'A', 0}, {'9', 0, 5},   {'-', 0, 0}, {'4', 'D', 0}, {'5', 'E', 0}, {'6', 'C', 0},
           {'+', 0, 0},   {'1', 'F', 0}, {'2', 'B', 0}, {'3', 0, 6}, {'0', 0, 2},   {'.', 0, 3}};

static bool is_held(const struct keyboard *keyboard, uint8_t key)
{
    return keyboard->held[key / 8] >> (key % 8) & 1;
}

static bool is_shifted(const struct keyboard *keyboard)
{
    return is_held(keyboard, KEY_SHIFT_LEFT) || is_held(keyboard, KEY_SHIFT_RIGHT);
}

static bool is_control(const struct keyboard *keyboard)
{
    return is_held(keyboard, KEY_CTRL) || is_held(keyboard, KEY_CTRL_RIGHT);
}

static bool is_alt(const struct keyboard *keyboard)
{
    return is_held(keyboard, KEY_ALT) || (!keyboard->map->has_level_3 && is_held(keyboard, KEY_ALT_RIGHT));
}

static void put_byte(struct keyboard_output *output, char byte)
{
    if (output->length < KEYBOARD_BYTES_MAX)
        output->bytes[output->length++] = byte;
}

static void put_character(struct keyboard_output *output, uint16_t character)
{
    if (character < 0x80) {
        put_byte(output, (char)character);
    } else if (character < 0x800) {
        put_byte(output, (char)(0xc0 | character >> 6));
        put_byte(output, (char)(0x80 | (character & 0x3f)));
    } else {
        put_byte(output, (char)(0xe0 | character >> 12));
        put_byte(output, (char)(0x80 | (character >> 6 & 0x3f)));
        put_byte(output, (char)(0x80 | (character & 0x3f)));
    }
}

static void put_text(struct keyboard_output *output, const char *text)
{
    while (*text)
        put_byte(output, *text++);
}

/* ESC [ letter or ESC [ number ~, with xterm's number for the modifiers where one is held. */
static void put_sequence(const struct keyboard *keyboard, char letter, unsigned number, struct keyboard_output *output)
{
    unsigned modifiers = 1 + is_shifted(keyboard) + 2 * is_alt(keyboard) + 4 * is_control(keyboard);
    char text[KEYBOARD_BYTES_MAX];

    if (modifiers > 1)
        snprintf(text, sizeof(text), "\033[%u;%u%c", letter ? 1 : number, modifiers, letter ? letter : '~');
    else if (letter)
        snprintf(text, sizeof(text), "\033[%c", letter);
    else
        snprintf(text, sizeof(text), "\033[%u~", number);
    put_text(output, text);
}

/* What Ctrl makes of a character (ASCII's columns 4 and 5 to 0 and 1); -1 for nothing. */
static int control_character(uint16_t character)
{
    if ((character >= 'a' && character <= 'z') || (character >= '@' && character <= '_'))
        return character & 0x1f;
    if (character == ' ')
        return 0;
    if (character == '/')
        return 0x1f;
    return character == '?' ? 0x7f : -1;
}

static bool is_lower_case(uint16_t character)
{
    return (character >= 'a' && character <= 'z') || (character >= 0xe0 && character <= 0xfe && character != 0xf7);
}

/* The character of a key in the layout, with the modifiers held. */
static uint16_t layout_character(const struct keyboard *keyboard, uint8_t key)
{
    const uint16_t *levels = keyboard->map->keys[key];
    bool is_upper = is_shifted(keyboard);

    if (keyboard->map->has_level_3 && is_held(keyboard, KEY_ALT_RIGHT))
        return levels[2];
    if (keyboard->leds & KEYBOARD_LED_CAPS && is_lower_case(levels[0]) && levels[1] == levels[0] - 0x20)
        is_upper = !is_upper;
    return levels[is_upper];
}

/* An accent and what came after it: one letter, or both. */
static void put_composed(struct keyboard *keyboard, uint16_t character, struct keyboard_output *output)
{
    uint16_t accent = keyboard->accent, composed = keymap_compose(accent, character);

    keyboard->accent = 0;
    put_character(output, composed ? composed : accent);
    if (!composed && character != ' ' && character != accent)
        put_character(output, character);
}

static void type_character(struct keyboard *keyboard, uint16_t character, struct keyboard_output *output)
{
    uint16_t plain = character & (uint16_t)~KEYMAP_DEAD;

    if (character == 0)
        return;
    if (is_control(keyboard)) {
        int control = control_character(plain);

        if (control < 0)
            return;
        character = (uint16_t)control;
    }
    if (is_alt(keyboard))
        put_byte(output, '\033');
    if (keyboard->accent)
        put_composed(keyboard, plain, output);
    else if (character & KEYMAP_DEAD)
        keyboard->accent = plain;
    else
        put_character(output, character);
}

static void type_pad(struct keyboard *keyboard, uint8_t key, struct keyboard_output *output)
{
    unsigned n = (key & ~KEY_EXTENDED) - KEY_PAD_FIRST;
    bool has_sequence = pad[n].letter || pad[n].number;

    if (key & KEY_EXTENDED || (has_sequence && !(keyboard->leds & KEYBOARD_LED_NUM))) {
        if (has_sequence)
            put_sequence(keyboard, pad[n].letter, pad[n].number, output);
        return;
    }
    type_character(keyboard, key == KEY_PAD_POINT ? keyboard->map->keypad_point : (uint16_t)pad[n].digit, output);
}

/* xterm's: F1 to F4 by letter, the others by numbers that have gaps. */
static void type_function(const struct keyboard *keyboard, unsigned n, struct keyboard_output *output)
{
    static const uint8_t numbers[] = {15, 17, 18, 19, 20, 21, 23, 24};

    if (n > 4)
        put_sequence(keyboard, 0, numbers[n - 5], output);
    else if (is_shifted(keyboard) || is_alt(keyboard) || is_control(keyboard))
        put_sequence(keyboard, (char)('P' + n - 1), 0, output);
    else {
        put_text(output, "\033O");
        put_byte(output, (char)('P' + n - 1));
    }
}

static void type_named(struct keyboard *keyboard, char byte, struct keyboard_output *output)
{
    if (keyboard->accent)
        put_character(output, keyboard->accent);
    keyboard->accent = 0;
    if (is_alt(keyboard))
        put_byte(output, '\033');
    put_byte(output, byte);
}

/* Keys that give the same in every layout. False where it is none of them. */
static bool type_special(struct keyboard *keyboard, uint8_t key, struct keyboard_output *output)
{
    uint8_t code = key & (uint8_t)~KEY_EXTENDED;

    if (code >= KEY_PAD_FIRST && code <= KEY_PAD_POINT)
        type_pad(keyboard, key, output);
    else if (key >= KEY_F1 && key <= KEY_F10)
        type_function(keyboard, key - KEY_F1 + 1u, output);
    else if (key == KEY_F11 || key == KEY_F12)
        type_function(keyboard, key - KEY_F11 + 11u, output);
    else if (key == KEY_ESCAPE)
        type_named(keyboard, '\033', output);
    else if (key == KEY_BACKSPACE)
        type_named(keyboard, is_control(keyboard) ? '\b' : 0x7f, output);
    else if (key == KEY_TAB && is_shifted(keyboard))
        put_text(output, "\033[Z");
    else if (key == KEY_TAB)
        type_named(keyboard, '\t', output);
    else if (key == KEY_ENTER || key == KEY_PAD_ENTER)
        type_named(keyboard, '\r', output);
    else if (key == KEY_PAD_STAR || key == KEY_PAD_SLASH)
        type_character(keyboard, key == KEY_PAD_STAR ? '*' : '/', output);
    else
        return false;
    return true;
}

static bool toggle_lock(struct keyboard *keyboard, uint8_t key, bool is_repeat)
{
    uint8_t led = key == KEY_CAPS_LOCK  ? KEYBOARD_LED_CAPS
                  : key == KEY_NUM_LOCK ? KEYBOARD_LED_NUM
                                        : (key == KEY_SCROLL_LOCK ? KEYBOARD_LED_SCROLL : 0);

    if (led && !is_repeat)
        keyboard->leds ^= led;
    return led != 0;
}

/* A system request: the letter on the key, whatever Shift and the locks say. */
static void request(const struct keyboard *keyboard, uint8_t key, struct keyboard_output *output)
{
    uint16_t character = key < KEYMAP_KEYS ? keyboard->map->keys[key][0] : 0;

    if (character > ' ' && character < 0x7f)
        output->sysrq = (char)character;
}

static void press(struct keyboard *keyboard, uint8_t key, struct keyboard_output *output)
{
    bool is_repeat = is_held(keyboard, key);

    keyboard->held[key / 8] |= (uint8_t)(1u << (key % 8));
    if (is_held(keyboard, KEY_SYSRQ) && (is_alt(keyboard) || is_held(keyboard, KEY_ALT_RIGHT))) {
        if (!is_repeat)
            request(keyboard, key, output);
        return;
    }
    if (toggle_lock(keyboard, key, is_repeat) || type_special(keyboard, key, output))
        return;
    if (key < KEYMAP_KEYS)
        type_character(keyboard, layout_character(keyboard, key), output);
}

void keyboard_init(struct keyboard *keyboard, const struct keymap *map, enum scan_set set)
{
    *keyboard = (struct keyboard){.map = map};
    scan_decoder_init(&keyboard->decoder, set);
}

void keyboard_release_all(struct keyboard *keyboard)
{
    memset(keyboard->held, 0, sizeof(keyboard->held));
    scan_decoder_init(&keyboard->decoder, keyboard->decoder.set);
}

void keyboard_input(struct keyboard *keyboard, uint8_t byte, struct keyboard_output *output)
{
    uint8_t key = 0;

    output->length = 0;
    output->sysrq = 0;
    switch (scan_decode(&keyboard->decoder, byte, &key)) {
    case SCAN_PRESS:
        press(keyboard, key, output);
        if (key == KEY_PAUSE)
            keyboard->held[key / 8] &= (uint8_t) ~(1u << (key % 8)); /* it has no release */
        break;
    case SCAN_RELEASE:
        keyboard->held[key / 8] &= (uint8_t) ~(1u << (key % 8));
        break;
    case SCAN_LOST:
        keyboard_release_all(keyboard);
        break;
    case SCAN_NOTHING:
        break;
    }
}

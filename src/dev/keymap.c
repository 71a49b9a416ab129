#include <dev/keymap.h>

#include <base/compiler.h>
#include <lib/string.h>

#define ACUTE 0xb4

static const struct keymap keymaps[] = {
    {
        .name = "us",
        .keypad_point = '.',
        .keys =
            {
                [0x02] = {'1', '!'},  [0x03] = {'2', '@'}, [0x04] = {'3', '#'},  [0x05] = {'4', '$'},
                [0x06] = {'5', '%'},  [0x07] = {'6', '^'}, [0x08] = {'7', '&'},  [0x09] = {'8', '*'},
                [0x0a] = {'9', '('},  [0x0b] = {'0', ')'}, [0x0c] = {'-', '_'},  [0x0d] = {'=', '+'},
                [0x10] = {'q', 'Q'},  [0x11] = {'w', 'W'}, [0x12] = {'e', 'E'},  [0x13] = {'r', 'R'},
                [0x14] = {'t', 'T'},  [0x15] = {'y', 'Y'}, [0x16] = {'u', 'U'},  [0x17] = {'i', 'I'},
                [0x18] = {'o', 'O'},  [0x19] = {'p', 'P'}, [0x1a] = {'[', '{'},  [0x1b] = {']', '}'},
                [0x1e] = {'a', 'A'},  [0x1f] = {'s', 'S'}, [0x20] = {'d', 'D'},  [0x21] = {'f', 'F'},
                [0x22] = {'g', 'G'},  [0x23] = {'h', 'H'}, [0x24] = {'j', 'J'},  [0x25] = {'k', 'K'},
                [0x26] = {'l', 'L'},  [0x27] = {';', ':'}, [0x28] = {'\'', '"'}, [0x29] = {'`', '~'},
                [0x2b] = {'\\', '|'}, [0x2c] = {'z', 'Z'}, [0x2d] = {'x', 'X'},  [0x2e] = {'c', 'C'},
                [0x2f] = {'v', 'V'},  [0x30] = {'b', 'B'}, [0x31] = {'n', 'N'},  [0x32] = {'m', 'M'},
                [0x33] = {',', '<'},  [0x34] = {'.', '>'}, [0x35] = {'/', '?'},  [0x39] = {' ', ' '},
                [0x56] = {'\\', '|'},
            },
    },
    {
        .name = "de",
        .has_level_3 = true,
        .keypad_point = ',',
        .keys =
            {
                [0x02] = {'1', '!'},      [0x03] = {'2', '"', 0xb2},  [0x04] = {'3', 0xa7, 0xb3},
                [0x05] = {'4', '$'},      [0x06] = {'5', '%'},        [0x07] = {'6', '&'},
                [0x08] = {'7', '/', '{'}, [0x09] = {'8', '(', '['},   [0x0a] = {'9', ')', ']'},
                [0x0b] = {'0', '=', '}'}, [0x0c] = {0xdf, '?', '\\'}, [0x0d] = {KEYMAP_DEAD | 0xb4, KEYMAP_DEAD | '`'},
                [0x10] = {'q', 'Q', '@'}, [0x11] = {'w', 'W'},        [0x12] = {'e', 'E', 0x20ac},
                [0x13] = {'r', 'R'},      [0x14] = {'t', 'T'},        [0x15] = {'z', 'Z'},
                [0x16] = {'u', 'U'},      [0x17] = {'i', 'I'},        [0x18] = {'o', 'O'},
                [0x19] = {'p', 'P'},      [0x1a] = {0xfc, 0xdc},      [0x1b] = {'+', '*', '~'},
                [0x1e] = {'a', 'A'},      [0x1f] = {'s', 'S'},        [0x20] = {'d', 'D'},
                [0x21] = {'f', 'F'},      [0x22] = {'g', 'G'},        [0x23] = {'h', 'H'},
                [0x24] = {'j', 'J'},      [0x25] = {'k', 'K'},        [0x26] = {'l', 'L'},
                [0x27] = {0xf6, 0xd6},    [0x28] = {0xe4, 0xc4},      [0x29] = {KEYMAP_DEAD | '^', 0xb0},
                [0x2b] = {'#', '\''},     [0x2c] = {'y', 'Y'},        [0x2d] = {'x', 'X'},
                [0x2e] = {'c', 'C'},      [0x2f] = {'v', 'V'},        [0x30] = {'b', 'B'},
                [0x31] = {'n', 'N'},      [0x32] = {'m', 'M', 0xb5},  [0x33] = {',', ';'},
                [0x34] = {'.', ':'},      [0x35] = {'-', '_'},        [0x39] = {' ', ' '},
                [0x56] = {'<', '>', '|'},
            },
    },
};

static const uint16_t compositions[][3] = {
    {'^', 'a', 0xe2},   {'^', 'e', 0xea},   {'^', 'i', 0xee},   {'^', 'o', 0xf4},   {'^', 'u', 0xfb},
    {'^', 'A', 0xc2},   {'^', 'E', 0xca},   {'^', 'I', 0xce},   {'^', 'O', 0xd4},   {'^', 'U', 0xdb},
    {'`', 'a', 0xe0},   {'`', 'e', 0xe8},   {'`', 'i', 0xec},   {'`', 'o', 0xf2},   {'`', 'u', 0xf9},
    {'`', 'A', 0xc0},   {'`', 'E', 0xc8},   {'`', 'I', 0xcc},   {'`', 'O', 0xd2},   {'`', 'U', 0xd9},
    {ACUTE, 'a', 0xe1}, {ACUTE, 'e', 0xe9}, {ACUTE, 'i', 0xed}, {ACUTE, 'o', 0xf3}, {ACUTE, 'u', 0xfa},
    {ACUTE, 'y', 0xfd}, {ACUTE, 'A', 0xc1}, {ACUTE, 'E', 0xc9}, {ACUTE, 'I', 0xcd}, {ACUTE, 'O', 0xd3},
    {ACUTE, 'U', 0xda}, {ACUTE, 'Y', 0xdd},
};

const struct keymap *keymap_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keymaps); i++)
        if (strcmp(keymaps[i].name, name) == 0)
            return &keymaps[i];
    return NULL;
}

uint16_t keymap_compose(uint16_t accent, uint16_t letter)
{
    for (unsigned i = 0; i < ARRAY_SIZE(compositions); i++)
        if (compositions[i][0] == accent && compositions[i][1] == letter)
            return compositions[i][2];
    return 0;
}

/* The terminal core: what stands where after text and control sequences, and that no bytes whatever leave the grid. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt.h"

#define COLUMNS 12
#define ROWS    4

static struct vt vt;
static struct vt_cell cells[COLUMNS * ROWS];

static void send(const char *text)
{
    vt_write(&vt, text, strlen(text));
}

static void start(const char *text)
{
    vt_init(&vt, cells, COLUMNS, ROWS);
    send(text);
}

/* The row without blanks at its end; characters beyond ASCII as ?, U+FFFD as #. */
static const char *row_text(unsigned row)
{
    static char text[COLUMNS + 1];
    unsigned length = 0;

    for (unsigned column = 0; column < COLUMNS; column++) {
        unsigned character = vt_cell(&vt, column, row).character;
        text[column] = character == 0xfffd ? '#' : character > 0x7e ? '?' : (char)character;
        if (character != ' ')
            length = column + 1;
    }
    text[length] = '\0';
    return text;
}

static void expect(const char *first, const char *second, unsigned column, unsigned row)
{
    assert_string_equal(row_text(0), first);
    assert_string_equal(row_text(1), second);
    assert_int_equal(vt.cursor.column, column);
    assert_int_equal(vt.cursor.row, row);
}

static void text(void **state)
{
    start("hello\nworld");
    expect("hello", "world", 5, 1);
    start("abc\rX\n\tY");
    expect("Xbc", "        Y", 9, 1);
    start("abc\b\bx");
    expect("axc", "", 2, 0);
    start("\b\b\x01\x7f\a!");
    expect("!", "", 1, 0);
}

static void wrapping(void **state)
{
    start("123456789012");
    expect("123456789012", "", 11, 0); /* the wrap waits for the next character */
    send("3");
    expect("123456789012", "3", 1, 1);
    start("123456789012\n3");
    expect("123456789012", "3", 1, 1);
    start("123456789012\rX");
    expect("X23456789012", "", 1, 0);
}

static void scrolling(void **state)
{
    start("1\n2\n3\n4\n5\n6");
    expect("3", "4", 1, 3);
    assert_int_equal(vt.scrolled, 2);
    assert_string_equal(row_text(3), "6");
    send("\nlonger");
    expect("4", "5", 6, 3);
}

static void cursor_moves(void **state)
{
    start("\033[2;3Hx\033[Hy\033[2;1Hz");
    expect("y", "z x", 1, 1);
    start("\033[99;99H");
    assert_int_equal(vt.cursor.column, COLUMNS - 1);
    assert_int_equal(vt.cursor.row, ROWS - 1);
    start("abc\033[2D\033[1Cx\033[99D\033[Cy");
    expect("ayx", "", 2, 0);
    start("a\033[Bb\033[Ac\033[5Gd\033[Ee\033[Ff\033[2dg");
    expect("f c d", "eg", 2, 1);
    start("ab\0337\033[3;3H\0338c\033[s\033[Hd\033[ue");
    expect("dbce", "", 4, 0);
    start("\033[0;0Hx\033[999999999999Cy");
    expect("x          y", "", 11, 0);
}

static void erasing(void **state)
{
    start("abcdef\033[3D\033[K");
    expect("abc", "", 3, 0);
    start("abcdef\033[3D\033[1K");
    expect("    ef", "", 3, 0);
    start("abcdef\033[2K");
    expect("", "", 6, 0);
    start("abc\ndef\033[2D\033[J");
    expect("abc", "d", 1, 1);
    start("abc\ndef\033[2D\033[1J");
    expect("", "  f", 1, 1);
    start("abc\ndef\033[2J\033[H");
    expect("", "", 0, 0);
    start("abcdef\033[5D\033[2P");
    expect("adef", "", 1, 0);
    start("abcdef\033[5D\033[2@");
    expect("a  bcdef", "", 1, 0);
    start("abcdef\033[5D\033[2X");
    expect("a  def", "", 1, 0);
    start("abc\033[99P\033[3D\033[99@");
    expect("", "", 0, 0);
    start("one\ntwo\nthree\033[2;1H\033[L");
    expect("one", "", 0, 1);
    assert_string_equal(row_text(2), "two");
    start("one\ntwo\nthree\033[1;1H\033[M");
    expect("two", "three", 0, 0);
    start("one\n\033[99M\033[1;1H\033[99L");
    expect("", "", 0, 0);
    start("abc\033cd");
    expect("d", "", 1, 0);
}

static void colours(void **state)
{
    struct vt_cell cell;

    start("a\033[31;44mb\033[1mc\033[0md\033[7me\033[27;92;103mf\033[38;5;9mg\033[48;2;0;0;255mh\033[m");
    cell = vt_cell(&vt, 0, 0);
    assert_true(cell.foreground == VT_FOREGROUND && cell.background == VT_BACKGROUND);
    cell = vt_cell(&vt, 1, 0);
    assert_true(cell.foreground == 1 && cell.background == 4);
    cell = vt_cell(&vt, 2, 0);
    assert_true(cell.foreground == 9 && cell.background == 4);
    cell = vt_cell(&vt, 3, 0);
    assert_true(cell.foreground == VT_FOREGROUND && cell.background == VT_BACKGROUND);
    cell = vt_cell(&vt, 4, 0);
    assert_true(cell.foreground == VT_BACKGROUND && cell.background == VT_FOREGROUND);
    cell = vt_cell(&vt, 5, 0);
    assert_true(cell.foreground == 10 && cell.background == 11);
    cell = vt_cell(&vt, 6, 0);
    assert_true(cell.foreground == 9 && cell.background == 11);
    cell = vt_cell(&vt, 7, 0);
    assert_true(cell.foreground == 9 && cell.background == 12);
    start("\033[44m\033[K\033[0m");
    assert_int_equal(vt_cell(&vt, COLUMNS - 1, 0).background, 4);
    cell = vt_cell_with_cursor(&vt, 0, 0);
    assert_true(cell.foreground == 4 && cell.background == VT_FOREGROUND);
    send("\033[?25l");
    assert_int_equal(vt_cell_with_cursor(&vt, 0, 0).background, 4);
    send("\033[?25h");
    assert_int_equal(vt_cell_with_cursor(&vt, 0, 0).foreground, 4);
}

static void utf8(void **state)
{
    start("\xc3\xa9\xe2\x94\x80\xf0\x9f\x98\x80|");
    assert_int_equal(vt_cell(&vt, 0, 0).character, 0xe9);
    assert_int_equal(vt_cell(&vt, 1, 0).character, 0x2500);
    assert_int_equal(vt_cell(&vt, 2, 0).character, 0xfffd); /* beyond the basic plane */
    expect("??#|", "", 4, 0);
    start("a\xff"
          "b\xc3"
          "c\xe2\x94"
          "d\xc0\x80"
          "e");
    expect("a#b#c#d##e", "", 10, 0);
    start("e\xcc\x81x\xe2\x80\x8by"); /* combining, zero width */
    expect("exy", "", 3, 0);
    start("\xe2\x94\033[1Cx"); /* a sequence breaks a character off */
    expect("# x", "", 3, 0);
}

static void skipped_sequences(void **state)
{
    start("a\033]0;title\ab\033]2;t\033\\c\033(Bd\033[>4;1me\033[1 qf\033=g\033[!ph");
    expect("abcdefgh", "", 8, 0);
    start("a\033[12\nb");
    expect("ab", "", 2, 0);
}

static void dirty_rows(void **state)
{
    unsigned first, end;

    start("");
    assert_true(vt_take_dirty(&vt, &first, &end));
    assert_int_equal(first, 0);
    assert_int_equal(end, ROWS);
    assert_false(vt_take_dirty(&vt, &first, &end));
    send("\nx");
    assert_true(vt_take_dirty(&vt, &first, &end));
    assert_int_equal(first, 0); /* the cursor left it */
    assert_int_equal(end, 2);
    send("y");
    assert_true(vt_take_dirty(&vt, &first, &end));
    assert_int_equal(first, 1);
    assert_int_equal(end, 2);
    send("\n\n\n");
    assert_true(vt_take_dirty(&vt, &first, &end));
    assert_int_equal(first, 0);
    assert_int_equal(end, ROWS);
}

static void resizing(void **state)
{
    static struct vt_cell large[20 * 6], small[5 * 2];

    start("1\n2\n3\n4\n5\nsix");
    vt_resize(&vt, large, 20, 6);
    assert_int_equal(vt_cell(&vt, 0, 0).character, '3');
    assert_int_equal(vt_cell(&vt, 2, 3).character, 'x');
    assert_int_equal(vt_cell(&vt, 19, 5).character, ' ');
    assert_int_equal(vt.cursor.column, 3);
    assert_int_equal(vt.cursor.row, 3);
    vt_resize(&vt, small, 5, 2);
    assert_int_equal(vt_cell(&vt, 0, 0).character, '5');
    assert_int_equal(vt_cell(&vt, 0, 1).character, 's');
    assert_int_equal(vt.cursor.row, 1);
}

/* Fuzz: the address sanitizer watches the grid, and the cursor stays on it. */
static void random_bytes(void **state)
{
    static const char alphabet[] =
        "abc\n\r\b\t\033\033\033[[[[;;?0123456789@ABCDEFGHJKLMPXdfmsuhl78c\xc3\xa9\xe2\x94\x80\xff";

    for (unsigned round = 0; round < 400; round++) {
        unsigned columns = (unsigned)rand() % 9 + 1, rows = (unsigned)rand() % 5 + 1, first, end;
        struct vt_cell *grid = malloc(columns * rows * sizeof(*grid));

        vt_init(&vt, grid, columns, rows);
        for (unsigned i = 0; i < 2000; i++) {
            vt_write(&vt, &alphabet[(size_t)rand() % (sizeof(alphabet) - 1)], 1);
            assert_true(vt.cursor.column < columns && vt.cursor.row < rows);
        }
        assert_true(vt_take_dirty(&vt, &first, &end));
        assert_true(end <= rows);
        free(grid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),         cmocka_unit_test(wrapping),          cmocka_unit_test(scrolling),
        cmocka_unit_test(cursor_moves), cmocka_unit_test(erasing),           cmocka_unit_test(colours),
        cmocka_unit_test(utf8),         cmocka_unit_test(skipped_sequences), cmocka_unit_test(dirty_rows),
        cmocka_unit_test(resizing),     cmocka_unit_test(random_bytes),
    };

    srand(1);
    return cmocka_run_group_tests_name("drivers/vt", tests, NULL, NULL);
}

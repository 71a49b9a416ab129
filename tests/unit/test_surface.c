/* Characters in pixel memory: every depth, channel order and odd pitches, pixel by pixel against the font. */
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <drivers/font.h>

#include "cp437.h"
#include "surface.h"

struct layout {
    uint8_t depth, red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};

static const struct layout layouts[] = {
    {15, 10, 5, 5, 5, 0, 5},     {16, 11, 5, 5, 6, 0, 5}, {16, 0, 5, 5, 6, 11, 5},  {24, 16, 8, 8, 8, 0, 8},
    {24, 0, 8, 8, 8, 16, 8},     {32, 16, 8, 8, 8, 0, 8}, {32, 24, 8, 16, 8, 8, 8}, {32, 0, 8, 8, 8, 16, 8},
    {32, 20, 10, 10, 10, 0, 10}, {16, 8, 4, 4, 4, 0, 4},
};

static struct framebuffer_info describe(const struct layout *layout, uint32_t width, uint32_t height, uint32_t pitch)
{
    return (struct framebuffer_info){
        .kind = FRAMEBUFFER_RGB,
        .base = {0xfd000000},
        .width = width,
        .height = height,
        .pitch_bytes = pitch,
        .bits_per_pixel = layout->depth,
        .red_shift = layout->red_shift,
        .red_bits = layout->red_bits,
        .green_shift = layout->green_shift,
        .green_bits = layout->green_bits,
        .blue_shift = layout->blue_shift,
        .blue_bits = layout->blue_bits,
    };
}

static uint32_t pixel(const struct surface *surface, uint32_t x, uint32_t y)
{
    const uint8_t *at = surface->pixels + (size_t)y * surface->pitch_bytes + (size_t)x * surface->bytes_per_pixel;
    uint32_t value = 0;

    memcpy(&value, at, surface->bytes_per_pixel); /* little endian, as the machine */
    return value;
}

/* The cell shows the character in these colours, and nothing else changed. */
static void check_cell(const struct surface *surface, uint32_t column, uint32_t row, uint32_t character,
                       unsigned foreground, unsigned background, const struct surface *before)
{
    const uint8_t *glyph = font_glyph(character);
    uint32_t width = FONT_COLUMNS * surface->scale, height = FONT_ROWS * surface->scale;

    for (uint32_t y = 0; y < surface->height; y++) {
        for (uint32_t x = 0; x < surface->width; x++) {
            uint32_t expected = pixel(before, x, y);

            if (x / width == column && y / height == row) {
                uint32_t bits = glyph[y % height / surface->scale];
                bool is_set = bits >> (7 - x % width / surface->scale) & 1;
                expected = surface->colours[is_set ? foreground : background];
            }
            if (pixel(surface, x, y) != expected)
                fail_msg("pixel %u,%u is 0x%x, not 0x%x", x, y, pixel(surface, x, y), expected);
        }
        /* what the pitch leaves behind the line stays as it was; the last line may end with the memory */
        if (y + 1 < surface->height)
            assert_memory_equal(
                surface->pixels + (size_t)y * surface->pitch_bytes + (size_t)surface->width * surface->bytes_per_pixel,
                before->pixels + (size_t)y * surface->pitch_bytes + (size_t)surface->width * surface->bytes_per_pixel,
                surface->pitch_bytes - surface->width * surface->bytes_per_pixel);
    }
}

static void check_layout(const struct layout *layout, uint32_t width, uint32_t height, uint32_t slack)
{
    uint32_t bytes = layout->depth == 15 ? 2 : layout->depth / 8;
    struct framebuffer_info info = describe(layout, width, height, width * bytes + slack);
    struct surface surface, before;
    uint64_t size;

    assert_int_equal(surface_init(&surface, &info), 0);
    size = surface_size_bytes(&surface);
    surface.pixels = malloc(size); /* exactly: the address sanitizer watches the end */
    before = surface;
    before.pixels = malloc(size);
    memset(surface.pixels, 0x5a, size);
    memcpy(before.pixels, surface.pixels, size);
    for (unsigned i = 0; i < 6; i++) {
        uint32_t column = i % 2 ? surface.columns - 1 : (unsigned)rand() % surface.columns;
        uint32_t row = i % 3 ? surface.rows - 1 : (unsigned)rand() % surface.rows;
        uint32_t character = i % 2 ? 0x2588 : "Ag#~\xe9"[i % 5] & 0xff;

        surface_draw(&surface, column, row, character, i + 9, i);
        check_cell(&surface, column, row, character, i + 9, i, &before);
        memcpy(before.pixels, surface.pixels, size);
    }
    surface_fill(&surface, 3);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++)
            assert_int_equal(pixel(&surface, x, y), surface.colours[3]);
    }
    free(surface.pixels);
    free(before.pixels);
}

static void every_layout(void **state)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        check_layout(&layouts[i], 64, 48, 0);
        check_layout(&layouts[i], 61, 37, 5); /* no whole number of cells, an odd pitch */
        check_layout(&layouts[i], 9, 17, 1);
    }
}

static void large_screens_are_scaled(void **state)
{
    struct framebuffer_info info = describe(&layouts[5], 3840, 33, 3840 * 4);
    struct surface surface;

    assert_int_equal(surface_init(&surface, &info), 0);
    assert_int_equal(surface.scale, 2);
    assert_int_equal(surface.columns, 240);
    check_layout(&layouts[5], 3840, 33, 4);
    check_layout(&layouts[3], 2401, 70, 3);
    check_layout(&layouts[1], 7681, 65, 1);
}

/* White is all bits of every channel, black none, red those of the red channel alone. */
static void channels(void **state)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        const struct layout *layout = &layouts[i];
        struct framebuffer_info info = describe(layout, 640, 480, 640 * 4);
        uint32_t red = ((1u << layout->red_bits) - 1) << layout->red_shift;
        uint32_t green = ((1u << layout->green_bits) - 1) << layout->green_shift;
        uint32_t blue = ((1u << layout->blue_bits) - 1) << layout->blue_shift;
        struct surface surface;

        assert_int_equal(surface_init(&surface, &info), 0);
        assert_int_equal(surface.colours[0], 0);
        assert_int_equal(surface.colours[15] & ~(red | green | blue), 0);
        assert_true((surface.colours[15] & red) >= red - (red >> 8) * 3 - (3u << layout->red_shift));
        assert_true((surface.colours[1] & red) > red / 2);
        assert_true((surface.colours[1] & green) < green / 2 && (surface.colours[1] & blue) < blue / 2);
        assert_true((surface.colours[4] & blue) > blue / 2 && (surface.colours[4] & red) < red / 2);
    }
}

static void refused(struct framebuffer_info info, int expected)
{
    struct surface surface;

    assert_int_equal(surface_init(&surface, &info), expected);
}

static void nonsense_is_refused(void **state)
{
    static const uint8_t depths[] = {0, 1, 4, 8, 14, 17, 31, 33, 64, 255};
    struct framebuffer_info good = describe(&layouts[5], 640, 480, 2560), bad;

    for (size_t i = 0; i < sizeof(depths); i++) {
        bad = good;
        bad.bits_per_pixel = depths[i];
        refused(bad, -EINVAL);
    }
    bad = good, bad.pitch_bytes = 2559;
    refused(bad, -EINVAL);
    bad = good, bad.width = 0x40000001; /* times 4 is 4 in 32 bits */
    refused(bad, -EINVAL);
    bad = good, bad.red_bits = 0;
    refused(bad, -EINVAL);
    bad = good, bad.red_shift = 25;
    refused(bad, -EINVAL);
    bad = good, bad.red_shift = 255, bad.red_bits = 255;
    refused(bad, -EINVAL);
    bad = good, bad.red_shift = 4; /* overlaps green */
    refused(bad, -EINVAL);
    bad = good, bad.width = 7;
    refused(bad, -ERANGE);
    bad = good, bad.height = 0;
    refused(bad, -ERANGE);
    bad = good, bad.width = 0, bad.pitch_bytes = 0;
    refused(bad, -ERANGE);
    bad = good, bad.base.value = 0;
    refused(bad, -ERANGE);
    bad = good, bad.base.value = UINT64_MAX - 100;
    refused(bad, -ERANGE);
    bad = good, bad.base.value = ((uint64_t)1 << 52) - 0x1000;
    refused(bad, -ERANGE);
}

static void font(void **state)
{
    static const uint32_t wanted[] = {0xe4, 0xdf, 0xff, 0x20ac, 0x2190, 0x2193, 0x2500, 0x257f, 0x2580, 0x259f, 0x2026};
    const uint8_t *replacement = font_glyph(0xfffd);

    assert_ptr_equal(font_glyph('A'), font_ascii['A' - 32]);
    assert_ptr_equal(font_glyph(' '), font_ascii[0]);
    assert_ptr_equal(font_glyph('~'), font_ascii[94]);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        assert_ptr_not_equal(font_glyph(wanted[i]), replacement);
    assert_ptr_equal(font_glyph(0), replacement);
    assert_ptr_equal(font_glyph(0x7f), replacement);
    assert_ptr_equal(font_glyph(0x4e00), replacement);
    assert_ptr_equal(font_glyph(0x1f600), replacement);
    for (uint32_t character = 0; character < 0x10100; character++)
        assert_non_null(font_glyph(character));
    for (unsigned row = 0; row < FONT_ROWS; row++)
        assert_int_equal(font_glyph(0x2588)[row], 0xff);
    assert_int_equal(font_glyph('|')[5], 0x08);
    assert_int_equal(font_glyph('_')[14], 0x7f << 0 & 0xff);
}

static void code_page_437(void **state)
{
    assert_int_equal(cp437_encode('A'), 'A');
    assert_int_equal(cp437_encode('~'), '~');
    assert_int_equal(cp437_encode(0xe9), 0x82);
    assert_int_equal(cp437_encode(0x2500), 0xc4);
    assert_int_equal(cp437_encode(0x2588), 0xdb);
    assert_int_equal(cp437_encode(0x2192), 0x1a);
    assert_int_equal(cp437_encode(0xa0), 0xff);
    assert_int_equal(cp437_encode(0x4e00), '?');
    assert_int_equal(cp437_encode(0x1f), '?');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout), cmocka_unit_test(large_screens_are_scaled),
        cmocka_unit_test(channels),     cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(font),         cmocka_unit_test(code_page_437),
    };

    srand(1);
    return cmocka_run_group_tests_name("drivers/surface", tests, NULL, NULL);
}

#include "surface.h"

#include <base/errno.h>
#include <drivers/font.h>
#include <lib/string.h>

/* From this width on the font's 8 pixels are too small to read on the usual panel: 2 * 2 pixels for one, and so on. */
#define PIXELS_PER_SCALE 2400

/* Physical addresses have 52 bits at the most (SDM 3A 4.1.4). */
#define PHYSICAL_END ((uint64_t)1 << 52)

#define GLYPH_BYTES_MAX (FONT_COLUMNS * SURFACE_SCALE_MAX * 4) /* one row of a cell */

/* The sixteen colours, 0xrrggbb, ANSI's order: close to what the usual terminals show. */
static const uint32_t palette[16] = {
    0x000000, 0xcd3131, 0x0dbc79, 0xe5e510, 0x4f8ff0, 0xbc3fbc, 0x11a8cd, 0xd0d0d0,
    0x767676, 0xf14c4c, 0x23d18b, 0xf5f543, 0x6cb0ff, 0xd670d6, 0x29b8db, 0xffffff,
};

static uint32_t bytes_per_pixel(uint32_t bits_per_pixel)
{
    switch (bits_per_pixel) {
    case 15:
    case 16:
        return 2;
    case 24:
        return 3;
    case 32:
        return 4;
    default:
        return 0;
    }
}

static bool mask_fits(unsigned shift, unsigned bits, unsigned bytes)
{
    return bits >= 1 && bits <= 16 && shift + bits <= bytes * 8;
}

static uint32_t channel_mask(unsigned shift, unsigned bits)
{
    return ((1u << bits) - 1) << shift;
}

static bool masks_are_apart(const struct framebuffer_info *info)
{
    uint32_t red = channel_mask(info->red_shift, info->red_bits);
    uint32_t green = channel_mask(info->green_shift, info->green_bits);
    uint32_t blue = channel_mask(info->blue_shift, info->blue_bits);

    return (red & green) == 0 && (red & blue) == 0 && (green & blue) == 0;
}

/* Eight bits to as many as the channel has: the upper ones, or all of them with zeros below. */
static uint32_t channel(uint32_t value, unsigned shift, unsigned bits)
{
    return (bits <= 8 ? value >> (8 - bits) : value << (bits - 8)) << shift;
}

static void make_colours(struct surface *surface, const struct framebuffer_info *info)
{
    for (unsigned i = 0; i < 16; i++)
        surface->colours[i] = channel(palette[i] >> 16, info->red_shift, info->red_bits) |
                              channel(palette[i] >> 8 & 0xff, info->green_shift, info->green_bits) |
                              channel(palette[i] & 0xff, info->blue_shift, info->blue_bits);
}

static uint32_t choose_scale(uint32_t width)
{
    uint32_t scale = 1 + width / PIXELS_PER_SCALE;

    return scale < SURFACE_SCALE_MAX ? scale : SURFACE_SCALE_MAX;
}

int surface_init(struct surface *surface, const struct framebuffer_info *info)
{
    struct surface made = {.width = info->width, .height = info->height, .pitch_bytes = info->pitch_bytes};
    uint64_t size;

    made.bytes_per_pixel = bytes_per_pixel(info->bits_per_pixel);
    if (made.bytes_per_pixel == 0 || !mask_fits(info->red_shift, info->red_bits, made.bytes_per_pixel) ||
        !mask_fits(info->green_shift, info->green_bits, made.bytes_per_pixel) ||
        !mask_fits(info->blue_shift, info->blue_bits, made.bytes_per_pixel) || !masks_are_apart(info))
        return -EINVAL;
    if ((uint64_t)info->width * made.bytes_per_pixel > info->pitch_bytes)
        return -EINVAL;
    made.scale = choose_scale(info->width);
    made.columns = info->width / (FONT_COLUMNS * made.scale);
    made.rows = info->height / (FONT_ROWS * made.scale);
    if (made.columns == 0 || made.rows == 0)
        return -ERANGE;
    size = surface_size_bytes(&made);
    if (info->base.value == 0 || info->base.value >= PHYSICAL_END || size > PHYSICAL_END - info->base.value)
        return -ERANGE;
    make_colours(&made, info);
    *surface = made;
    return 0;
}

uint64_t surface_size_bytes(const struct surface *surface)
{
    return (uint64_t)surface->pitch_bytes * (surface->height - 1) + (uint64_t)surface->width * surface->bytes_per_pixel;
}

/* One row of a glyph as pixels in a buffer of the layout's own bytes, eight columns, by the depth. Pixel by pixel
 * without a branch: the bit chooses between the colours through a mask. */

static uint32_t choose(unsigned bits, unsigned column, uint32_t background, uint32_t difference)
{
    return background ^ (difference & (0u - (bits >> (7 - column) & 1)));
}

static void expand_16(uint64_t *words, unsigned bits, uint32_t background, uint32_t difference)
{
    for (unsigned half = 0; half < 2; half++) {
        uint64_t word = 0;
        for (unsigned i = 0; i < 4; i++)
            word |= (uint64_t)choose(bits, half * 4 + i, background, difference) << (16 * i);
        words[half] = word;
    }
}

static void expand_24(uint64_t *words, unsigned bits, uint32_t background, uint32_t difference)
{
    uint64_t pixels[8];

    for (unsigned i = 0; i < 8; i++)
        pixels[i] = choose(bits, i, background, difference) & 0xffffff;
    words[0] = pixels[0] | pixels[1] << 24 | pixels[2] << 48;
    words[1] = pixels[2] >> 16 | pixels[3] << 8 | pixels[4] << 32 | pixels[5] << 56;
    words[2] = pixels[5] >> 8 | pixels[6] << 16 | pixels[7] << 40;
}

static void expand_32(uint64_t *words, unsigned bits, uint32_t background, uint32_t difference)
{
    for (unsigned i = 0; i < 4; i++)
        words[i] = (uint64_t)choose(bits, 2 * i + 1, background, difference) << 32 |
                   choose(bits, 2 * i, background, difference);
}

static void expand(const struct surface *surface, uint64_t *words, unsigned bits, uint32_t background,
                   uint32_t difference)
{
    if (surface->bytes_per_pixel == 4)
        expand_32(words, bits, background, difference);
    else if (surface->bytes_per_pixel == 2)
        expand_16(words, bits, background, difference);
    else
        expand_24(words, bits, background, difference);
}

/* Every pixel scale times beside itself. */
static void widen(const struct surface *surface, const uint8_t *narrow, uint8_t *wide)
{
    uint32_t size = surface->bytes_per_pixel;

    for (uint32_t i = 0; i < FONT_COLUMNS * surface->scale; i++)
        memcpy(wide + i * size, narrow + i / surface->scale * size, size);
}

static void draw_scaled(const struct surface *surface, uint8_t *at, const uint8_t *glyph, uint32_t background,
                        uint32_t difference)
{
    uint8_t wide[GLYPH_BYTES_MAX];
    size_t length = (size_t)FONT_COLUMNS * surface->scale * surface->bytes_per_pixel;

    for (unsigned row = 0; row < FONT_ROWS; row++) {
        uint64_t words[4];

        expand(surface, words, glyph[row], background, difference);
        widen(surface, (const uint8_t *)words, wide);
        for (uint32_t i = 0; i < surface->scale; i++, at += surface->pitch_bytes)
            memcpy(at, wide, length);
    }
}

void surface_draw(const struct surface *surface, uint32_t column, uint32_t row, uint32_t character, unsigned foreground,
                  unsigned background)
{
    const uint8_t *glyph = font_glyph(character);
    uint32_t from = surface->colours[background], difference = from ^ surface->colours[foreground];
    size_t length = (size_t)FONT_COLUMNS * surface->bytes_per_pixel;
    uint8_t *at = surface->pixels + (size_t)row * FONT_ROWS * surface->scale * surface->pitch_bytes +
                  column * surface->scale * length;

    if (surface->scale > 1) {
        draw_scaled(surface, at, glyph, from, difference);
        return;
    }
    for (unsigned i = 0; i < FONT_ROWS; i++, at += surface->pitch_bytes) {
        uint64_t words[4];

        expand(surface, words, glyph[i], from, difference);
        memcpy(at, words, length);
    }
}

void surface_fill(const struct surface *surface, unsigned colour)
{
    uint64_t words[4];
    size_t block = (size_t)FONT_COLUMNS * surface->bytes_per_pixel,
           line = (size_t)surface->width * surface->bytes_per_pixel;

    expand(surface, words, 0, surface->colours[colour], 0);
    for (uint32_t y = 0; y < surface->height; y++) {
        uint8_t *at = surface->pixels + (size_t)y * surface->pitch_bytes;
        for (size_t done = 0; done < line; done += block)
            memcpy(at + done, words, line - done < block ? line - done : block);
    }
}

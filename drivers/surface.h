/* Character cells drawn as pixels into memory of any true-colour layout. Memory is only written, never read: video
 * memory is slow to read. Pure; tested on the host. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <boot/boot_info.h>

#define SURFACE_SCALE_MAX 4

struct surface {
    uint8_t *pixels; /* top left; may move (surface_move) */
    uint32_t width, height, pitch_bytes;
    uint32_t scale;           /* pixels a side that one pixel of the font takes */
    uint32_t columns, rows;   /* whole cells that fit */
    uint32_t bytes_per_pixel; /* 2, 3 or 4 */
    uint32_t colours[16];     /* as pixel values */
};

/* Checks what the loader says of a frame buffer and works out the layout; pixels stays NULL. Returns 0; -EINVAL where
 * no picture can be meant by it: a depth, masks, a pitch or a size that contradict each other; -ERANGE where not a
 * single character fits or the addresses wrap. */
MUST_CHECK int surface_init(struct surface *surface, const struct framebuffer_info *info);

/* Bytes from the first pixel to behind the last one. */
uint64_t surface_size_bytes(const struct surface *surface);

/* Draws the character into its cell, column below columns, row below rows, colours below 16. */
void surface_draw(const struct surface *surface, uint32_t column, uint32_t row, uint32_t character, unsigned foreground,
                  unsigned background);

/* Makes every pixel, those outside the cells too, the colour of this number. */
void surface_fill(const struct surface *surface, unsigned colour);

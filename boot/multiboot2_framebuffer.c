#include <base/errno.h>
#include <boot/report.h>
#include <hw/multiboot2.h>
#include <lib/string.h>

#include "multiboot2_tags.h"

#define WIDTH_MAX  16384u /* larger than any display; keeps pitch times height far from overflow */
#define HEIGHT_MAX 16384u
#define PITCH_MAX  (WIDTH_MAX * 8)

#define TEXT_CELL_BYTES 2u

static INIT bool is_field(uint8_t position, uint8_t size, uint32_t bits_per_pixel)
{
    return size >= 1 && size <= 8 && position + size <= (int)bits_per_pixel;
}

static INIT bool has_colours(const struct multiboot2_framebuffer *wire, const struct multiboot2_rgb *rgb)
{
    uint32_t bits = wire->bits_per_pixel;

    return (bits == 15 || bits == 16 || bits == 24 || bits == 32) && is_field(rgb->red_position, rgb->red_size, bits) &&
           is_field(rgb->green_position, rgb->green_size, bits) && is_field(rgb->blue_position, rgb->blue_size, bits);
}

/* The rows fit into the pitch, and the whole of it below the end of physical addresses. */
static INIT bool has_geometry(const struct multiboot2_framebuffer *wire, uint32_t bytes_per_cell)
{
    return wire->width >= 1 && wire->width <= WIDTH_MAX && wire->height >= 1 && wire->height <= HEIGHT_MAX &&
           wire->pitch >= wire->width * bytes_per_cell && wire->pitch <= PITCH_MAX && wire->address != 0 &&
           wire->address <= MEMORY_MAP_LIMIT - (uint64_t)wire->pitch * wire->height;
}

static INIT int read_rgb(const struct multiboot2_framebuffer *wire, const struct multiboot2_tag_bytes *tag,
                         struct framebuffer_info *out)
{
    struct multiboot2_rgb rgb;

    if (tag->size < sizeof(*wire) + sizeof(rgb))
        return -EBADMSG;
    memcpy(&rgb, tag->bytes + sizeof(*wire), sizeof(rgb));
    if (!has_colours(wire, &rgb) || !has_geometry(wire, (wire->bits_per_pixel + 7u) / 8))
        return -EINVAL;
    out->kind = FRAMEBUFFER_RGB;
    out->bits_per_pixel = wire->bits_per_pixel;
    out->red_shift = rgb.red_position;
    out->red_bits = rgb.red_size;
    out->green_shift = rgb.green_position;
    out->green_bits = rgb.green_size;
    out->blue_shift = rgb.blue_position;
    out->blue_bits = rgb.blue_size;
    return 0;
}

static INIT int read_text(const struct multiboot2_framebuffer *wire, struct framebuffer_info *out)
{
    if (!has_geometry(wire, TEXT_CELL_BYTES))
        return -EINVAL;
    out->kind = FRAMEBUFFER_VGA_TEXT;
    out->bits_per_pixel = TEXT_CELL_BYTES * 8;
    return 0;
}

INIT void multiboot2_read_framebuffer(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    struct multiboot2_framebuffer wire;
    struct framebuffer_info info = {.kind = FRAMEBUFFER_NONE};
    int error = -ENOTSUP;

    memcpy(&wire, tag->bytes, sizeof(wire));
    if (wire.type == MULTIBOOT2_FRAMEBUFFER_RGB)
        error = read_rgb(&wire, tag, &info);
    else if (wire.type == MULTIBOOT2_FRAMEBUFFER_TEXT)
        error = read_text(&wire, &info);
    if (error != 0) {
        boot_note("multiboot2: framebuffer at +%#x (type %u, %ux%u, %u bits, pitch %u, address %#llx) cannot be used",
                  tag->offset, wire.type, wire.width, wire.height, wire.bits_per_pixel, wire.pitch,
                  (unsigned long long)wire.address);
        return;
    }
    info.base = paddr(wire.address);
    info.width = wire.width;
    info.height = wire.height;
    info.pitch_bytes = wire.pitch;
    reader->out->framebuffer = info;
}

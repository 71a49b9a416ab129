#include <drivers/vga_text.h>

#include <cpu/io.h>
#include <debug/log.h>
#include <hw/vga.h>
#include <mm/paging.h>
#include <mm/physmap.h>
#include <mm/vmalloc.h>

#include "cp437.h"
#include "text_screen.h"

static struct text_screen screen;      /* [console lock] once registered */
static bool is_registered;             /* [I] */
static volatile uint16_t *cells;       /* [console lock] */
static volatile uint16_t *final_cells; /* [I] once change is asked for */

/* ANSI counts red 1, green 2, blue 4; VGA the other way. Bright backgrounds would blink. */
static uint8_t vga_colour(uint8_t ansi)
{
    return (uint8_t)((ansi & 10) | (ansi & 1) << 2 | (ansi & 4) >> 2);
}

static void draw(struct text_screen *drawn, unsigned column, unsigned row, struct vt_cell cell)
{
    uint8_t attribute = (uint8_t)(vga_colour(cell.foreground) | (vga_colour(cell.background) & 7) << 4);

    cells[row * drawn->vt.columns + column] = (uint16_t)(attribute << 8 | cp437_encode(cell.character));
}

static void write_crtc(uint8_t index, uint8_t value)
{
    out8(VGA_CRTC_INDEX, index);
    out8(VGA_CRTC_DATA, value);
}

static void show_cursor(struct text_screen *drawn)
{
    unsigned at = drawn->vt.cursor.row * drawn->vt.columns + drawn->vt.cursor.column;

    write_crtc(VGA_CRTC_CURSOR_START, drawn->vt.is_cursor_hidden ? VGA_CURSOR_OFF : 13);
    write_crtc(VGA_CRTC_CURSOR_END, 14); /* scan lines 13 and 14 of 16: an underline */
    write_crtc(VGA_CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
    write_crtc(VGA_CRTC_CURSOR_LOW, (uint8_t)at);
}

/* As in framebuffer.c. */
static bool is_ready(struct text_screen *drawn)
{
    struct mapping mapping;

    (void)drawn;
    return cells == final_cells || paging_lookup(vaddr_of(cells), &mapping) == 0;
}

static uint16_t read_bios_word(uint64_t address)
{
    const uint8_t *bytes = phys_to_virt(paddr(address));

    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* Where nobody says what the screen is in: the BIOS set mode 3, and there is memory. A machine without a VGA BIOS has
 * zeros in the data area. */
static bool bios_left_text_mode(void)
{
    const volatile uint8_t *mode = phys_to_virt(paddr(BDA_VIDEO_MODE));
    volatile uint16_t *first = phys_to_virt(paddr(VGA_TEXT_BASE));
    uint16_t kept;
    bool keeps;

    if (*mode != VIDEO_MODE_TEXT || read_bios_word(BDA_VIDEO_COLUMNS) != 80 ||
        read_bios_word(BDA_CRTC_PORT) != VGA_CRTC_INDEX)
        return false;
    kept = *first;
    *first = 0x0f55;
    keeps = *first == 0x0f55;
    *first = kept;
    return keeps;
}

/* The size the loader gives, or nothing where it cannot be: the memory would not hold it. */
static bool is_possible(const struct framebuffer_info *info)
{
    return info->base.value == VGA_TEXT_BASE && info->width >= 40 && info->width <= TEXT_SCREEN_EARLY_COLUMNS &&
           info->height >= 1 && info->height <= TEXT_SCREEN_EARLY_ROWS &&
           (uint64_t)info->width * info->height * 2 <= VGA_TEXT_SIZE &&
           (info->pitch_bytes == 0 || info->pitch_bytes == info->width * 2);
}

static void start(unsigned columns, unsigned rows)
{
    cells = phys_to_virt(paddr(VGA_TEXT_BASE));
    screen.draw = draw;
    screen.show_cursor = show_cursor;
    screen.is_ready = is_ready;
    text_screen_init(&screen, "vga text", columns, rows);
    is_registered = true;
    log_info("vga: text mode, %ux%u characters", columns, rows);
    console_register(&screen.console);
}

void vga_text_init(const struct boot_info *info)
{
    const struct framebuffer_info *told = &info->framebuffer;

    if (told->kind == FRAMEBUFFER_VGA_TEXT && is_possible(told))
        start(told->width, told->height);
    else if (told->kind == FRAMEBUFFER_VGA_TEXT)
        log_warn("vga: ignored: text mode of %ux%u at 0x%lx cannot be", told->width, told->height, told->base.value);
    else if (told->kind == FRAMEBUFFER_NONE && info->protocol == BOOT_PROTOCOL_PVH && bios_left_text_mode())
        start(80, 25);
}

/* With the console lock held. */
static void move(struct text_screen *moved)
{
    cells = final_cells;
    text_screen_forget_shown(moved);
}

void vga_text_remap(void)
{
    if (!is_registered)
        return;
    final_cells = device_map(paddr(VGA_TEXT_BASE), VGA_TEXT_SIZE, MAP_WRITE | MAP_UNCACHED);
    if (!final_cells) {
        log_warn("vga: no memory to map it: it shows nothing more");
        return;
    }
    text_screen_change(&screen, move);
}

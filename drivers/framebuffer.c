#include <drivers/framebuffer.h>

#include <base/errno.h>
#include <debug/log.h>
#include <drivers/font.h>
#include <mm/kmalloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>
#include <mm/vmalloc.h>

#include "surface.h"
#include "text_screen.h"

#define EARLY_END ((uint64_t)4 << 30) /* the physmap ends here before mm_init */

enum state { FRAMEBUFFER_ABSENT, FRAMEBUFFER_WAITING, FRAMEBUFFER_EARLY, FRAMEBUFFER_MAPPED };

static enum state state;            /* [console lock] once registered */
static struct surface surface;      /* [console lock] once registered */
static struct text_screen screen;   /* [console lock] once registered */
static paddr_t base;                /* [I] */
static uint8_t *final_pixels;       /* [I] once change is asked for */
static struct vt_cell *final_grids; /* [I] likewise; NULL where there was no memory */

static void draw(struct text_screen *drawn, unsigned column, unsigned row, struct vt_cell cell)
{
    (void)drawn;
    surface_draw(&surface, column, row, cell.character, cell.foreground, cell.background);
}

/* The early mapping ends with the boot's page tables, and nobody tells us when: look. */
static bool is_ready(struct text_screen *drawn)
{
    struct mapping mapping;

    (void)drawn;
    return state == FRAMEBUFFER_MAPPED ||
           (state == FRAMEBUFFER_EARLY && paging_lookup(vaddr_of(surface.pixels), &mapping) == 0);
}

void framebuffer_init(const struct framebuffer_info *info)
{
    int error;

    if (info->kind != FRAMEBUFFER_RGB)
        return;
    error = surface_init(&surface, info);
    if (error != 0) {
        log_warn("framebuffer: ignored: %ux%u at 0x%lx with %u bits a pixel and %u bytes a line %s", info->width,
                 info->height, info->base.value, info->bits_per_pixel, info->pitch_bytes,
                 error == -EINVAL ? "is no picture" : "cannot show a character");
        return;
    }
    base = info->base;
    log_info("framebuffer: %ux%u, %u bits a pixel, %u bytes a line, at 0x%lx", info->width, info->height,
             info->bits_per_pixel, info->pitch_bytes, base.value);
    screen.draw = draw;
    screen.is_ready = is_ready;
    text_screen_init(&screen, "framebuffer", surface.columns, surface.rows);
    state = FRAMEBUFFER_WAITING;
    if (base.value + surface_size_bytes(&surface) > EARLY_END) {
        log_info("framebuffer: above 4 GiB: nothing is shown until memory is set up");
    } else {
        surface.pixels = phys_to_virt(base);
        state = FRAMEBUFFER_EARLY;
    }
    console_register(&screen.console);
}

/* With the console lock held. */
static void move(struct text_screen *moved)
{
    surface.pixels = final_pixels;
    state = FRAMEBUFFER_MAPPED;
    surface_fill(&surface, VT_BACKGROUND);
    if (final_grids)
        text_screen_resize(moved, final_grids, surface.columns, surface.rows);
    else
        text_screen_forget_shown(moved);
}

void framebuffer_remap(void)
{
    if (state == FRAMEBUFFER_ABSENT)
        return;
    final_pixels = device_map(base, surface_size_bytes(&surface), MAP_WRITE | MAP_WRITE_COMBINE);
    if (!final_pixels) {
        log_warn("framebuffer: no memory to map it: it shows nothing more");
        return;
    }
    final_grids = vmalloc(2 * sizeof(struct vt_cell) * surface.columns * surface.rows, ALLOC_NORMAL);
    if (!final_grids)
        log_warn("framebuffer: no memory for the whole screen: the text takes a part of it");
    text_screen_change(&screen, move);
    log_info("framebuffer: %ux%u characters", final_grids ? surface.columns : screen.vt.columns,
             final_grids ? surface.rows : screen.vt.rows);
}

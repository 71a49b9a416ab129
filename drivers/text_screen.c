#include "text_screen.h"

#define EARLY_CELLS (TEXT_SCREEN_EARLY_COLUMNS * TEXT_SCREEN_EARLY_ROWS)

static struct vt_cell early_grids[2 * EARLY_CELLS]; /* [console lock] of the one screen that is there early */

static struct text_screen *screen_of(struct console *console)
{
    return CONTAINER_OF(console, struct text_screen, console);
}

static bool cells_are_equal(struct vt_cell a, struct vt_cell b)
{
    return a.character == b.character && a.foreground == b.foreground && a.background == b.background;
}

static void draw_row(struct text_screen *screen, unsigned row)
{
    const struct vt *vt = &screen->vt;
    struct vt_cell *shown = screen->shown + (size_t)row * vt->columns;

    for (unsigned column = 0; column < vt->columns; column++) {
        struct vt_cell cell = screen->show_cursor ? vt_cell(vt, column, row) : vt_cell_with_cursor(vt, column, row);

        if (cells_are_equal(cell, shown[column]))
            continue;
        screen->draw(screen, column, row, cell);
        shown[column] = cell;
    }
}

static void make_change(struct text_screen *screen)
{
    /* Acquire, pairs with the release in text_screen_change. */
    void (*change)(struct text_screen *) = __atomic_exchange_n(&screen->change, NULL, __ATOMIC_ACQUIRE);

    if (change)
        change(screen);
}

static void text_screen_write(struct console *console, const char *bytes, size_t length)
{
    struct text_screen *screen = screen_of(console);

    make_change(screen);
    vt_write(&screen->vt, bytes, length);
}

/* Where the memory cannot be written the rows stay dirty. */
static void text_screen_flush(struct console *console)
{
    struct text_screen *screen = screen_of(console);
    unsigned row, end;

    make_change(screen);
    if (!screen->is_ready(screen) || !vt_take_dirty(&screen->vt, &row, &end))
        return;
    for (; row < end; row++)
        draw_row(screen, row);
    if (screen->show_cursor)
        screen->show_cursor(screen);
}

void text_screen_forget_shown(struct text_screen *screen)
{
    /* A cell no terminal makes: its colours do not exist. */
    for (size_t i = 0; i < (size_t)screen->vt.columns * screen->vt.rows; i++)
        screen->shown[i] = (struct vt_cell){0, 0xff, 0xff};
    screen->vt.dirty_first = 0;
    screen->vt.dirty_end = screen->vt.rows;
}

void text_screen_init(struct text_screen *screen, const char *name, unsigned columns, unsigned rows)
{
    if (columns > TEXT_SCREEN_EARLY_COLUMNS)
        columns = TEXT_SCREEN_EARLY_COLUMNS;
    if (rows > TEXT_SCREEN_EARLY_ROWS)
        rows = TEXT_SCREEN_EARLY_ROWS;
    screen->console = (struct console){.name = name, .write = text_screen_write, .flush = text_screen_flush};
    screen->shown = early_grids + EARLY_CELLS;
    vt_init(&screen->vt, early_grids, columns, rows);
    text_screen_forget_shown(screen);
}

void text_screen_resize(struct text_screen *screen, struct vt_cell *grids, unsigned columns, unsigned rows)
{
    vt_resize(&screen->vt, grids, columns, rows);
    screen->shown = grids + (size_t)columns * rows;
    text_screen_forget_shown(screen);
}

void text_screen_change(struct text_screen *screen, void (*change)(struct text_screen *screen))
{
    __atomic_store_n(&screen->change, change, __ATOMIC_RELEASE);
}

/* A console on a screen of character cells, whatever draws them: the terminal's grid beside the grid of what is shown,
 * so that only cells that changed are drawn and video memory is never read. */
#pragma once

#include <base/compiler.h>
#include <debug/console.h>

#include "vt.h"

struct text_screen {
    struct console console; /* first: found from the console */
    struct vt vt;           /* [console lock] */
    struct vt_cell *shown;  /* [console lock] vt.columns * vt.rows, row by row */

    /* Draws one cell. */
    void (*draw)(struct text_screen *screen, unsigned column, unsigned row, struct vt_cell cell);
    /* Shows the cursor at vt.cursor; NULL where it is drawn by reversing its cell. */
    void (*show_cursor)(struct text_screen *screen);
    /* The video memory can be written just now. */
    bool (*is_ready)(struct text_screen *screen);
    /* A change to be made with the console lock held, before the next output: see text_screen_change. */
    void (*change)(struct text_screen *screen);
};

/* The largest screen that needs no allocator. */
#define TEXT_SCREEN_EARLY_COLUMNS 132
#define TEXT_SCREEN_EARLY_ROWS    50

/* Sets screen->console and the grids up, in memory of its own: for one screen, and cut to the early size. draw,
 * show_cursor and is_ready are the caller's to set before. The caller registers the console. Context: init. */
void text_screen_init(struct text_screen *screen, const char *name, unsigned columns, unsigned rows);

/* Moves to grids of another size: two grids of columns * rows cells in one allocation. In change only. */
void text_screen_resize(struct text_screen *screen, struct vt_cell *grids, unsigned columns, unsigned rows);

/* Nothing of what is shown is right any more: draws all of it next time. In change only. */
void text_screen_forget_shown(struct text_screen *screen);

/* Has change called with the console lock held, before the next output. Context: init. */
void text_screen_change(struct text_screen *screen, void (*change)(struct text_screen *screen));

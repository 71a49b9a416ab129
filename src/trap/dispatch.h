#pragma once

#include <cpu/trap_frame.h>

/* The one C entry of all 256 vectors; called by entry.asm only, interrupts off. */
void trap_dispatch(struct trap_frame *frame);

/* The text mode of a VGA as a console, where there is no frame buffer. */
#pragma once

#include <base/compiler.h>
#include <boot/boot_info.h>

/* Makes it a console when the loader says that the screen is in text mode; a loader that says nothing of screens at all
 * (PVH) leaves it to the BIOS data area. The hardware is not touched else. Context: init, once. */
void vga_text_init(const struct boot_info *info);

/* Maps the video memory for good. Nothing is shown between the kernel's own page tables and this. Context: init, once,
 * after heap_init. */
void vga_text_remap(void);

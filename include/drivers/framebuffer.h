/* The linear frame buffer the loader set up, as a console. */
#pragma once

#include <base/compiler.h>
#include <boot/boot_info.h>

/* Makes it a console if there is one. One that lies above what is mapped before mm_init waits for framebuffer_remap;
 * one that makes no sense (a depth that is none of 15, 16, 24 and 32, a pitch below the width) is left alone and said.
 * Until framebuffer_remap the text takes a part of a large screen. Context: init, once. */
void framebuffer_init(const struct framebuffer_info *info);

/* Maps the frame buffer for good, write combining, and takes the whole screen. Nothing is drawn between the kernel's
 * own page tables and this. Context: init, once, after heap_init. */
void framebuffer_remap(void);

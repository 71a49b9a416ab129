/* VGA text mode (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem) and the BIOS data area's account of
 * it. */
#pragma once

#define VGA_CRTC_INDEX        0x3d4
#define VGA_CRTC_DATA         0x3d5
#define VGA_CRTC_CURSOR_START 0x0a
#define VGA_CRTC_CURSOR_END   0x0b
#define VGA_CRTC_CURSOR_HIGH  0x0e
#define VGA_CRTC_CURSOR_LOW   0x0f
#define VGA_CURSOR_OFF        0x20 /* in VGA_CRTC_CURSOR_START */

#define VGA_TEXT_BASE 0xb8000
#define VGA_TEXT_SIZE 0x8000

/* BIOS data area, physical addresses. */
#define BDA_VIDEO_MODE    0x449 /* byte: 3 is 80x25 in colour */
#define BDA_VIDEO_COLUMNS 0x44a /* word */
#define BDA_CRTC_PORT     0x463 /* word */
#define BDA_VIDEO_ROWS    0x484 /* byte: less one */
#define VIDEO_MODE_TEXT   3

/* Walking a stack by frame pointers, across exceptions. Guesses nothing: each frame is checked to lie in a known stack,
 * above the one before, and to return into kernel code; where that fails the walk ends and says why. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

#define BACKTRACE_FRAMES_MAX 2048 /* more than a stack holds: two words each */

enum backtrace_kind {
    BACKTRACE_POINT,     /* where the walk began, or where an exception came in */
    BACKTRACE_RETURN,    /* a return address: the call is right before it */
    BACKTRACE_EXCEPTION, /* address is that of the struct trap_frame; the interrupted code follows */
};

enum backtrace_end {
    BACKTRACE_BOTTOM,     /* the first frame of this stack */
    BACKTRACE_USER,       /* the exception came from user mode */
    BACKTRACE_MISALIGNED, /* frame pointer not a multiple of 8 */
    BACKTRACE_NO_STACK,   /* frame pointer in no known stack */
    BACKTRACE_BACKWARDS,  /* not above the frame before */
    BACKTRACE_BAD_RETURN, /* return address not in kernel code */
    BACKTRACE_LIMIT,      /* BACKTRACE_FRAMES_MAX frames */
    BACKTRACE_GOING_ON,
};

struct backtrace_frame {
    enum backtrace_kind kind;
    uint64_t address;
};

enum backtrace_phase {
    BACKTRACE_PHASE_POINT, /* rip is where code was interrupted, and not given out yet */
    BACKTRACE_PHASE_CALL,  /* rip is where a call returns to, and not given out yet */
    BACKTRACE_PHASE_TOP,   /* rip's own return address may still be on top of the stack */
    BACKTRACE_PHASE_FRAMES,
};

/* The walk's state; all private but end and end_value. */
struct backtrace {
    uint64_t rip, rsp, rbp;
    enum backtrace_phase phase;
    unsigned nr_frames;
    enum backtrace_end end;
    uint64_t end_value; /* what was wrong: the frame pointer, the return address */
};

/* Starts at the interrupted code. Context: any. */
void backtrace_begin(struct backtrace *walk, const struct trap_frame *frame);

/* Fills *frame and returns true; false when the walk is over, with end and end_value set. Reads stack memory only. */
bool backtrace_next(struct backtrace *walk, struct backtrace_frame *frame);

/* "bottom of stack 'boot'", "frame pointer 0x41 lies in no known stack". */
void backtrace_describe_end(const struct backtrace *walk, char *buffer, size_t size);

/* Code of the kernel image, init code included while it is there. */
bool address_is_kernel_text(uint64_t address);

/* Formats "0x... function+0x12 (file.c:34)"; a return address is looked up by the call before it. Context: any. */
void format_code_location(char *buffer, size_t size, uint64_t address, bool is_return_address);

/* Logs the callers of the caller, a record a frame. Context: any. */
void backtrace_log(void);

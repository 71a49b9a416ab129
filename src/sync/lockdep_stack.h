/* Where the checker's callers come from. Private to it. */
#pragma once

#include <base/types.h>

/* The return addresses from a function's own frame on, at most LOCKDEP_FRAMES_MAX; at least one. Reads nothing outside
 * of the stack that frame lies on. Context: interrupts off. */
uint32_t lockdep_capture_stack(const void **frames, const uint64_t *frame);

/* A short backtrace by frame pointers, for the sites that a debug build keeps with each object. */
#include <base/layout.h>

#include "heap_fault.h"

/* Frames are followed only upwards and not further than a stack is long, so that a broken chain ends the walk, not the
 * kernel. The first frame is this function's caller's (kmalloc, say), whose return address is the site itself. */
void heap_trace(uint32_t *trace, unsigned depth)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    const uintptr_t start = (uintptr_t)frame;
    unsigned n = 0;

    while (n < depth) {
        uintptr_t next = frame[0];

        if (next <= (uintptr_t)frame || next - start >= KERNEL_STACK_SIZE || next % sizeof(uintptr_t))
            break;
        frame = (const uintptr_t *)next;
        trace[n++] = code_site((const void *)frame[1]);
    }
    while (n < depth)
        trace[n++] = 0;
}

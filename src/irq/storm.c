/* When interrupts are too many. A line that nobody owns up to is stuck or wired wrongly, and level-triggered it comes
 * again as soon as it is ended: the interrupted code never moves. On a shared line another device may be at work
 * meanwhile, and its interrupts are few among those. A device that is merely busy must not be masked,
 * however fast: the bound for handled interrupts is what only a handler that does not quiet its device reaches. */
#include "internal.h"

#define WINDOW_NS     100000000ull /* 0.1 s */
#define UNCLAIMED_MAX 1000u        /* a window, with not one in HANDLED_PART of them handled */
#define HANDLED_PART  100u
#define HANDLED_MAX   200000u /* a window: 2,000,000 a second */

bool storm_note(struct storm_watch *watch, bool is_handled, uint64_t now_ns)
{
    if (now_ns - watch->window_start_ns >= WINDOW_NS)
        *watch = (struct storm_watch){.window_start_ns = now_ns};
    if (is_handled)
        watch->handled++;
    else
        watch->unclaimed++;
    return (watch->unclaimed >= UNCLAIMED_MAX && watch->handled < watch->unclaimed / HANDLED_PART) ||
           watch->handled >= HANDLED_MAX;
}

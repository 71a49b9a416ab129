/* When interrupts are too many. A line that nobody owns up to is stuck or wired wrongly, and level-triggered it comes
 * again as soon as it is ended: the interrupted code never moves. On a shared line another device may be at work
 * meanwhile, and its interrupts are few among those. A device that is merely busy must not be masked,
 * however fast: the bound for handled interrupts is what only a handler that does not quiet its device reaches. */
#include "internal.h"

#define WINDOW_NS     100000000ull /* 0.1 s */
#define UNCLAIMED_MAX 1000u        /* a window, with not one in HANDLED_PART of them handled */
#define HANDLED_PART  100u
#define HANDLED_MAX   200000u /* a window: 2,000,000 a second */

/* The clock is read when a count begins and when it is full, not at each interrupt: one that is handled costs a count.
 */
bool storm_note(struct storm_watch *watch, bool is_handled, uint64_t (*now_ns)(void))
{
    bool is_full;

    if (UNLIKELY(watch->handled + watch->unclaimed == 0))
        watch->begin_ns = now_ns();
    is_full = is_handled ? ++watch->handled >= HANDLED_MAX : ++watch->unclaimed % UNCLAIMED_MAX == 0;
    if (LIKELY(!is_full))
        return false;
    if (now_ns() - watch->begin_ns < WINDOW_NS &&
        (watch->handled >= HANDLED_MAX || watch->handled < watch->unclaimed / HANDLED_PART))
        return true;
    *watch = (struct storm_watch){0};
    return false;
}

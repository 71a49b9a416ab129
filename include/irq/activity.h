/* Something has happened: for those who wait for a condition that an interrupt's handler, a timer, deferred work or a
 * piece of work (dev/work.h) makes true without knowing who waits. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* How many wait; who does counts itself before it looks at its condition. [a] */
extern uint32_t activity_nr_waiting;

/* Called whenever it happens while somebody waits: wakes all of them. Context: init. */
void activity_set_waker(void (*wake)(void));
void activity_wake(void);

/* It has happened; what made a condition true comes before it. Pairs with the full barrier of who counts itself: either
 * that one finds its condition, or it is counted here. Context: any but NMI. */
static ALWAYS_INLINE void activity_note(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (UNLIKELY(__atomic_load_n(&activity_nr_waiting, __ATOMIC_RELAXED) != 0))
        activity_wake();
}

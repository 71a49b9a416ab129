/* What a thread leaves in a list while it waits to be woken; sync/waiter.h says who does what with it. */
#pragma once

#include <base/types.h>
#include <lib/list.h>

struct thread;

enum waiter_state { WAITER_OUT, WAITER_QUEUED, WAITER_TAKEN, WAITER_RELEASED };

struct waiter {
    struct list link;      /* [l] while QUEUED, where it is in a list; l: the list's lock */
    struct thread *thread; /* [I] */
    uint32_t state;        /* [a] enum waiter_state */
};

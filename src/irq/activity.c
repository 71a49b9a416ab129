#include <irq/activity.h>

uint32_t activity_nr_waiting; /* [a] */

static void (*waker)(void); /* [I] after boot */

void activity_set_waker(void (*wake)(void))
{
    waker = wake;
}

void activity_wake(void)
{
    if (waker)
        waker();
}

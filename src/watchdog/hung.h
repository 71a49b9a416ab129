/* Threads that have waited too long for what should not take for ever. Private to the watchdog. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* A CPU is busy: from here on threads may begin to wait. Context: irq-off. */
void hung_watch(void);

/* False where every CPU halts, this one's interrupt aside. Context: irq-off. */
bool watch_is_anybody_busy(void);

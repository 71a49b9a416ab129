/* What the consoles need of the log. */
#pragma once

#include <base/types.h>

/* The record of this number can be read, or has been overwritten. Context: any. */
bool log_is_complete(uint64_t sequence);

/* Records that could not be written, because the ring went round under their slot's writer. Context: any. */
uint64_t log_dropped(void);

/* See log_ring_force. */
void log_enter_panic(void);

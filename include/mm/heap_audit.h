/* The heap's own part of `audit`: every list of slabs, free list, object and magazine. */
#pragma once

#include <mm/audit.h>

extern struct audit heap_audit; /* registered by heap_init */

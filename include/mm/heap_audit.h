/* The heap's own parts of `audit`, registered by heap_init. */
#pragma once

#include <mm/audit.h>

extern struct audit heap_audit;    /* every list of slabs, free list, object and magazine */
extern struct audit vmalloc_audit; /* the tree of areas; every frame and its mapping */

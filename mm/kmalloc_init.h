/* The steps of heap_init. */
#pragma once

#include <base/compiler.h>

/* Slab caches for kmalloc. Returns 0, or -ENOMEM. Context: init, once (host tests: each). */
MUST_CHECK int kmalloc_init(void);

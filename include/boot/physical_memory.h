/* The seam through which boot information reads physical memory: the early physmap in the kernel, an array in tests. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>

struct physical_memory {
    /* Copies size bytes at address to `to`; false, with nothing copied, where not all of them can be read. */
    bool (*read)(const struct physical_memory *memory, paddr_t address, void *to, size_t size);
};

#pragma once

#include <base/address.h>

/* Who a physical page belongs to: "frame 0x1234: slab cache 'kmalloc-64'". No lock. Context: any. */
void describe_physical_owner(paddr_t address, char *buffer, size_t size);

/* What vmalloc.c and stack.c share. */
#pragma once

#include "vm_area.h"

extern uint64_t vm_pages_held[2]; /* by kind: VM_AREA_PAGES, VM_AREA_STACK */

/* Backs the area with frames and maps them. Returns 0, or -ENOMEM with nothing mapped and nothing held. */
MUST_CHECK int vm_area_populate(struct vm_area *area, unsigned alloc_flags);

/* Which part of a stack's area it is: "stack 'idle'", "guard page below stack 'idle'", "stack guard page of thread 12
 * 'init'". */
void stack_area_format(const struct vm_area *area, uint64_t address, char *buffer, size_t size);

/* Takes the area's mappings away, a stack's guard marks too. */
void vm_area_unmap(struct vm_area *area);

/* Frees all of the area of this kind that begins at address; ends the kernel where there is none. */
void vm_area_destroy(const void *address, enum vm_area_kind kind, const char *function);

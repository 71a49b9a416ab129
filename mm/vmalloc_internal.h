/* What vmalloc.c and stack.c share. */
#pragma once

#include "vm_area.h"

extern uint64_t vm_pages_held[2]; /* by kind: VM_AREA_PAGES, VM_AREA_STACK */

/* Backs the area with frames and maps them. Returns 0, or -ENOMEM with nothing mapped and nothing held. */
MUST_CHECK int vm_area_populate(struct vm_area *area, unsigned alloc_flags);

/* Unmaps, frees the frames and the area. */
void vm_area_depopulate(struct vm_area *area);

/* Unmaps the area, a stack's guard marks too. */
void vm_area_unmap(struct vm_area *area);

/* The area of this kind that begins at address; ends the kernel where there is none. */
struct vm_area *vm_area_to_free(const void *address, enum vm_area_kind kind, const char *function);

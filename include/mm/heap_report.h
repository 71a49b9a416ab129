/* What the heap says when it finds a broken object: the class words that begin the panic message, the patterns a report
 * may show, and what an address in the heap is. Tests and the report checker compare with these words. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define HEAP_USE_AFTER_FREE_WRITE "heap: use after free write"
#define HEAP_DOUBLE_FREE          "heap: double free"
#define HEAP_REDZONE_OVERWRITTEN  "heap: redzone overwritten" /* followed by " (overflow of N bytes)" */
#define HEAP_FREE_LIST            "heap: free list overwritten"
#define HEAP_TRAILER_OVERWRITTEN  "heap: object trailer overwritten"
#define HEAP_NOT_AN_OBJECT        "heap: not a heap object"
#define HEAP_WRONG_CACHE          "heap: wrong cache"
#define HEAP_MIDDLE_OF_OBJECT     "heap: pointer into the middle of an object"

/* What freed memory is filled with: at any byte offset eight bytes of it are a non-canonical address, so that following
 * a pointer read from a freed object faults at once. */
#define HEAP_POISON_FREE 0xdeadf1eedeadf1ee
/* What a debug build fills new, not cleared objects with. */
#define HEAP_POISON_NEW 0xbadc0deebadc0dee
/* The eight bytes behind an object's last byte while it is in use. No byte of it is 0, 0xff or a printable character.
 */
#define HEAP_REDZONE 0xc19ba4d3e5b7c6a9

/* Writes what a physmap address is to the heap: "slab object 'kmalloc-48' +12 (in use, 40 bytes, allocated at f+0x12)".
 * Returns false where the address is none of the heap's. Takes no lock; for reports. Context: any. */
bool heap_describe(const void *address, char *buffer, size_t size);

/* Where a freed object keeps its link to the next free one; NULL where object is no free slab object. For the provoked
 * fault that overwrites it. Context: any. */
void *heap_free_link_of(void *object);

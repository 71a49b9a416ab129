/* Two-level segregated fit (M. Masmano, I. Ripoll, A. Crespo, J. Real: "TLSF: a new dynamic memory allocator for
 * real-time systems", ECRTS 2004): constant-time allocation and free from blocks of any size that are split and merged.
 *
 * An arena is a block of pages from the page allocator:
 *
 *     [ struct tlsf_arena | block | block | ... | end block ]
 *
 * Blocks lie next to each other; each has a header with its own size and that of the one before. The end block is
 * always in use and has no payload. Free blocks are in one of the lists of the heap, by size: FIRST_LEVELS powers of
 * two, each cut into SECOND_LEVELS equal steps; a bit for each list that is not empty finds the first that is large
 * enough.
 *
 * Invariants:
 *   1. block + size = next block; next->previous_size = size; the first block's previous_size is 0
 *   2. no two free blocks are neighbours
 *   3. a free block is in the list of its size, and its bits are set exactly when the list is not empty
 *   4. a free block's payload holds its list links and then poison, up to TLSF_POISON_BYTES
 *
 * All of it is guarded by the heap's lock. */
#pragma once

#include <base/align.h>
#include <base/compiler.h>
#include <lib/list.h>
#include <mm/audit.h>
#include <mm/page.h>
#include <sync/spinlock.h>

#include "heap_fault.h"

#define TLSF_ALIGNMENT     16u
#define TLSF_SECOND_SHIFT  4u
#define TLSF_SECOND_LEVELS (1u << TLSF_SECOND_SHIFT)
#define TLSF_LINEAR_SHIFT  8u  /* below 256 bytes each multiple of 16 has its own list */
#define TLSF_FIRST_LEVELS  16u /* the last one holds blocks of up to 2^(8 + 15) bytes */
#define TLSF_POISON_BYTES  64u
#define TLSF_ARENA_ORDER   6u /* 256 KiB: an arena's usual size */
#define TLSF_REQUEST_MAX   KIB(512)

/* In front of each block's payload. */
struct tlsf_block {
    uint32_t size;          /* header included, a multiple of TLSF_ALIGNMENT */
    uint32_t previous_size; /* of the block directly before; 0 for the first */
    uint32_t allocated_at;  /* code site */
    uint32_t state;         /* TLSF_USED | requested bytes, or TLSF_FREE | code site of the free */
};
static_assert(sizeof(struct tlsf_block) == TLSF_ALIGNMENT, "payloads are aligned as headers are");

#define TLSF_USED      0x5a000000u
#define TLSF_USED_MASK 0xff000000u
#define TLSF_FREE      0xf0000000u
#define TLSF_FREE_MASK 0xf0000000u

#define TLSF_BLOCK_MIN (sizeof(struct tlsf_block) + sizeof(struct list))

struct tlsf_arena {
    struct list link;       /* [l] */
    struct tlsf_heap *heap; /* [I] */
    struct page *page;      /* [I] */
    uint64_t size;          /* [I] bytes */
    uint64_t used;          /* [l] blocks in use, the end block not counted */
};

struct tlsf_heap {
    struct spinlock lock;
    unsigned page_flags; /* [I] for page_alloc */
    uint64_t pages;      /* [l] held */
    struct list arenas;  /* [l] */
    uint32_t first_bits; /* [l] */
    uint32_t second_bits[TLSF_FIRST_LEVELS];
    struct list free[TLSF_FIRST_LEVELS][TLSF_SECOND_LEVELS];
};

static inline void *tlsf_payload(struct tlsf_block *block)
{
    return block + 1;
}

static inline struct tlsf_block *tlsf_next(struct tlsf_block *block)
{
    return (struct tlsf_block *)((char *)block + block->size);
}

static inline struct tlsf_block *tlsf_previous(struct tlsf_block *block)
{
    return block->previous_size ? (struct tlsf_block *)((char *)block - block->previous_size) : NULL;
}

static inline bool tlsf_is_free(const struct tlsf_block *block)
{
    return (block->state & TLSF_FREE_MASK) == TLSF_FREE;
}

static inline struct tlsf_block *tlsf_first(struct tlsf_arena *arena)
{
    return (struct tlsf_block *)((char *)arena + align_up(sizeof(*arena), TLSF_ALIGNMENT));
}

/* tlsf_heap.c. Sizes are those of blocks. */
void tlsf_heap_init(struct tlsf_heap *heap, const char *name, unsigned page_flags);
/* A free block of at least size bytes, out of its list, or NULL. fault is filled where its poison was overwritten. */
struct tlsf_block *tlsf_take(struct tlsf_heap *heap, uint64_t size, struct heap_fault *fault);
/* Cuts the block at size, where what is left makes a block; that goes into a list. */
void tlsf_trim(struct tlsf_heap *heap, struct tlsf_block *block, uint64_t size);
/* Cuts gap bytes (a possible block, or 0) off the front into a list; returns the rest. */
struct tlsf_block *tlsf_skip(struct tlsf_heap *heap, struct tlsf_block *block, uint64_t gap);
/* Merges with free neighbours and puts the result into its list; returns it. */
struct tlsf_block *tlsf_put(struct tlsf_heap *heap, struct tlsf_block *block, struct heap_fault *fault);
/* Takes a whole arena's one free block out of its list. */
void tlsf_withdraw(struct tlsf_heap *heap, struct tlsf_block *block);
bool tlsf_check_poison(struct tlsf_block *block, struct heap_fault *fault);
/* Invariants 1 to 4. */
void tlsf_audit(struct tlsf_heap *heap, struct audit_report *report);
extern struct tlsf_heap tlsf_normal, tlsf_dma32;
/* Empty heaps. Context: before the first use; what arenas there were are forgotten. */
void tlsf_init(void);

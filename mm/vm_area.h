/* The vmalloc area's address space: which part of it is whose. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <mm/audit.h>
#include <sync/spinlock.h>

enum vm_area_kind { VM_AREA_PAGES, VM_AREA_STACK, VM_AREA_DEVICE };

/* An area with its guard pages: [start, end). Letters: [v] vm_area_lock; [o] the owner, between allocation and free. */
struct vm_area {
    struct rbtree_node node;   /* [v] */
    uint64_t start, end;       /* [I] guard pages included */
    uint64_t gap_before;       /* [v] free bytes between the area before (or VMALLOC_BASE) and start */
    uint64_t largest_gap;      /* [v] largest gap_before of the subtree */
    uint64_t base, size_bytes; /* [I] what is mapped, whole pages */
    uint64_t requested_bytes;  /* [I] what the caller asked for */
    uint32_t allocated_at;     /* [I] code site */
    enum vm_area_kind kind;    /* [I] */
    const char *name;          /* [I] of a stack's owner; NULL */
    bool is_leaving;           /* [v] being freed: its mappings go, its address space is not free yet */
    struct list pages;         /* [o] struct page.link; empty for device mappings */
};

extern struct rbtree vm_areas; /* [v] by start */
extern struct spinlock vm_area_lock;

/* For heap_init. Returns 0 or -ENOMEM. */
MUST_CHECK int vm_area_init(void);

/* Takes address space for size bytes (whole pages, not 0) and a guard page on both sides, at the lowest place where
 * base modulo alignment (a power of two, at least PAGE_SIZE) is phase. NULL where there is no memory or address space.
 * Context: thread. */
MUST_CHECK struct vm_area *vm_area_alloc(uint64_t size, uint64_t alignment, uint64_t phase, enum vm_area_kind kind,
                                         const void *site);
void vm_area_free(struct vm_area *area);

/* The area whose base is exactly address, or NULL. */
struct vm_area *vm_area_find(uint64_t base);
struct vm_area *vm_area_find_locked(uint64_t base);

/* vm_area_free in two parts: out of the tree, and back to its cache. Its mappings are gone before the first, since the
 * address space is anybody's after it. */
void vm_area_remove_locked(struct vm_area *area);
void vm_area_release(struct vm_area *area);

/* The area that address lies in, guard pages included, or NULL. Takes no lock and survives a tree that is just being
 * changed: it may then find nothing. For reports. Context: any. */
const struct vm_area *vm_area_of_address(uint64_t address);

/* Every area in order of addresses: calls visit with the lock held, which must not print or allocate. */
void vm_area_for_each(void (*visit)(struct vm_area *area, void *argument), void *argument);

/* Order, gaps and summaries of the tree. */
void vm_area_audit_locked(struct audit_report *report);

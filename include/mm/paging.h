/* The kernel's page tables (SDM 3A, chapter 4). One lock for all kernel mappings; the rules are in docs/locking.md. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

/* Protection and memory type of a mapping. Never writable and executable at once: such a request is -EINVAL. */
enum map_flags {
    MAP_READ = 0,
    MAP_WRITE = 1 << 0,
    MAP_EXECUTE = 1 << 1,
    MAP_USER = 1 << 2,
    MAP_GLOBAL = 1 << 3,        /* set for every kernel mapping where the CPU has global pages */
    MAP_UNCACHED = 1 << 4,      /* strong uncacheable: device registers */
    MAP_WRITE_COMBINE = 1 << 5, /* framebuffers; falls back to uncached without PAT */
};

/* Maps length bytes at virtual to physical, with the largest pages alignment and CPU allow. All values page aligned.
 * Returns 0, -EEXIST where something is mapped already (nothing is changed), -ENOMEM (nothing is changed), -EINVAL.
 * Context: any but NMI and machine check. */
MUST_CHECK int paging_map(vaddr_t virtual_base, paddr_t physical_base, uint64_t length, unsigned flags);

/* Takes mappings away, frees page tables that become empty, flushes the TLB. Holes are allowed. Large pages are split
 * where only part of one goes; -ENOMEM then, with nothing changed. */
MUST_CHECK int paging_unmap(vaddr_t virtual_base, uint64_t length);

/* Gives all pages of the range these flags instead. Large pages are split where only part of one changes. Returns 0,
 * -ENOENT where a page of the range is not mapped, -ENOMEM, -EINVAL; nothing is changed then. */
MUST_CHECK int paging_protect(vaddr_t virtual_base, uint64_t length, unsigned flags);

/* A software mark in a not-present entry, so that a fault can be named (guard page). */
MUST_CHECK int paging_set_guard(vaddr_t page);

struct mapping {
    vaddr_t base; /* of the page that holds the address */
    paddr_t physical;
    page_size_t page_size;
    unsigned flags; /* enum map_flags */
    bool is_accessed, is_dirty;
};

/* Looks an address up. Returns 0, -ENOENT where nothing is mapped, -EFAULT for a guard page, -EINVAL for a
 * non-canonical address. Reads page tables without a lock: any context, the report included. */
MUST_CHECK int paging_lookup(vaddr_t address, struct mapping *mapping);

#include "host_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <mm/init.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>

#include "../../../mm/zone.h"

char *host_physmap;
struct page *host_page_array;

#define BLOCK_MAX_BYTES (PAGE_SIZE << PAGE_ORDER_MAX)

static uint64_t frames, *present;
static char *physmap_mapping;

static void *get(uint64_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        perror("host memory");
        exit(1);
    }
    return memory;
}

void host_memory_init(uint64_t nr_frames)
{
    if (frames) {
        munmap(physmap_mapping, frames * PAGE_SIZE + BLOCK_MAX_BYTES);
        munmap(host_page_array, frames * sizeof(struct page));
        free(present);
    }
    frames = (nr_frames + PAGE_GROUP_FRAMES - 1) & ~(PAGE_GROUP_FRAMES - 1);
    physmap_mapping = get(frames * PAGE_SIZE + BLOCK_MAX_BYTES);
    /* As aligned as physical address 0 is, for the largest block. */
    host_physmap = (char *)(((uintptr_t)physmap_mapping + BLOCK_MAX_BYTES - 1) & ~(BLOCK_MAX_BYTES - 1));
    host_page_array = get(frames * sizeof(struct page));
    uint64_t groups = frames >> PAGE_GROUP_SHIFT;
    present = calloc(groups / 64 + 1, sizeof(*present));
    for (uint64_t i = 0; i < groups; i++)
        present[i / 64] |= 1ull << (i % 64);
    for (uint64_t i = 0; i < frames; i++)
        host_page_array[i] =
            (struct page){.owner = i < nr_frames ? PAGE_FREE : PAGE_RESERVED, .order = PAGE_ORDER_TAIL};
    page_groups = (struct page_groups){.nr_frames = frames, .present = present};
}

void host_memory_remove_group(uint64_t group)
{
    present[group / 64] &= ~(1ull << (group % 64));
}

/* Weak: tests of the buddy allocator alone do not link it. */
#pragma weak page_alloc_init
#pragma weak page_alloc_cpu_init
#pragma weak page_alloc_add

void host_page_alloc_init(uint64_t nr_frames)
{
    host_memory_init(nr_frames);
    host_page_array[0].owner = PAGE_RESERVED;
    page_alloc_init();
    page_alloc_add(pfn(1), pfn(nr_frames));
    page_alloc_cpu_init();
}

/* Mapping and unmapping one page, tables in place. */
#include <debug/bench.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>

/* Far above what vmalloc has handed out, below the same third-level table. */
#define PLACE (VMALLOC_BASE + 0x4000000000)

KERNEL_BENCH(paging_map_unmap, 1000)
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);

    if (!page)
        return;
    paddr_t frame = pfn_to_paddr(page_to_pfn(page));
    if (paging_map(vaddr(PLACE), frame, PAGE_SIZE, MAP_WRITE) != 0) {
        page_free(page, 0);
        return;
    }
    bench_start();
    for (uint64_t i = 0; i < iterations; i++)
        if (paging_map(vaddr(PLACE + PAGE_SIZE), frame, PAGE_SIZE, MAP_WRITE) != 0 ||
            paging_unmap(vaddr(PLACE + PAGE_SIZE), PAGE_SIZE) != 0)
            break;
    bench_stop();
    if (paging_unmap(vaddr(PLACE), PAGE_SIZE) == 0)
        page_free(page, 0);
}

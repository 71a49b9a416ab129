/* The page allocator: one page, and a block of eight. */
#include <debug/bench.h>
#include <mm/page_alloc.h>

static inline void alloc_and_free(unsigned order, uint64_t iterations)
{
    bench_start();
    for (uint64_t i = 0; i < iterations; i++) {
        struct page *page = page_alloc(order, PAGE_PRIVATE, ALLOC_NORMAL);

        if (!page)
            return;
        page_free(page, order);
    }
    bench_stop();
}

KERNEL_BENCH(page_alloc_free, 10000)
{
    alloc_and_free(0, iterations);
}

KERNEL_BENCH(page_alloc_free_order3, 2000)
{
    alloc_and_free(3, iterations);
}

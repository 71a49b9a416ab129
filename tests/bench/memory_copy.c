/* Filling and copying a mebibyte. */
#include <debug/bench.h>
#include <lib/string.h>
#include <mm/page_alloc.h>
#include <mm/page_array.h>

#define ORDER_1M 8u
#define SIZE_1M  (PAGE_SIZE << ORDER_1M)

static void *block_alloc(struct page **page)
{
    *page = page_alloc(ORDER_1M, PAGE_PRIVATE, ALLOC_NORMAL);
    return *page ? page_to_address(*page) : NULL;
}

KERNEL_BENCH(memset_1m, 8)
{
    struct page *page;
    char *block = block_alloc(&page);

    if (!block)
        return;
    bench_start();
    for (uint64_t i = 0; i < iterations; i++)
        memset(block, (int)i, SIZE_1M);
    bench_stop();
    page_free(page, ORDER_1M);
}

KERNEL_BENCH(memcpy_1m, 8)
{
    struct page *from_page, *to_page;
    char *from = block_alloc(&from_page);
    char *to = block_alloc(&to_page);

    if (from && to) {
        bench_start();
        for (uint64_t i = 0; i < iterations; i++)
            memcpy(to, from, SIZE_1M);
        bench_stop();
    }
    if (to)
        page_free(to_page, ORDER_1M);
    if (from)
        page_free(from_page, ORDER_1M);
}

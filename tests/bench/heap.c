/* The heap's rows of docs/performance.md: allocation and free of one object, over and over, always-on checks included.
 */
#include <debug/bench.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

static void kmalloc_kfree(uint64_t iterations, size_t size)
{
    bench_start();
    while (iterations--)
        kfree(kmalloc(size, 0));
    bench_stop();
}

KERNEL_BENCH(kmalloc_kfree_64, 20000)
{
    kmalloc_kfree(iterations, 64);
}

KERNEL_BENCH(kmalloc_kfree_4096, 20000)
{
    kmalloc_kfree(iterations, 4096);
}

KERNEL_BENCH(kmalloc_kfree_65536, 2000)
{
    kmalloc_kfree(iterations, 65536);
}

/* More than magazines hold: every object comes from its slab and goes back there. */
KERNEL_BENCH(kmalloc_kfree_64_batch_1000, 20000)
{
    static void *objects[1000];

    bench_start();
    for (uint64_t i = 0; i < iterations; i += ARRAY_SIZE(objects)) {
        for (size_t j = 0; j < ARRAY_SIZE(objects); j++)
            objects[j] = kmalloc(64, 0);
        for (size_t j = 0; j < ARRAY_SIZE(objects); j++)
            kfree(objects[j]);
    }
    bench_stop();
}

KERNEL_BENCH(slab_alloc_free_100, 20000)
{
    struct slab_cache *cache = slab_cache_create("bench", 100, 16, 0);

    if (!cache)
        return;
    bench_start();
    while (iterations--)
        slab_free(cache, slab_alloc(cache, 0));
    bench_stop();
    if (slab_cache_destroy(cache) != 0)
        return;
}

KERNEL_BENCH(vmalloc_vfree_4096, 2000)
{
    bench_start();
    while (iterations--)
        vfree(vmalloc(4096, 0));
    bench_stop();
}

KERNEL_BENCH(stack_alloc_free, 500)
{
    bench_start();
    while (iterations--)
        stack_free(stack_alloc("bench"));
    bench_stop();
}

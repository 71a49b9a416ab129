/* Reads from the first disk, whatever is on it. Counted in instructions they are the kernel's own work only where the
 * disk takes no time: QEMU's driver=null-co behind virtio-blk-pci,ioeventfd=off. */
#include <base/align.h>
#include <debug/bench.h>
#include <dev/block_load.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>

#define SMALL_BYTES 4096u
#define LARGE_BYTES ((uint32_t)KIB(128))

/* One block_read at a time, at places all over the disk. */
static int read_at_random(struct block_device *disk, void *buffer, uint32_t length_bytes, uint64_t iterations)
{
    uint32_t sectors = length_bytes / disk->limits.logical_block_bytes;
    uint64_t nr_places = disk->nr_sectors / sectors, place = 0;
    int error = 0;

    bench_start();
    for (; iterations > 0 && error == 0; iterations--) {
        place = (uint32_t)(place * 1664525 + 1013904223); /* Numerical Recipes */
        error = block_read(disk, (place * nr_places >> 32) * sectors, buffer, length_bytes);
    }
    return error;
}

/* The first disk, with a reference; NULL, and the bench is skipped, when there is none. */
static struct block_device *get_disk(void)
{
    struct block_device *disk = block_device_at(0);

    if (disk != NULL && disk->nr_sectors * disk->limits.logical_block_bytes >= MIB(1))
        return disk;
    if (disk != NULL)
        block_device_put(disk);
    bench_skip("there is no disk, or a very small one");
    return NULL;
}

static void read_into(void *buffer, uint32_t length_bytes, uint64_t iterations)
{
    struct block_device *disk = get_disk();

    if (disk == NULL)
        return;
    if (buffer != NULL && read_at_random(disk, buffer, length_bytes, iterations) == 0)
        bench_stop();
    block_device_put(disk);
}

KERNEL_BENCH(block_read_4k, 2000)
{
    void *buffer = kmalloc(SMALL_BYTES, ALLOC_NORMAL);

    read_into(buffer, SMALL_BYTES, iterations);
    kfree(buffer);
}

KERNEL_BENCH(block_read_128k, 500)
{
    void *buffer = kmalloc(LARGE_BYTES, ALLOC_NORMAL);

    read_into(buffer, LARGE_BYTES, iterations);
    kfree(buffer);
}

/* Memory that is mapped page by page. */
KERNEL_BENCH(block_read_128k_pages, 500)
{
    void *buffer = vmalloc(LARGE_BYTES, ALLOC_NORMAL);

    read_into(buffer, LARGE_BYTES, iterations);
    vfree(buffer);
}

KERNEL_BENCH(block_read_4k_depth8, 2000)
{
    struct block_load load = {
        .request_bytes = SMALL_BYTES, .depth = 8, .nr_requests = iterations, .order = BLOCK_LOAD_RANDOM};

    load.device = get_disk();
    if (load.device == NULL)
        return;
    if (block_load_prepare(&load) == 0) {
        bench_start();
        if (block_load_run(&load) == 0)
            bench_stop();
        block_load_free(&load);
    }
    block_device_put(load.device);
}

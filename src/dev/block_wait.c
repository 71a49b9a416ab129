/* Requests as calls that wait. Until threads exist waiting is the CPU's halt, or work: an interrupt completes the
 * request, or the work that takes the device away. */
#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <dev/work.h>
#include <mm/paging.h>

#include "block_internal.h"

#define BATCH_SEGMENTS 32u /* on the stack: 128 KiB from memory that is scattered page by page */

static void note_done(struct block_request *request)
{
    /* Pairs with the load in is_done: the result is seen with it. The waiter may return at once, and the request with
     * it. */
    __atomic_store_n((bool *)request->context, true, __ATOMIC_RELEASE);
}

static bool is_done(const void *context)
{
    return __atomic_load_n((const bool *)context, __ATOMIC_ACQUIRE);
}

static void wait_until(const bool *done, struct block_device *device)
{
    struct block_device *disk = device->whole ? device->whole : device;

    while (!is_done(done)) {
        if (!disk->operations->poll) {
            work_wait(is_done, done);
            continue;
        }
        disk->operations->poll(disk);
        work_run();
    }
}

int block_execute(struct block_device *device, struct block_request *request)
{
    bool done = false;

    ASSERT(irqs_are_enabled());
    request->complete = note_done;
    request->context = &done;
    block_submit(device, request);
    wait_until(&done, device);
    return request->result;
}

int block_execute_unchecked(struct block_device *device, struct block_request *request)
{
    bool is_done = false;

    ASSERT(irqs_are_enabled());
    request->complete = note_done;
    request->context = &is_done;
    device->operations->submit(device, request);
    wait_until(&is_done, device);
    return request->result;
}

/* The physical memory behind length_bytes at memory, as far as BATCH_SEGMENTS go. Returns the bytes, or an error. */
static int64_t gather(vaddr_t memory, uint64_t length_bytes, struct block_segment *segments, unsigned *nr_segments)
{
    uint64_t done = 0;

    *nr_segments = 0;
    while (done < length_bytes) {
        struct block_segment *last = *nr_segments ? &segments[*nr_segments - 1] : NULL;
        vaddr_t at = vaddr_add(memory, done);
        uint64_t offset = at.value % PAGE_SIZE, left = PAGE_SIZE - offset;
        uint32_t length = (uint32_t)(length_bytes - done < left ? length_bytes - done : left);
        struct mapping mapping;
        paddr_t base;

        if (paging_lookup(at, &mapping) < 0)
            return -EFAULT;
        base = paddr_add(mapping.physical, at.value - mapping.base.value);
        if (last && last->base.value + last->length_bytes == base.value && last->length_bytes < UINT32_MAX - PAGE_SIZE)
            last->length_bytes += length;
        else if (*nr_segments < BATCH_SEGMENTS)
            segments[(*nr_segments)++] = (struct block_segment){base, length};
        else
            break;
        done += length;
    }
    return (int64_t)done;
}

/* Cuts the batch to whole sectors; each of its pieces ends at a page's end or the memory's. */
static uint64_t cut_to_sectors(struct block_segment *segments, unsigned *nr_segments, uint64_t length_bytes,
                               uint32_t sector_bytes)
{
    uint64_t excess = length_bytes % sector_bytes;

    length_bytes -= excess;
    while (excess != 0) {
        struct block_segment *last = &segments[*nr_segments - 1];
        uint32_t step = excess < last->length_bytes ? (uint32_t)excess : last->length_bytes;

        excess -= step;
        last->length_bytes -= step;
        if (last->length_bytes == 0)
            --*nr_segments;
    }
    return length_bytes;
}

static int transfer(struct block_device *device, enum block_operation operation, uint64_t sector, vaddr_t memory,
                    size_t length_bytes)
{
    uint32_t sector_bytes = device->limits.logical_block_bytes;
    struct block_segment segments[BATCH_SEGMENTS];

    if (length_bytes == 0 || length_bytes % sector_bytes != 0)
        return -EINVAL;
    while (length_bytes != 0) {
        struct block_request request = {.operation = operation, .sector = sector, .segments = segments};
        int64_t batch = gather(memory, length_bytes, segments, &request.nr_segments);
        int error;

        if (batch < 0)
            return (int)batch;
        batch = (int64_t)cut_to_sectors(segments, &request.nr_segments, (uint64_t)batch, sector_bytes);
        error = block_execute(device, &request);
        if (error < 0)
            return error;
        sector += (uint64_t)batch / sector_bytes;
        memory = vaddr_add(memory, (uint64_t)batch);
        length_bytes -= (size_t)batch;
    }
    return 0;
}

int block_read(struct block_device *device, uint64_t sector, void *to, size_t length_bytes)
{
    return transfer(device, BLOCK_READ, sector, vaddr_of(to), length_bytes);
}

int block_write(struct block_device *device, uint64_t sector, const void *from, size_t length_bytes)
{
    return transfer(device, BLOCK_WRITE, sector, vaddr_of(from), length_bytes);
}

int block_flush(struct block_device *device)
{
    struct block_request request = {.operation = BLOCK_FLUSH};

    return block_execute(device, &request);
}

int block_discard(struct block_device *device, uint64_t sector, uint64_t nr_sectors)
{
    struct block_request request = {.operation = BLOCK_DISCARD, .sector = sector, .nr_sectors = nr_sectors};

    return block_execute(device, &request);
}

int block_write_zeroes(struct block_device *device, uint64_t sector, uint64_t nr_sectors)
{
    struct block_request request = {.operation = BLOCK_WRITE_ZEROES, .sector = sector, .nr_sectors = nr_sectors};

    return block_execute(device, &request);
}

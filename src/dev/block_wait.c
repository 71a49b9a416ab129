/* Requests as calls that wait. Until threads exist waiting is the CPU's halt, or work: an interrupt completes the
 * request, or the work that takes the device away. */
#include <base/align.h>
#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <dev/work.h>
#include <mm/page_array.h>
#include <mm/paging.h>

#include "block_internal.h"

#define BATCH_SEGMENTS    32u          /* on the stack: 128 KiB from memory that is scattered page by page */
#define SEGMENT_BYTES_MAX (1ull << 30) /* whole pages of any size, and it fits 32 bits */

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

void block_wait_until(struct block_device *device, bool (*is_done_now)(const void *context), const void *context)
{
    struct block_device *disk = device->whole ? device->whole : device;

    ASSERT(irqs_are_enabled());
    while (!is_done_now(context)) {
        if (!disk->operations->poll) {
            work_wait(is_done_now, context);
            continue;
        }
        disk->operations->poll(disk);
        work_run();
    }
}

static int execute(struct block_device *device, struct block_request *request,
                   void (*submit)(struct block_device *device, struct block_request *request))
{
    bool done = false;

    request->complete = note_done;
    request->context = &done;
    submit(device, request);
    block_wait_until(device, is_done, &done);
    return request->result;
}

int block_execute(struct block_device *device, struct block_request *request)
{
    return execute(device, request, block_submit);
}

int block_execute_unchecked(struct block_device *device, struct block_request *request)
{
    return execute(device, request, device->operations->submit);
}

/* Most memory is RAM in the physmap: its addresses are known without a walk through the page tables. */
static bool gather_physmap(vaddr_t memory, uint64_t length_bytes, struct block_segment *segment)
{
    const void *pointer = vaddr_to_pointer(memory);

    if (length_bytes > SEGMENT_BYTES_MAX || !physmap_holds(pointer, length_bytes))
        return false;
    *segment = (struct block_segment){physmap_to_phys(pointer), (uint32_t)length_bytes};
    return true;
}

/* The physical memory behind length_bytes at memory, as far as BATCH_SEGMENTS go. Returns the bytes, or an error. */
static int64_t gather(vaddr_t memory, uint64_t length_bytes, struct block_segment *segments, unsigned *nr_segments)
{
    uint64_t done = 0;

    *nr_segments = 0;
    while (done < length_bytes) {
        struct block_segment *last = *nr_segments ? &segments[*nr_segments - 1] : NULL;
        vaddr_t at = vaddr_add(memory, done);
        struct mapping mapping;
        uint64_t offset, length;
        paddr_t base;

        if (paging_lookup(at, &mapping) < 0)
            return -EFAULT;
        offset = at.value - mapping.base.value;
        length = mapping.page_size.bytes - offset;
        if (length > length_bytes - done)
            length = length_bytes - done;
        base = paddr_add(mapping.physical, offset);
        if (last && last->base.value + last->length_bytes == base.value &&
            last->length_bytes + length <= SEGMENT_BYTES_MAX)
            last->length_bytes += (uint32_t)length;
        else if (*nr_segments < BATCH_SEGMENTS)
            segments[(*nr_segments)++] = (struct block_segment){base, (uint32_t)length};
        else
            break;
        done += length;
    }
    return (int64_t)done;
}

/* Cuts the batch to whole sectors. */
static uint64_t cut_to_sectors(struct block_segment *segments, unsigned *nr_segments, uint64_t length_bytes,
                               uint32_t sector_bytes)
{
    uint64_t excess = length_bytes & (sector_bytes - 1);

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

/* Memory that is not all in the physmap: in as many requests as its pieces take. */
static NOINLINE int transfer_pieces(struct block_device *device, enum block_operation operation, uint64_t sector,
                                    vaddr_t memory, size_t length_bytes)
{
    uint32_t sector_bytes = device->limits.logical_block_bytes;
    struct block_segment segments[BATCH_SEGMENTS];

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
        sector += (uint64_t)batch >> log2_floor(sector_bytes);
        memory = vaddr_add(memory, (uint64_t)batch);
        length_bytes -= (size_t)batch;
    }
    return 0;
}

static int transfer(struct block_device *device, enum block_operation operation, uint64_t sector, vaddr_t memory,
                    size_t length_bytes)
{
    struct block_request request;
    struct block_segment segment;

    if (length_bytes == 0 || (length_bytes & (device->limits.logical_block_bytes - 1)) != 0)
        return -EINVAL;
    if (UNLIKELY(!gather_physmap(memory, length_bytes, &segment)))
        return transfer_pieces(device, operation, sector, memory, length_bytes);
    /* Field by field: nobody reads the others of a read or write before they are written. */
    request.operation = operation;
    request.flags = 0;
    request.sector = sector;
    request.segments = &segment;
    request.nr_segments = 1;
    return block_execute(device, &request);
}

int block_read(struct block_device *device, uint64_t sector, void *to, size_t length_bytes)
{
    return transfer(device, BLOCK_READ, sector, vaddr_of(to), length_bytes);
}

int block_write(struct block_device *device, uint64_t sector, const void *from, size_t length_bytes)
{
    return transfer(device, BLOCK_WRITE, sector, vaddr_of(from), length_bytes);
}

int block_set_write_back(struct block_device *device, bool write_back)
{
    struct block_device *disk = device->whole ? device->whole : device;

    if (!disk->operations->set_write_back)
        return -ENOTSUP;
    return __atomic_load_n(&disk->is_gone, __ATOMIC_ACQUIRE) ? -ENODEV
                                                             : disk->operations->set_write_back(disk, write_back);
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

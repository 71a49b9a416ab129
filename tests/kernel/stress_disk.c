/* A disk that all CPUs write, read and compare: each thread has sectors of its own, and remembers what it wrote. */
#include <base/errno.h>
#include <mm/kmalloc.h>
#include <sync/completion.h>

#include "disk_pattern.h"
#include "stress.h"

#define REGION_SECTORS  64u /* of each thread */
#define REQUEST_SECTORS 8u
#define FLUSH_EVERY     16u

struct desk {
    struct pattern_memory memory;
    struct completion done;
    uint64_t tickets[REGION_SECTORS]; /* of the write each sector was last written by; 0: never written */
    uint64_t last_ticket;
};

static struct desk *desks; /* of each thread */

static void free_desks(unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        kfree(desks[i].memory.bytes);
    kfree(desks);
    desks = NULL;
}

static int begin_disk(struct stress *stress)
{
    struct block_device *disk = stress->disk;
    unsigned nr = stress->nr_workers;

    if ((uint64_t)nr * REGION_SECTORS > __atomic_load_n(&disk->nr_sectors, __ATOMIC_RELAXED))
        return -ENOSPC;
    desks = kmalloc(nr * sizeof(desks[0]), ALLOC_ZERO);
    if (!desks)
        return -ENOMEM;
    for (unsigned i = 0; i < nr; i++) {
        completion_init(&desks[i].done, "stress disk");
        desks[i].memory.bytes =
            kmalloc(pattern_room((size_t)REQUEST_SECTORS * disk->limits.logical_block_bytes), ALLOC_NORMAL);
        if (!desks[i].memory.bytes) {
            free_desks(nr);
            return -ENOMEM;
        }
    }
    return 0;
}

static void end_disk(struct stress *stress)
{
    free_desks(stress->nr_workers);
}

static void request_done(struct block_request *request)
{
    struct desk *desk = request->context;

    completion_complete(&desk->done);
}

/* Returns false when it failed, which was said. */
static bool execute(struct stress_worker *worker, enum block_operation operation, uint64_t sector)
{
    struct desk *desk = &desks[worker->number];
    struct block_request request = {.operation = operation,
                                    .sector = sector,
                                    .segments = desk->memory.segments,
                                    .nr_segments = operation == BLOCK_FLUSH ? 0 : desk->memory.nr,
                                    .complete = request_done,
                                    .context = desk};

    block_submit(worker->stress->disk, &request);
    completion_wait(&desk->done);
    if (request.result < 0)
        stress_fail("disk: operation %u at sector %lu: error %d", operation, sector, request.result);
    return request.result == 0;
}

static void write(struct stress_worker *worker, unsigned at, unsigned nr, uint32_t sector_bytes)
{
    uint64_t first = (uint64_t)worker->number * REGION_SECTORS + at;
    struct desk *desk = &desks[worker->number];

    desk->last_ticket++;
    for (unsigned i = 0; i < nr; i++)
        pattern_write(&desk->memory, i, sector_bytes,
                      &(struct pattern_stamp){first + i, desk->last_ticket, worker->number});
    if (stress_errs(worker) || execute(worker, BLOCK_WRITE, first)) /* a write that never comes to the disk */
        for (unsigned i = 0; i < nr; i++)
            desk->tickets[at + i] = desk->last_ticket;
}

static void read_and_compare(struct stress_worker *worker, unsigned at, unsigned nr, uint32_t sector_bytes)
{
    uint64_t first = (uint64_t)worker->number * REGION_SECTORS + at;
    struct desk *desk = &desks[worker->number];

    if (!execute(worker, BLOCK_READ, first))
        return;
    if (!pattern_guards_are_whole(&desk->memory))
        stress_fail("disk: a read of sector %lu wrote elsewhere", first);
    for (unsigned i = 0; i < nr; i++) {
        uint64_t ticket = desk->tickets[at + i];
        struct pattern_stamp stamp;

        if (ticket == 0)
            continue;
        if (!pattern_read(&desk->memory, i, sector_bytes, &stamp))
            stress_fail("disk: sector %lu is not whole", first + i);
        else if (stamp.sector != first + i || stamp.ticket != ticket || stamp.writer != worker->number)
            stress_fail("disk: sector %lu of %u, write %lu, holds sector %lu of %u, write %lu", first + i,
                        worker->number, ticket, stamp.sector, stamp.writer, stamp.ticket);
    }
}

static void work_disk(struct stress_worker *worker)
{
    uint32_t sector_bytes = worker->stress->disk->limits.logical_block_bytes;
    unsigned nr = 1 + (unsigned)stress_roll(worker, REQUEST_SECTORS);
    unsigned at = (unsigned)stress_roll(worker, REGION_SECTORS - nr + 1);

    if (stress_roll(worker, FLUSH_EVERY) == 0)
        (void)execute(worker, BLOCK_FLUSH, 0);
    pattern_lay_out(&desks[worker->number].memory, (size_t)nr * sector_bytes,
                    1 + (unsigned)stress_roll(worker, PATTERN_PIECES_MAX), stress_roll(worker, UINT64_MAX));
    if (stress_roll(worker, 2) == 0)
        write(worker, at, nr, sector_bytes);
    else
        read_and_compare(worker, at, nr, sector_bytes);
}

const struct stress_kind stress_disk = {.name = "disk", .begin = begin_disk, .work = work_disk, .end = end_disk};

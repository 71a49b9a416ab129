/* block bench: how fast a device reads, by the clock */
#include <base/errno.h>
#include <debug/console.h>
#include <dev/block_load.h>
#include <time/clock.h>

#include "block_internal.h"

#define CHUNK_REQUESTS 256u           /* between two looks at the clock */
#define ROW_NS         (NS_PER_S / 2) /* that long, and */
#define ROW_CHUNKS_MAX 32u            /* no longer than this many */

static const struct row {
    const char *name;
    uint32_t request_bytes;
    enum block_load_order order;
} rows[] = {
    {"random", 4096, BLOCK_LOAD_RANDOM},
    {"sequential", 128u << 10, BLOCK_LOAD_SEQUENTIAL},
    {"sequential", 1u << 20, BLOCK_LOAD_SEQUENTIAL},
};

static void print_row(const struct row *row, unsigned depth, uint64_t nr_requests, uint64_t took_ns)
{
    uint64_t per_request_ns = took_ns / nr_requests;

    console_printf("%7u bytes, %s, %u at a time: %lu reads, %lu.%lu us each, %lu KiB/s\n", row->request_bytes,
                   row->name, depth, nr_requests, per_request_ns / 1000, per_request_ns / 100 % 10,
                   per_request_ns ? (uint64_t)row->request_bytes * NS_PER_S / per_request_ns / 1024 : 0);
}

static int run_row(struct block_device *device, const struct row *row, unsigned depth)
{
    struct block_load load = {.device = device,
                              .request_bytes = row->request_bytes,
                              .depth = depth,
                              .nr_requests = CHUNK_REQUESTS,
                              .order = row->order};
    uint64_t start_ns, took_ns = 0;
    unsigned nr_chunks = 0;
    int error = block_load_prepare(&load);

    if (error == -EINVAL) {
        console_printf("%7u bytes: the device is too small\n", row->request_bytes);
        return 0;
    }
    if (error < 0)
        return error;
    start_ns = clock_now_ns();
    do {
        error = block_load_run(&load);
        took_ns = clock_now_ns() - start_ns;
        nr_chunks++;
    } while (error == 0 && took_ns < ROW_NS && nr_chunks < ROW_CHUNKS_MAX);
    block_load_free(&load);
    if (error == 0)
        print_row(row, depth, (uint64_t)nr_chunks * CHUNK_REQUESTS, took_ns);
    return error;
}

int block_bench(struct block_device *device, unsigned depth)
{
    int error = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows) && error == 0; i++)
        error = run_row(device, &rows[i], depth);
    return error;
}

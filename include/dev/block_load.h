/* A measured load on a block device: reads of one size, several at a time, one after another or all over it. */
#pragma once

#include <dev/block.h>

#define BLOCK_LOAD_DEPTH_MAX 256u

enum block_load_order { BLOCK_LOAD_SEQUENTIAL, BLOCK_LOAD_RANDOM };

struct block_load {
    struct block_device *device;
    uint32_t request_bytes; /* whole sectors, up to KMALLOC_MAX */
    unsigned depth;         /* requests under way at a time, 1 to BLOCK_LOAD_DEPTH_MAX */
    uint64_t nr_requests;
    enum block_load_order order;
    /* block_load.c's own */
    struct block_load_slot *slots;
    uint64_t nr_places, next, seed, nr_left;
    unsigned nr_under_way; /* [a] */
    int error;             /* [a] the first */
};

/* Gets the memory for a load whose first five fields are set. Returns 0; -EINVAL for a size or depth that cannot be, or
 * a device too small for a request; -ENOMEM. Context: thread. */
MUST_CHECK int block_load_prepare(struct block_load *load);
/* Runs it, any number of times: 0 or the first error, after which nothing more is asked for. Context: thread,
 * interrupts on. */
MUST_CHECK int block_load_run(struct block_load *load);
void block_load_free(struct block_load *load);

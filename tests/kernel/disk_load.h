/* A load on a block device: several submitters that keep requests of their own in flight and submit from thread,
 * completion (interrupt), deferred work and timer, reads and writes of varying length and pieces, and flushes. Every
 * sector read is compared with what was written; every request completes once, with the result it must have.
 *
 * Until threads exist a submitter is a state machine. Each of its slots has sectors of its own, so that what a sector
 * holds is known: the last write acknowledged, or after a failed one anything its slot wrote since. */
#pragma once

#include <dev/block.h>

enum load_context { LOAD_THREAD, LOAD_COMPLETION, LOAD_DEFERRED, LOAD_TIMER, LOAD_NR_CONTEXTS };

#define LOAD_BAD_MAX 4u

/* Requests of this operation that touch this sector fail with -EIO; all of them, or the first. */
struct load_bad {
    enum block_operation operation; /* of a flush no sector counts */
    uint64_t sector;
    bool is_once;
    uint64_t nr_failed;
};

struct disk_load_options {
    uint64_t nr_requests;
    unsigned depth; /* requests in flight of each submitter */
    unsigned nr_bad;
    struct load_bad bad[LOAD_BAD_MAX];
    /* Called once, by the thread, when half of the requests have completed: those in flight may fail, and no more
     * follow. NULL for nothing. */
    void (*interfere)(void *context);
    void *context;
    bool may_vanish; /* any request may fail, because the device has gone */
};

struct disk_load_result {
    uint64_t nr_completed, nr_failed; /* failed: as they had to */
    uint64_t nr_by[LOAD_NR_CONTEXTS];
    uint64_t nr_sectors_compared;
    unsigned nr_in_flight_max;
    unsigned nr_interfered; /* in flight then */
    /* What must not be. */
    uint64_t nr_twice;      /* completions of a request that was not in flight */
    uint64_t nr_wrong;      /* sectors that hold something else; memory written outside the request's */
    uint64_t nr_unexpected; /* results other than the one that had to be */
};

struct disk_load;

/* Sectors the load needs, from 0 on. */
uint64_t disk_load_sectors(const struct disk_load_options *options);

/* Takes memory for a load; -ENOMEM, -ENOSPC for a device that is too small. Context: thread. */
MUST_CHECK int disk_load_create(struct block_device *device, const struct disk_load_options *options,
                                struct disk_load **load);
/* Runs it until all requests have completed. What the sectors hold is remembered: run again, perhaps as another block
 * device, the disk must hold it still; there is no interference then. Context: thread, interrupts on. */
void disk_load_run(struct disk_load *load, struct block_device *device, struct disk_load_result *result);
void disk_load_free(struct disk_load *load);

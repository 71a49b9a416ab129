/* A block device in memory, for tests: of a chosen sector size and limits, completing at once, when polled or from
 * wherever the test calls ram_disk_run, and failing the requests it is told to. */
#pragma once

#include <dev/block.h>
#include <sync/spinlock.h>

struct ram_disk {
    struct block_device device;          /* the test sets limits and flags before registering it */
    uint8_t *bytes;                      /* the test's; device.nr_sectors sectors */
    bool completes_at_once;              /* or else by ram_disk_run */
    void (*kick)(struct ram_disk *disk); /* ram_disk_use_interrupt */
    struct spinlock lock;                /* protects queue: whoever submits may be on another CPU than the interrupt */
    struct list queue;                   /* requests not completed */
    unsigned nr_submitted, nr_completed, nr_released;
    unsigned fail_at; /* the request to fail, counting from 1; 0 for none */
    int fail_with;
    unsigned nr_bad; /* requests that break the device's limits */
};

/* A write-through disk without limits that completes when polled. */
void ram_disk_init(struct ram_disk *disk, const char *name, uint8_t *bytes, uint64_t nr_sectors, uint32_t sector_bytes);

/* Completes all that is queued. Context: any. */
void ram_disk_run(struct ram_disk *disk);
/* The same, the newest first. */
void ram_disk_run_reversed(struct ram_disk *disk);

/* Not polled any more: kick, called after a request was queued, makes an interrupt whose handler calls ram_disk_run. */
void ram_disk_use_interrupt(struct ram_disk *disk, void (*kick)(struct ram_disk *disk));

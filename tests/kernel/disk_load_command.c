/* The command `diskload`: a load on a block device, whose first sectors it overwrites. */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <dev/device.h>
#include <dev/work.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>

#include "disk_load.h"

#define DEPTH      4u
#define DEPTH_MANY 64u /* hundreds in flight */

/* ---- the drivers leave their devices and take them again ---- */

struct rebinding {
    struct work work;
    int result;
    bool is_done; /* [a] */
};

static bool rebind_one(struct device *device, void *context)
{
    struct rebinding *rebinding = context;

    if (strcmp(device_driver_name(device), "virtio-blk") != 0)
        return true;
    device->driver->remove(device);
    rebinding->result = device->driver->probe(device);
    return rebinding->result == 0;
}

static void rebind(struct work *work)
{
    struct rebinding *rebinding = CONTAINER_OF(work, struct rebinding, work);

    rebinding->result = -ENODEV;
    device_for_each(rebind_one, rebinding);
    __atomic_store_n(&rebinding->is_done, true, __ATOMIC_RELEASE); /* pairs with is_done */
}

static bool is_done(const void *context)
{
    const struct rebinding *rebinding = context;

    return __atomic_load_n(&rebinding->is_done, __ATOMIC_ACQUIRE);
}

static void reset_devices(void *context)
{
    struct rebinding *rebinding = context;

    work_queue(&rebinding->work);
    while (!is_done(rebinding))
        work_wait(is_done, rebinding);
}

/* ---- the command ---- */

static int print_result(const struct disk_load_options *options, const struct disk_load_result *result)
{
    console_printf("%lu requests completed, %lu of them failed as they had to, at most %u in flight\n",
                   result->nr_completed, result->nr_failed, result->nr_in_flight_max);
    console_printf("submitted by thread %lu, completion %lu, deferred work %lu, timer %lu; %lu sectors compared\n",
                   result->nr_by[LOAD_THREAD], result->nr_by[LOAD_COMPLETION], result->nr_by[LOAD_DEFERRED],
                   result->nr_by[LOAD_TIMER], result->nr_sectors_compared);
    if (options->interfere)
        console_printf("reset with %u requests in flight\n", result->nr_interfered);
    if (result->nr_twice == 0 && result->nr_wrong == 0 && result->nr_unexpected == 0)
        return 0;
    console_printf("error: %lu completed twice, %lu sectors wrong, %lu results unexpected\n", result->nr_twice,
                   result->nr_wrong, result->nr_unexpected);
    return COMMAND_FAILED;
}

static int run_load(const char *name, const struct disk_load_options *options, struct disk_load **load)
{
    struct block_device *device = block_device_get(name);
    struct disk_load_result result;
    int error = 0;

    if (!device)
        return -ENODEV;
    if (!*load)
        error = disk_load_create(device, options, load);
    if (error == 0) {
        disk_load_run(*load, device, &result);
        error = print_result(options, &result);
    }
    block_device_put(device);
    return error;
}

/* A word and its number: "bad-read 40". */
static int parse_bad(const char *word, const char *number, struct load_bad *bad)
{
    static const struct {
        const char *word;
        enum block_operation operation;
        bool is_once;
    } words[] = {{"bad-read", BLOCK_READ, false},
                 {"bad-write", BLOCK_WRITE, false},
                 {"bad-flush", BLOCK_FLUSH, false},
                 {"bad-read-once", BLOCK_READ, true},
                 {"bad-write-once", BLOCK_WRITE, true}};

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i].word) != 0)
            continue;
        *bad = (struct load_bad){.operation = words[i].operation, .is_once = words[i].is_once};
        return number ? parse_u64(number, &bad->sector) : -EINVAL;
    }
    return -EINVAL;
}

static int parse(int argc, char **argv, struct disk_load_options *options)
{
    int error = argc < 3 ? -EINVAL : parse_u64(argv[2], &options->nr_requests);

    for (int i = 3; i < argc && error == 0; i++) {
        if (strcmp(argv[i], "reset") == 0) {
            options->interfere = reset_devices;
            options->depth = DEPTH_MANY;
        } else if (strcmp(argv[i], "vanishing") == 0) {
            options->may_vanish = true;
            options->depth = DEPTH_MANY;
        } else if (options->nr_bad == LOAD_BAD_MAX) {
            error = -E2BIG;
        } else {
            error = parse_bad(argv[i], argv[i + 1], &options->bad[options->nr_bad++]);
            i++;
        }
    }
    return error;
}

static uint64_t free_pages(void)
{
    slab_reap();
    return page_counts().free;
}

static int run_diskload(int argc, char **argv)
{
    struct rebinding rebinding = {.work = {.run = rebind}};
    struct disk_load_options options = {.depth = DEPTH, .context = &rebinding};
    uint64_t pages = free_pages(), objects = slab_counts().objects;
    struct disk_load *load = NULL;
    int error = parse(argc, argv, &options);

    if (error < 0)
        return error;
    error = run_load(argv[1], &options, &load);
    if (error == 0 && options.interfere) {
        options.interfere = NULL;
        error = rebinding.result < 0 ? rebinding.result : run_load(argv[1], &options, &load);
    }
    if (load)
        disk_load_free(load);
    if (error != 0 || options.may_vanish) /* what the device had is free now */
        return error;
    if (free_pages() == pages && slab_counts().objects == objects)
        return 0;
    console_printf("error: %lu pages and %lu objects before, %lu and %lu after\n", pages, objects, free_pages(),
                   slab_counts().objects);
    return COMMAND_FAILED;
}

COMMAND(
    diskload, .name = "diskload", .arguments = "NAME COUNT [reset | vanishing | bad-OPERATION SECTOR...]",
    .summary = "COUNT requests that are checked; overwrites the device", .run = run_diskload,
    .details =
        "Submits from thread, completions, deferred work and a timer, and compares what it reads with what it wrote.\n"
        "bad-read, bad-write and bad-flush say which requests have to fail: those that touch the sector; with\n"
        "-once one of them. `reset`: half-way the drivers of virtio disks leave them, hundreds of requests being in\n"
        "flight, and take them again. `vanishing`: the disk may be unplugged meanwhile.");

/* Slots: whoever finds one idle and takes it (a swap) fills and submits it; its completion looks at what came back,
 * makes it idle and wakes its submitter. So a slot has one owner at any time, and no lock is needed. */
#include "disk_load.h"

#include <base/errno.h>
#include <debug/log.h>
#include <dev/work.h>
#include <irq/deferred.h>
#include <mm/kmalloc.h>
#include <time/clock.h>
#include <time/timer.h>

#include "disk_pattern.h"

#define SUBMITTERS      6u
#define SLOT_SECTORS    32u /* a slot's own */
#define REQUEST_SECTORS 16u /* at most */
#define TIMER_NS        (200 * NS_PER_US)
#define FLUSH_ONE_IN    32u

enum slot_state { IDLE, TAKEN, IN_FLIGHT };

/* What a sector must hold. */
struct sector_state {
    uint64_t ticket;   /* of the last write acknowledged; 0 for none */
    bool is_uncertain; /* a later write failed: it may be there, or not */
};

struct submitter;
struct slot {
    struct block_request request;
    struct submitter *submitter;
    unsigned state;     /* [a] */
    bool is_submitting; /* [a] block_submit has not returned */
    uint64_t ticket;    /* as all below the slot's owner's */
    uint64_t random;
    struct pattern_memory memory;
    uint64_t first_sector;
    struct sector_state sectors[SLOT_SECTORS];
};

struct submitter {
    struct disk_load *load;
    enum load_context context;
    uint32_t number;
    uint64_t nr_taken, nr_to_take; /* [a] tickets, which number its requests */
    struct deferred deferred;
    struct timer timer;
    struct slot *slots;
};

struct disk_load {
    struct disk_load_options options;
    struct block_device *device;
    unsigned nr_in_flight;          /* [a] */
    bool is_disturbed;              /* [a] any request may fail */
    struct disk_load_result result; /* [a] */
    struct submitter submitters[SUBMITTERS];
    struct slot slots[];
};

static const enum load_context contexts[SUBMITTERS] = {LOAD_THREAD,   LOAD_COMPLETION, LOAD_COMPLETION,
                                                       LOAD_DEFERRED, LOAD_TIMER,      LOAD_THREAD};

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); /* read when all has ended */
}

static uint64_t draw(struct slot *slot)
{
    slot->random ^= slot->random << 13;
    slot->random ^= slot->random >> 7;
    slot->random ^= slot->random << 17;
    return slot->random;
}

/* ---- what must come back ---- */

static bool touches(const struct block_request *request, const struct load_bad *bad)
{
    if (request->operation != bad->operation)
        return false;
    return bad->operation == BLOCK_FLUSH ||
           (request->sector <= bad->sector && bad->sector < request->sector + request->nr_sectors);
}

static void check_result(struct disk_load *load, struct block_request *request)
{
    bool must_fail = false;

    for (unsigned i = 0; i < load->options.nr_bad; i++) {
        struct load_bad *bad = &load->options.bad[i];

        if (!touches(request, bad))
            continue;
        if (request->result != 0)
            count(&bad->nr_failed);
        must_fail |= !bad->is_once || request->result != 0; /* how often is asked at the end */
    }
    if (request->result != 0)
        count(&load->result.nr_failed);
    if (request->result == -EIO && __atomic_load_n(&load->is_disturbed, __ATOMIC_RELAXED))
        return;
    if ((request->result == -EIO || request->result == -ENODEV) && load->options.may_vanish)
        return;
    if (request->result != (must_fail ? -EIO : 0)) {
        count(&load->result.nr_unexpected);
        log_warn("diskload: operation %u of %lu sectors at %lu gave %d", request->operation, request->nr_sectors,
                 request->sector, request->result);
    }
}

static void compare_sector(struct slot *slot, unsigned n, struct sector_state *sector)
{
    struct disk_load *load = slot->submitter->load;
    struct pattern_stamp stamp;
    bool is_right;

    if (sector->ticket == 0)
        return;
    is_right = pattern_read(&slot->memory, n, load->device->limits.logical_block_bytes, &stamp) &&
               stamp.sector == slot->request.sector + n && stamp.writer == slot->submitter->number &&
               (stamp.ticket == sector->ticket || (sector->is_uncertain && stamp.ticket > sector->ticket));
    count(&load->result.nr_sectors_compared);
    if (!is_right)
        count(&load->result.nr_wrong);
}

static void look_at(struct slot *slot)
{
    struct block_request *request = &slot->request;
    struct sector_state *sectors = &slot->sectors[request->sector - slot->first_sector];

    check_result(slot->submitter->load, request);
    if (request->operation == BLOCK_FLUSH)
        return;
    for (unsigned n = 0; n < request->nr_sectors; n++) {
        if (request->operation == BLOCK_WRITE && request->result == 0)
            sectors[n] = (struct sector_state){.ticket = slot->ticket};
        else if (request->operation == BLOCK_WRITE)
            sectors[n].is_uncertain = true;
        else if (request->result == 0)
            compare_sector(slot, n, &sectors[n]);
    }
    if (!pattern_guards_are_whole(&slot->memory))
        count(&slot->submitter->load->result.nr_wrong);
}

/* ---- submission ---- */

/* The number of one more request; 0 when there are to be no more. */
static uint64_t take_ticket(struct submitter *submitter)
{
    uint64_t taken = __atomic_load_n(&submitter->nr_taken, __ATOMIC_RELAXED);

    do {
        if (taken >= __atomic_load_n(&submitter->nr_to_take, __ATOMIC_RELAXED))
            return 0;
    } while (!__atomic_compare_exchange_n(&submitter->nr_taken, &taken, taken + 1, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return taken + 1;
}

static bool has_tickets(const struct submitter *submitter)
{
    return __atomic_load_n(&submitter->nr_taken, __ATOMIC_RELAXED) <
           __atomic_load_n(&submitter->nr_to_take, __ATOMIC_RELAXED);
}

static void complete(struct block_request *request);

static void fill(struct slot *slot)
{
    uint32_t sector_bytes = slot->submitter->load->device->limits.logical_block_bytes;
    uint64_t dice = draw(slot);
    unsigned nr_sectors = 1 + (unsigned)(dice % REQUEST_SECTORS);
    unsigned first = (unsigned)(dice >> 8) % (SLOT_SECTORS - nr_sectors + 1);
    struct pattern_stamp stamp = {.ticket = slot->ticket, .writer = slot->submitter->number};

    slot->request = (struct block_request){.operation = dice & (1ull << 40) ? BLOCK_WRITE : BLOCK_READ,
                                           .sector = slot->first_sector + first,
                                           .segments = slot->memory.segments,
                                           .complete = complete,
                                           .context = slot};
    if ((dice >> 32) % FLUSH_ONE_IN == 0) {
        slot->request.operation = BLOCK_FLUSH;
        return;
    }
    pattern_lay_out(&slot->memory, (size_t)nr_sectors * sector_bytes, 1 + (unsigned)(dice >> 20) % PATTERN_PIECES_MAX,
                    draw(slot));
    slot->request.nr_segments = slot->memory.nr;
    for (unsigned n = 0; slot->request.operation == BLOCK_WRITE && n < nr_sectors; n++) {
        stamp.sector = slot->request.sector + n;
        pattern_write(&slot->memory, n, sector_bytes, &stamp);
    }
}

static void note_in_flight(struct disk_load *load)
{
    unsigned now = __atomic_add_fetch(&load->nr_in_flight, 1, __ATOMIC_RELAXED);
    unsigned most = __atomic_load_n(&load->result.nr_in_flight_max, __ATOMIC_RELAXED);

    while (now > most && !__atomic_compare_exchange_n(&load->result.nr_in_flight_max, &most, now, false,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* Submits the slot's next request, unless it has one or there are to be no more. */
static void submit(struct slot *slot, enum load_context context)
{
    struct disk_load *load = slot->submitter->load;
    unsigned idle = IDLE;

    /* Acquire: pairs with the release in complete. */
    if (!__atomic_compare_exchange_n(&slot->state, &idle, TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    slot->ticket = take_ticket(slot->submitter);
    if (slot->ticket == 0) {
        __atomic_store_n(&slot->state, IDLE, __ATOMIC_RELEASE);
        return;
    }
    fill(slot);
    count(&load->result.nr_by[context]);
    note_in_flight(load);
    __atomic_store_n(&slot->is_submitting, true, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->state, IN_FLIGHT, __ATOMIC_RELEASE);
    block_submit(load->device, &slot->request);
    __atomic_store_n(&slot->is_submitting, false, __ATOMIC_RELAXED);
}

static void submit_all(struct submitter *submitter, enum load_context context)
{
    for (unsigned i = 0; i < submitter->load->options.depth; i++)
        submit(&submitter->slots[i], context);
}

static void run_deferred(struct deferred *deferred)
{
    submit_all(CONTAINER_OF(deferred, struct submitter, deferred), LOAD_DEFERRED);
}

static void timer_fired(struct timer *timer)
{
    struct submitter *submitter = CONTAINER_OF(timer, struct submitter, timer);

    submit_all(submitter, LOAD_TIMER);
    if (has_tickets(submitter))
        timer_set(timer, clock_now_ns() + TIMER_NS);
}

/* The next request follows from here, unless that might go deeper and deeper: then the thread submits it. */
static void complete(struct block_request *request)
{
    struct slot *slot = request->context;
    struct submitter *submitter = slot->submitter;
    struct disk_load *load = submitter->load;
    bool is_nested = __atomic_load_n(&slot->is_submitting, __ATOMIC_RELAXED);
    unsigned expected = IN_FLIGHT;

    if (!__atomic_compare_exchange_n(&slot->state, &expected, TAKEN, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        count(&load->result.nr_twice);
        return;
    }
    look_at(slot);
    __atomic_store_n(&slot->state, IDLE, __ATOMIC_RELEASE);
    if (submitter->context == LOAD_COMPLETION && !is_nested)
        submit(slot, LOAD_COMPLETION);
    else if (submitter->context == LOAD_DEFERRED)
        deferred_queue(&submitter->deferred);
    count(&load->result.nr_completed);
    __atomic_fetch_sub(&load->nr_in_flight, 1, __ATOMIC_RELEASE); /* pairs with the load in is_over */
}

/* ---- the thread ---- */

static bool is_over(const struct disk_load *load)
{
    for (unsigned i = 0; i < SUBMITTERS; i++)
        if (has_tickets(&load->submitters[i]))
            return false;
    return __atomic_load_n(&load->nr_in_flight, __ATOMIC_ACQUIRE) == 0;
}

static bool is_time_to_interfere(const struct disk_load *load)
{
    return load->options.interfere && !load->is_disturbed &&
           __atomic_load_n(&load->result.nr_completed, __ATOMIC_RELAXED) >= load->options.nr_requests / 2;
}

/* The thread starts its own slots, and those that completions go on with. */
static bool can_submit(const struct submitter *submitter)
{
    bool is_of_the_thread = submitter->context == LOAD_THREAD || submitter->context == LOAD_COMPLETION;

    for (unsigned i = 0; is_of_the_thread && has_tickets(submitter) && i < submitter->load->options.depth; i++)
        if (__atomic_load_n(&submitter->slots[i].state, __ATOMIC_RELAXED) == IDLE)
            return true;
    return false;
}

static bool has_something_to_do(const void *context)
{
    const struct disk_load *load = context;

    for (unsigned i = 0; i < SUBMITTERS; i++)
        if (can_submit(&load->submitters[i]))
            return true;
    return is_over(load) || is_time_to_interfere(load);
}

static void wait(struct disk_load *load)
{
    if (!load->device->operations->poll) {
        work_wait(has_something_to_do, load);
        return;
    }
    load->device->operations->poll(load->device);
    work_run();
}

static void interfere(struct disk_load *load)
{
    __atomic_store_n(&load->is_disturbed, true, __ATOMIC_RELAXED);
    load->result.nr_interfered = __atomic_load_n(&load->nr_in_flight, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        __atomic_store_n(&load->submitters[i].nr_to_take, 0, __ATOMIC_RELAXED);
    load->options.interfere(load->options.context);
    load->options.interfere = NULL;
}

static void stop_submitters(struct disk_load *load)
{
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        timer_cancel(&load->submitters[i].timer);
        deferred_flush(&load->submitters[i].deferred);
    }
}

static void start_submitter(struct submitter *submitter, uint64_t nr_requests)
{
    submitter->nr_to_take = submitter->nr_taken + nr_requests;
    if (submitter->context == LOAD_DEFERRED)
        deferred_queue(&submitter->deferred);
    else if (submitter->context == LOAD_TIMER)
        timer_set(&submitter->timer, clock_now_ns() + TIMER_NS);
}

void disk_load_run(struct disk_load *load, struct block_device *device, struct disk_load_result *result)
{
    uint64_t nr = load->options.nr_requests;

    load->device = device;
    load->result = (struct disk_load_result){0};
    load->is_disturbed = false;
    for (unsigned i = 0; i < SUBMITTERS; i++)
        start_submitter(&load->submitters[i], nr / SUBMITTERS + (i < nr % SUBMITTERS));
    while (!is_over(load)) {
        for (unsigned i = 0; i < SUBMITTERS; i++)
            if (can_submit(&load->submitters[i]))
                submit_all(&load->submitters[i], LOAD_THREAD);
        if (is_time_to_interfere(load))
            interfere(load);
        if (!is_over(load))
            wait(load);
    }
    stop_submitters(load);
    for (unsigned i = 0; i < load->options.nr_bad; i++)
        if (load->options.bad[i].is_once && load->options.bad[i].nr_failed != 1)
            load->result.nr_unexpected++;
    *result = load->result;
}

/* ---- memory ---- */

uint64_t disk_load_sectors(const struct disk_load_options *options)
{
    return (uint64_t)SUBMITTERS * options->depth * SLOT_SECTORS;
}

void disk_load_free(struct disk_load *load)
{
    for (unsigned i = 0; i < SUBMITTERS * load->options.depth; i++)
        kfree(load->slots[i].memory.bytes);
    kfree(load);
}

static void set_up(struct disk_load *load)
{
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        struct submitter *submitter = &load->submitters[i];

        *submitter = (struct submitter){.load = load, .context = contexts[i], .number = i};
        submitter->deferred = (struct deferred)DEFERRED_INITIALIZER(run_deferred);
        timer_init(&submitter->timer, timer_fired);
        submitter->slots = &load->slots[i * load->options.depth];
    }
    for (unsigned i = 0; i < SUBMITTERS * load->options.depth; i++) {
        struct slot *slot = &load->slots[i];

        slot->submitter = &load->submitters[i / load->options.depth];
        slot->first_sector = (uint64_t)i * SLOT_SECTORS;
        slot->random = 0x9e3779b97f4a7c15ull * (i + 1);
    }
}

int disk_load_create(struct block_device *device, const struct disk_load_options *options, struct disk_load **result)
{
    unsigned nr_slots = SUBMITTERS * options->depth;
    size_t room = pattern_room((size_t)REQUEST_SECTORS * device->limits.logical_block_bytes);
    struct disk_load *load;

    if (disk_load_sectors(options) > __atomic_load_n(&device->nr_sectors, __ATOMIC_RELAXED))
        return -ENOSPC;
    load = kmalloc(sizeof(*load) + nr_slots * sizeof(load->slots[0]), ALLOC_ZERO);
    if (!load)
        return -ENOMEM;
    load->options = *options;
    set_up(load);
    for (unsigned i = 0; i < nr_slots; i++) {
        load->slots[i].memory.bytes = kmalloc(room, ALLOC_NORMAL);
        if (!load->slots[i].memory.bytes) {
            disk_load_free(load);
            return -ENOMEM;
        }
    }
    *result = load;
    return 0;
}

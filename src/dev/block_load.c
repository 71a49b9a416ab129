/* Each slot has a request and its memory; when it ends, in whatever context, it starts the next one itself. All
 * requests of a device end in the same queue's interrupts or polls today; `lock` is for when they do not. */
#include <dev/block_load.h>

#include <base/errno.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>
#include <sync/spinlock.h>

struct block_load_slot {
    struct block_request request;
    struct block_segment segment;
    struct block_load *load;
    void *memory;
};

static struct spinlock lock = SPINLOCK_INITIALIZER("block load"); /* next, seed and nr_left of all loads */

/* MMIX's generator (D. E. Knuth): the same places each time. */
static uint64_t choose_place(struct block_load *load)
{
    if (load->order == BLOCK_LOAD_RANDOM) {
        load->seed = load->seed * 6364136223846793005ull + 1442695040888963407ull;
        return (uint64_t)((unsigned __int128)load->seed * load->nr_places >> 64);
    }
    load->next = load->next + 1 < load->nr_places ? load->next + 1 : 0;
    return load->next;
}

/* False when there is nothing more to do. */
static bool take_next(struct block_load *load, uint64_t *place)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    bool is_any = load->nr_left != 0 && __atomic_load_n(&load->error, __ATOMIC_RELAXED) == 0;

    if (is_any) {
        load->nr_left--;
        *place = choose_place(load);
    }
    spinlock_unlock_irqrestore(&lock, flags);
    return is_any;
}

static void start_next(struct block_load_slot *slot)
{
    struct block_load *load = slot->load;
    uint64_t place;

    if (!take_next(load, &place)) {
        __atomic_sub_fetch(&load->nr_under_way, 1, __ATOMIC_RELEASE); /* pairs with the load in is_done */
        return;
    }
    slot->request.sector = place * (load->request_bytes / load->device->limits.logical_block_bytes);
    block_submit(load->device, &slot->request);
}

static void note_done(struct block_request *request)
{
    struct block_load_slot *slot = CONTAINER_OF(request, struct block_load_slot, request);
    int none = 0;

    if (request->result < 0)
        __atomic_compare_exchange_n(&slot->load->error, &none, request->result, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    /* The sectors are the disk's after block_submit: a partition's request is set up anew each time. */
    start_next(slot);
}

static bool is_done(const void *context)
{
    return __atomic_load_n(&((const struct block_load *)context)->nr_under_way, __ATOMIC_ACQUIRE) == 0;
}

static int prepare_slot(struct block_load *load, struct block_load_slot *slot)
{
    slot->load = load;
    slot->memory = kmalloc(load->request_bytes, ALLOC_NORMAL);
    if (slot->memory == NULL)
        return -ENOMEM;
    slot->segment = (struct block_segment){physmap_to_phys(slot->memory), load->request_bytes};
    slot->request = (struct block_request){
        .operation = BLOCK_READ, .segments = &slot->segment, .nr_segments = 1, .complete = note_done};
    return 0;
}

int block_load_prepare(struct block_load *load)
{
    uint32_t sector_bytes = load->device->limits.logical_block_bytes;
    uint64_t nr_sectors = __atomic_load_n(&load->device->nr_sectors, __ATOMIC_RELAXED);
    int error = 0;

    load->slots = NULL;
    if (load->request_bytes == 0 || load->request_bytes % sector_bytes != 0 || load->depth == 0 ||
        load->depth > BLOCK_LOAD_DEPTH_MAX)
        return -EINVAL;
    load->nr_places = nr_sectors / (load->request_bytes / sector_bytes);
    if (load->nr_places == 0)
        return -EINVAL;
    load->seed = 1;
    load->slots = kmalloc(load->depth * sizeof(load->slots[0]), ALLOC_ZERO);
    if (load->slots == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < load->depth && error == 0; i++)
        error = prepare_slot(load, &load->slots[i]);
    if (error != 0)
        block_load_free(load);
    return error;
}

int block_load_run(struct block_load *load)
{
    load->nr_left = load->nr_requests;
    load->next = load->nr_places - 1;
    load->error = 0;
    load->nr_under_way = load->depth;
    for (unsigned i = 0; i < load->depth; i++)
        start_next(&load->slots[i]);
    block_wait_until(load->device, is_done, load);
    return load->error;
}

void block_load_free(struct block_load *load)
{
    for (unsigned i = 0; load->slots != NULL && i < load->depth; i++)
        kfree(load->slots[i].memory);
    kfree(load->slots);
    load->slots = NULL;
}

/* Requests that are larger than the device takes: a parent, and parts that fit.
 *
 * 1. Parts are made one at a time and submitted at once, each of whole sectors, in ascending order; they may complete
 *    in any order, in any context.
 * 2. parent->nr_open counts the parts under way, and one more while parts are still being made: whoever takes it to 0
 *    completes the request and frees the parent.
 * 3. The first error recorded is the request's result, and no part is made after it. */
#include <base/errno.h>
#include <mm/kmalloc.h>

#include "block_internal.h"

struct parent {
    struct block_request *request;
    uint32_t nr_open; /* [a] */
    int result;       /* [a] */
};

struct part {
    struct block_request request;
    struct parent *parent;
    struct block_segment segments[];
};

/* Where the next part begins. */
struct cursor {
    unsigned segment;
    uint32_t offset_bytes; /* into that segment */
    uint64_t sectors_done;
};

static uint32_t smaller(uint64_t a, uint32_t b)
{
    return a < b ? (uint32_t)a : b;
}

static uint32_t limit_of(uint32_t limit)
{
    return limit ? limit : UINT32_MAX;
}

static uint64_t max_range_sectors(const struct block_limits *limits, enum block_operation operation)
{
    return operation == BLOCK_DISCARD ? limits->max_discard_sectors : limits->max_write_zeroes_sectors;
}

static bool has_segments(const struct block_request *request)
{
    return request->operation == BLOCK_READ || request->operation == BLOCK_WRITE;
}

bool block_fits_limits(const struct block_limits *limits, const struct block_request *request)
{
    if (request->operation == BLOCK_FLUSH)
        return true;
    if (!has_segments(request))
        return request->nr_sectors <= max_range_sectors(limits, request->operation);
    for (unsigned i = 0; i < request->nr_segments; i++)
        if (request->segments[i].length_bytes > limit_of(limits->max_segment_bytes))
            return false;
    return request->nr_segments <= limit_of(limits->max_segments);
}

static void move(struct cursor *cursor, const struct block_request *request, uint64_t length_bytes)
{
    while (length_bytes != 0) {
        uint32_t left = request->segments[cursor->segment].length_bytes - cursor->offset_bytes;
        uint32_t step = smaller(length_bytes, left);

        length_bytes -= step;
        cursor->offset_bytes += step;
        if (step == left) {
            cursor->segment++;
            cursor->offset_bytes = 0;
        }
    }
}

/* Writes up to limit pieces from the cursor on, or only counts them where pieces is NULL. */
static unsigned cut(struct cursor from, const struct block_request *request, const struct block_limits *limits,
                    struct block_segment *pieces, unsigned limit)
{
    unsigned nr = 0;

    for (; nr < limit && from.segment < request->nr_segments; nr++) {
        const struct block_segment *segment = &request->segments[from.segment];
        uint32_t length = smaller(segment->length_bytes - from.offset_bytes, limit_of(limits->max_segment_bytes));

        if (pieces)
            pieces[nr] = (struct block_segment){paddr_add(segment->base, from.offset_bytes), length};
        move(&from, request, length);
    }
    return nr;
}

/* Drops what is behind the last whole sector. Returns the bytes left. */
static uint64_t trim(struct block_segment *pieces, unsigned *nr, uint32_t sector_bytes)
{
    uint64_t total = 0, excess;

    for (unsigned i = 0; i < *nr; i++)
        total += pieces[i].length_bytes;
    excess = total % sector_bytes;
    total -= excess;
    while (excess != 0) {
        struct block_segment *last = &pieces[*nr - 1];
        uint32_t step = smaller(excess, last->length_bytes);

        excess -= step;
        last->length_bytes -= step;
        if (last->length_bytes == 0)
            --*nr;
    }
    return total;
}

static void record(struct parent *parent, int error)
{
    int none = 0;

    /* Relaxed: read after the last close, which orders it. */
    __atomic_compare_exchange_n(&parent->result, &none, error, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void close_one(struct parent *parent)
{
    struct block_request *request = parent->request;
    int result;

    if (__atomic_sub_fetch(&parent->nr_open, 1, __ATOMIC_ACQ_REL) != 0) /* pairs with itself in the other contexts */
        return;
    result = parent->result;
    kfree(parent);
    block_complete_request(request, result);
}

static void part_done(struct block_request *request)
{
    struct part *part = CONTAINER_OF(request, struct part, request);
    struct parent *parent = part->parent;

    if (request->result < 0)
        record(parent, request->result);
    kfree(part);
    close_one(parent);
}

/* The next part, with the cursor moved behind it. Sets error and returns NULL when there is none to be had. */
static struct part *make_part(const struct block_request *whole, const struct block_limits *limits,
                              struct cursor *cursor, int *error)
{
    unsigned room = has_segments(whole) ? cut(*cursor, whole, limits, NULL, limit_of(limits->max_segments)) : 0;
    struct part *part = kmalloc(sizeof(*part) + room * sizeof(part->segments[0]), ALLOC_ZERO);
    uint64_t length_bytes;

    *error = -ENOMEM;
    if (!part)
        return NULL;
    part->request = (struct block_request){.operation = whole->operation, .flags = whole->flags, .complete = part_done};
    part->request.sector = whole->sector + cursor->sectors_done;
    if (has_segments(whole)) {
        part->request.segments = part->segments;
        part->request.nr_segments = cut(*cursor, whole, limits, part->segments, room);
        length_bytes = trim(part->segments, &part->request.nr_segments, limits->logical_block_bytes);
        part->request.nr_sectors = length_bytes / limits->logical_block_bytes;
        move(cursor, whole, length_bytes);
    } else {
        uint64_t left = whole->nr_sectors - cursor->sectors_done, most = max_range_sectors(limits, whole->operation);

        part->request.nr_sectors = left < most ? left : most;
    }
    cursor->sectors_done += part->request.nr_sectors;
    *error = -EINVAL; /* segments so short that as many as the device takes hold no sector */
    if (part->request.nr_sectors != 0)
        return part;
    kfree(part);
    return NULL;
}

void block_submit_parts(struct block_device *disk, struct block_request *request)
{
    struct parent *parent = kmalloc(sizeof(*parent), ALLOC_ZERO);
    struct cursor cursor = {0};

    if (!parent) {
        block_complete_request(request, -ENOMEM);
        return;
    }
    parent->request = request;
    parent->nr_open = 1;
    while (cursor.sectors_done < request->nr_sectors && __atomic_load_n(&parent->result, __ATOMIC_RELAXED) == 0) {
        int error;
        struct part *part = make_part(request, &disk->limits, &cursor, &error);

        if (!part) {
            record(parent, error);
            break;
        }
        part->parent = parent;
        __atomic_fetch_add(&parent->nr_open, 1, __ATOMIC_RELAXED); /* this context holds one: it cannot be 0 */
        disk->operations->submit(disk, &part->request);
    }
    close_one(parent);
}

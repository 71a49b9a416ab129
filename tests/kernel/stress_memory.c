/* Memory that is taken on one CPU and given back on another: each round puts what it has taken in a slot that all
 * threads share, and gives back what it finds there, the contents of which say whether anybody else wrote to it. */
#include <base/address.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/page_array.h>
#include <mm/physmap.h>
#include <mm/vmalloc.h>

#include "stress.h"

#define SLOTS            48u
#define OBJECT_SMALL_MAX 512u
#define OBJECT_LARGE_MAX 9000u
#define ORDERS           4u
#define AREA_MAX         (5 * PAGE_SIZE)
#define LOST_MAX         8u /* of each thread, where mistakes are planted: memory should not run out */

/* What lies in memory of size_bytes, down to 16 bytes. */
struct parcel {
    uint64_t size_bytes;
    uint64_t stamp;
    uint64_t words[]; /* stamp + n */
};

/* One way to take memory. Sizes are multiples of 8. */
struct depot {
    size_t (*choose_size)(struct stress_worker *worker);
    void *(*take)(size_t size_bytes, unsigned alloc_flags);
    void (*give_back)(void *memory, size_t size_bytes);
    const char *name;
    struct parcel *slots[SLOTS]; /* [a] */
};

static size_t words_of(const struct parcel *parcel)
{
    return (parcel->size_bytes - sizeof(*parcel)) / sizeof(uint64_t);
}

static bool is_zero(const uint64_t *words, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (words[i] != 0)
            return false;
    return true;
}

static struct parcel *pack(struct depot *depot, struct stress_worker *worker)
{
    unsigned flags = stress_roll(worker, 4) == 0 ? ALLOC_ZERO : ALLOC_NORMAL;
    size_t size_bytes = depot->choose_size(worker);
    struct parcel *parcel = depot->take(size_bytes, flags);

    if (!parcel) {
        stress_fail("%s: no memory for %lu bytes", depot->name, size_bytes);
        return NULL;
    }
    if ((flags & ALLOC_ZERO) && !is_zero((const uint64_t *)parcel, size_bytes / sizeof(uint64_t)))
        stress_fail("%s: memory that should be cleared is not", depot->name);
    parcel->size_bytes = size_bytes;
    parcel->stamp = stress_roll(worker, UINT64_MAX);
    for (size_t i = 0; i < words_of(parcel); i++)
        parcel->words[i] = parcel->stamp + i;
    if (words_of(parcel) > 0 && stress_errs(worker))
        parcel->words[words_of(parcel) - 1]++; /* as if somebody else had written there */
    return parcel;
}

static void unpack(const struct depot *depot, struct parcel *parcel)
{
    if (!parcel)
        return;
    for (size_t i = 0; i < words_of(parcel); i++) {
        if (parcel->words[i] != parcel->stamp + i) {
            stress_fail("%s: %lu bytes at %p have changed at word %lu: %lx", depot->name, parcel->size_bytes,
                        (void *)parcel, i, parcel->words[i]);
            break;
        }
    }
    depot->give_back(parcel, parcel->size_bytes);
}

static void exchange(struct depot *depot, struct stress_worker *worker)
{
    struct parcel *parcel = stress_roll(worker, 8) == 0 ? NULL : pack(depot, worker);

    /* What the other wrote is read behind this; pairs with itself. */
    parcel = __atomic_exchange_n(&depot->slots[stress_roll(worker, SLOTS)], parcel, __ATOMIC_ACQ_REL);
    if (parcel && worker->stress->is_planted && worker->nr_rounds < LOST_MAX)
        return; /* lost */
    unpack(depot, parcel);
}

static void empty(struct depot *depot)
{
    for (unsigned i = 0; i < SLOTS; i++)
        unpack(depot, __atomic_exchange_n(&depot->slots[i], NULL, __ATOMIC_ACQ_REL));
}

/* ---- kmalloc ---- */

static size_t object_size(struct stress_worker *worker)
{
    size_t most = stress_roll(worker, 16) == 0 ? OBJECT_LARGE_MAX : OBJECT_SMALL_MAX;

    return sizeof(struct parcel) + stress_roll(worker, most / sizeof(uint64_t)) * sizeof(uint64_t);
}

static void free_object(void *object, size_t size_bytes)
{
    (void)size_bytes;
    kfree(object);
}

static struct depot objects = {object_size, kmalloc, free_object, "kmalloc", {NULL}};

static void work_objects(struct stress_worker *worker)
{
    exchange(&objects, worker);
}

static void end_objects(struct stress *stress)
{
    (void)stress;
    empty(&objects);
}

const struct stress_kind stress_kmalloc = {.name = "kmalloc", .work = work_objects, .end = end_objects};

/* ---- vmalloc: every vfree is a flush on all CPUs ---- */

static size_t area_size(struct stress_worker *worker)
{
    return sizeof(struct parcel) + stress_roll(worker, AREA_MAX / sizeof(uint64_t)) * sizeof(uint64_t);
}

static void free_area(void *area, size_t size_bytes)
{
    (void)size_bytes;
    vfree(area);
}

static struct depot areas = {area_size, vmalloc, free_area, "vmalloc", {NULL}};

static void work_areas(struct stress_worker *worker)
{
    exchange(&areas, worker);
}

static void end_areas(struct stress *stress)
{
    (void)stress;
    empty(&areas);
}

const struct stress_kind stress_vmalloc = {.name = "vmalloc", .work = work_areas, .end = end_areas};

/* ---- pages ---- */

static size_t block_size(struct stress_worker *worker)
{
    return stress_roll(worker, 4) == 0 ? PAGE_SIZE << stress_roll(worker, ORDERS) : PAGE_SIZE;
}

static unsigned order_of(size_t size_bytes)
{
    return (unsigned)__builtin_ctzll(size_bytes / PAGE_SIZE);
}

static void *take_block(size_t size_bytes, unsigned alloc_flags)
{
    struct page *page = page_alloc(order_of(size_bytes), PAGE_PRIVATE, alloc_flags);

    return page ? page_to_address(page) : NULL;
}

static void free_block(void *block, size_t size_bytes)
{
    page_free(page_of_pfn(paddr_to_pfn(physmap_to_phys(block))), order_of(size_bytes));
}

static struct depot blocks = {block_size, take_block, free_block, "pages", {NULL}};

static void work_blocks(struct stress_worker *worker)
{
    exchange(&blocks, worker);
}

static void end_blocks(struct stress *stress)
{
    (void)stress;
    empty(&blocks);
}

const struct stress_kind stress_pages = {.name = "pages", .work = work_blocks, .end = end_blocks};

/* Views, store buffers, and the compiler's hooks. */
#include <string.h>

#include "world.h"

uint8_t views[SCHEDULE_NR_SIDES][SCHEDULE_SHARED_MAX];

void *schedule_shared(enum schedule_side side, size_t offset)
{
    return &views[side][offset];
}

/* The offset of an address in the running side's view; false for memory that is not shared. */
static bool find(const volatile void *at, size_t length, uint16_t *offset)
{
    uintptr_t address = (uintptr_t)at, all = (uintptr_t)views, mine;

    if (schedule_current == SCHEDULE_NR_SIDES || address < all || address >= all + sizeof(views))
        return false;
    mine = (uintptr_t)views[schedule_current];
    if (address < mine || address + length > mine + schedule_running->shared_bytes)
        schedule_fail("an access outside of the side's view");
    *offset = (uint16_t)(address - mine);
    return true;
}

/* ---- store buffers ---- */

static void put(struct side *side, uint16_t offset, const uint8_t *bytes, size_t length, bool is_release)
{
    while (length > 0) {
        struct store *store = &side->stores[side->nr_stores];
        size_t part = length < sizeof(store->bytes) ? length : sizeof(store->bytes);

        if (++side->nr_stores == STORE_BUFFER)
            schedule_fail("the store buffer is full");
        store->offset = offset;
        store->length = (uint8_t)part;
        store->is_release = is_release;
        memcpy(store->bytes, bytes, part);
        offset = (uint16_t)(offset + part);
        bytes += part;
        length -= part;
    }
}

void memory_take_written(enum schedule_side number)
{
    struct side *side = &world.sides[number];

    put(side, side->written, &views[number][side->written], side->nr_written, false);
    side->written = side->nr_written = 0;
}

static bool do_overlap(const struct store *a, const struct store *b)
{
    return a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}

bool memory_may_drain(const struct side *side, unsigned n, bool is_weak)
{
    if (n == 0)
        return side->nr_stores > 0;
    if (!is_weak || n >= side->nr_stores || side->stores[n].is_release)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (do_overlap(&side->stores[i], &side->stores[n]))
            return false;
    return true;
}

void memory_drain(struct side *side, unsigned n)
{
    struct store *store = &side->stores[n];

    memcpy(&world.memory[store->offset], store->bytes, store->length);
    side->nr_stores--;
    memmove(store, store + 1, (side->nr_stores - n) * sizeof(*store));
    memset(&side->stores[side->nr_stores], 0, sizeof(*store));
}

/* ---- views ---- */

/* Memory under the side's own stores, over a part of shared memory. */
static void look(enum schedule_side number, size_t offset, size_t length, uint8_t *bytes)
{
    const struct side *side = &world.sides[number];

    memcpy(bytes, &world.memory[offset], length);
    for (unsigned i = 0; i < side->nr_stores; i++)
        for (size_t n = 0; n < side->stores[i].length; n++) {
            size_t at = side->stores[i].offset + n;

            if (at >= offset && at < offset + length)
                bytes[at - offset] = side->stores[i].bytes[n];
        }
}

void memory_catch_up(enum schedule_side side)
{
    look(side, 0, schedule_running->shared_bytes, views[side]);
}

bool memory_may_be_stale(enum schedule_side number)
{
    const struct side *side = &world.sides[number];
    uint8_t now[16];

    if (!memory_is_weak(number) || side->is_acquire || side->length > sizeof(now))
        return false;
    look(number, side->offset, side->length, now);
    return memcmp(now, &views[number][side->offset], side->length) != 0;
}

void memory_start(void)
{
    memcpy(world.memory, views[SCHEDULE_DRIVER], sizeof(world.memory));
    memory_catch_up(SCHEDULE_DEVICE);
}

void memory_before_run(enum schedule_side side)
{
    if (!memory_is_weak(side))
        memory_catch_up(side);
}

void memory_after_run(enum schedule_side side)
{
    uint8_t expected[SCHEDULE_SHARED_MAX];

    if (memory_is_weak(side))
        return;
    look(side, 0, schedule_running->shared_bytes, expected);
    if (memcmp(expected, views[side], schedule_running->shared_bytes) != 0)
        schedule_fail("the code stored what the compiler did not announce");
}

/* ---- what the hooks come to ---- */

static bool is_own(const struct side *side, uint16_t offset, size_t length)
{
    for (unsigned i = 0; i < side->nr_stores; i++)
        if (side->stores[i].offset <= offset && offset + length <= side->stores[i].offset + side->stores[i].length)
            return true;
    return false;
}

static void before_load(const volatile void *at, size_t length, bool is_acquire)
{
    struct side *side = &world.sides[schedule_current];
    uint16_t offset;

    if (!find(at, length, &offset))
        return;
    memory_take_written(schedule_current);
    if (is_own(side, offset, length))
        return;
    side->offset = offset;
    side->length = (uint16_t)length;
    side->is_acquire = is_acquire;
    schedule_yield(AT_LOAD);
    if (!memory_is_weak(schedule_current))
        return;
    if (is_acquire)
        memory_catch_up(schedule_current);
    else if (!side->answer)
        look(schedule_current, offset, length, &views[schedule_current][offset]);
}

static bool is_store(const volatile void *at, size_t length, uint16_t *offset)
{
    if (!find(at, length, offset))
        return false;
    memory_take_written(schedule_current);
    schedule_running->store_watch(schedule_current, *offset);
    return true;
}

static void before_store(const volatile void *at, size_t length)
{
    uint16_t offset;

    if (is_store(at, length, &offset)) {
        world.sides[schedule_current].written = offset;
        world.sides[schedule_current].nr_written = (uint16_t)length;
    }
}

static void fence(int order)
{
    if (schedule_current == SCHEDULE_NR_SIDES)
        return;
    if (order != __ATOMIC_SEQ_CST)
        schedule_fail("a fence of an order that is not modelled");
    memory_take_written(schedule_current);
    if (world.sides[schedule_current].nr_stores > 0)
        schedule_yield(AT_FENCE);
    if (memory_is_weak(schedule_current))
        memory_catch_up(schedule_current);
}

static bool is_acquire(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_SEQ_CST;
}

static void store_atomic(volatile void *at, const void *value, size_t length, int order)
{
    uint16_t offset;
    bool is_shared = is_store(at, length, &offset);

    memcpy((void *)(uintptr_t)at, value, length);
    if (is_shared)
        put(&world.sides[schedule_current], offset, value, length, order != __ATOMIC_RELAXED);
    if (order == __ATOMIC_SEQ_CST)
        fence(order);
}

/* ---- the hooks ---- */

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, size_t length);
void __tsan_write_range(void *at, size_t length);
void __tsan_atomic_thread_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *at, size_t length)
{
    before_load(at, length, false);
}

void __tsan_write_range(void *at, size_t length)
{
    before_store(at, length);
}

void __tsan_atomic_thread_fence(int order)
{
    fence(order);
}

#define HOOK(name, action, bytes)       \
    void __tsan_##name##bytes(void *);  \
    void __tsan_##name##bytes(void *at) \
    {                                   \
        action;                         \
    }
#define HOOKS(bytes)                                                    \
    HOOK(read, before_load(at, bytes, false), bytes)                    \
    HOOK(unaligned_read, before_load(at, bytes, false), bytes)          \
    HOOK(volatile_read, before_load(at, bytes, false), bytes)           \
    HOOK(unaligned_volatile_read, before_load(at, bytes, false), bytes) \
    HOOK(write, before_store(at, bytes), bytes)                         \
    HOOK(unaligned_write, before_store(at, bytes), bytes)               \
    HOOK(volatile_write, before_store(at, bytes), bytes)                \
    HOOK(unaligned_volatile_write, before_store(at, bytes), bytes)
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

#define ATOMIC_HOOKS(bits)                                                                         \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *, int);               \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *at, int order)        \
    {                                                                                              \
        before_load(at, sizeof(*at), is_acquire(order));                                           \
        return *at;                                                                                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *, uint##bits##_t, int);              \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *at, uint##bits##_t value, int order) \
    {                                                                                              \
        store_atomic(at, &value, sizeof(value), order);                                            \
    }
ATOMIC_HOOKS(8)
ATOMIC_HOOKS(16)
ATOMIC_HOOKS(32)
ATOMIC_HOOKS(64)

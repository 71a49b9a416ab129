#include "kcsan_watch.h"

#define PAGE_BITS 12u

/* A key: the address's low 48 bits (all are of the kernel half), the size, whether it writes; never 0 or KCSAN_TAKEN.
 */
#define KCSAN_TAKEN   1ull
#define KEY_ADDRESS   0x0000ffffffffffffull
#define KEY_SIZE_AT   48u
#define KEY_SIZE_BITS 4u
#define KEY_WRITE     (1ull << 62)
#define KEY_IN_USE    (1ull << 63)

static uint64_t key_of(const struct kcsan_access *access)
{
    return (access->address & KEY_ADDRESS) | access->size << KEY_SIZE_AT |
           ((access->kind & KCSAN_WRITE) ? KEY_WRITE : 0) | KEY_IN_USE;
}

static uint64_t key_size(uint64_t key)
{
    return key >> KEY_SIZE_AT & ((1u << KEY_SIZE_BITS) - 1);
}

static bool overlaps(uint64_t key, const struct kcsan_access *access)
{
    uint64_t watched = key & KEY_ADDRESS, address = access->address & KEY_ADDRESS;

    return (key & KEY_IN_USE) && watched < address + access->size && address < watched + key_size(key);
}

/* Two that only read do not race. */
static bool races(uint64_t key, const struct kcsan_access *access)
{
    return ((key & KEY_WRITE) || (access->kind & KCSAN_WRITE)) && overlaps(key, access);
}

static struct kcsan_watch *slot_of(struct kcsan_table *table, uint64_t page, unsigned probe)
{
    return &table->slots[(page + probe * 7) % KCSAN_SLOTS];
}

struct kcsan_watch *kcsan_watch_set(struct kcsan_table *table, const struct kcsan_access *access)
{
    struct kcsan_access watched = *access;
    uint64_t page = access->address >> PAGE_BITS, left = ((page + 1) << PAGE_BITS) - access->address;

    if (watched.size > left)
        watched.size = left;
    if (watched.size > KCSAN_WATCH_MAX)
        watched.size = KCSAN_WATCH_MAX;
    for (unsigned probe = 0; probe < KCSAN_PROBES; probe++)
        if (overlaps(__atomic_load_n(&slot_of(table, page, probe)->key, __ATOMIC_RELAXED), &watched))
            return NULL;
    for (unsigned probe = 0; probe < KCSAN_PROBES; probe++) {
        struct kcsan_watch *watch = slot_of(table, page, probe);
        uint64_t expected = 0;

        /* Acquire: pairs with the release of who had the slot before. */
        if (!__atomic_compare_exchange_n(&watch->key, &expected, key_of(&watched), false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        __atomic_add_fetch(&table->nr_active, 1, __ATOMIC_RELAXED); /* a hint */
        return watch;
    }
    return NULL;
}

static void give_back(struct kcsan_table *table)
{
    __atomic_sub_fetch(&table->nr_active, 1, __ATOMIC_RELAXED);
}

bool kcsan_watch_end(struct kcsan_table *table, struct kcsan_watch *watch)
{
    uint64_t key = __atomic_load_n(&watch->key, __ATOMIC_RELAXED);

    if (key != KCSAN_TAKEN &&
        __atomic_compare_exchange_n(&watch->key, &key, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        give_back(table);
        return false;
    }
    while (!__atomic_load_n(&watch->is_told, __ATOMIC_ACQUIRE)) /* pairs with the release in kcsan_watch_tell */
        __builtin_ia32_pause();
    return true;
}

void kcsan_watch_release(struct kcsan_table *table, struct kcsan_watch *watch)
{
    __atomic_store_n(&watch->is_told, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&watch->key, 0, __ATOMIC_RELEASE); /* pairs with the acquire in kcsan_watch_set */
    give_back(table);
}

static struct kcsan_watch *meet_in_page(struct kcsan_table *table, const struct kcsan_access *access, uint64_t page)
{
    for (unsigned probe = 0; probe < KCSAN_PROBES; probe++) {
        struct kcsan_watch *watch = slot_of(table, page, probe);
        uint64_t key = __atomic_load_n(&watch->key, __ATOMIC_RELAXED);

        if (races(key, access) &&
            __atomic_compare_exchange_n(&watch->key, &key, KCSAN_TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return watch;
    }
    return NULL;
}

struct kcsan_watch *kcsan_watch_meet(struct kcsan_table *table, const struct kcsan_access *access)
{
    uint64_t last = (access->address + access->size - 1) >> PAGE_BITS;

    for (uint64_t page = access->address >> PAGE_BITS; page <= last; page++) {
        struct kcsan_watch *watch = meet_in_page(table, access, page);

        if (watch)
            return watch;
    }
    return NULL;
}

void kcsan_watch_tell(struct kcsan_watch *watch)
{
    __atomic_store_n(&watch->is_told, 1, __ATOMIC_RELEASE);
}

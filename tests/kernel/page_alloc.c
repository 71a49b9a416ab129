/* The page allocator in the kernel: all memory taken and given back, churn of a hundred times the memory, zones. */
#include <base/align.h>
#include <cpu/cpu_mask.h>
#include <debug/test.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>
#include <sched/thread.h>
#include <smp/cpu.h>

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

#define SLOTS 512

static struct {
    struct page *page;
    unsigned order;
    uint64_t mark;
} slots[SLOTS];

/* The first and last word of a block hold what was written when it was allocated: nobody else got it. */
static bool give_back(unsigned slot)
{
    uint64_t *words = page_to_address(slots[slot].page);
    size_t last = (PAGE_SIZE << slots[slot].order) / sizeof(uint64_t) - 1;
    bool is_intact = words[0] == slots[slot].mark && words[last] == ~slots[slot].mark;

    page_free(slots[slot].page, slots[slot].order);
    slots[slot].page = NULL;
    return is_intact;
}

/* Returns the pages taken. */
static uint64_t take(unsigned slot)
{
    unsigned order = (unsigned)__builtin_ctzll(next_random() | 1ull << PAGE_ORDER_MAX);
    struct page *page = page_alloc(order, PAGE_PRIVATE, next_random() % 8 == 0 ? ALLOC_DMA32 : ALLOC_NORMAL);

    if (!page)
        return 0;
    slots[slot].page = page;
    slots[slot].order = order;
    slots[slot].mark = next_random();
    uint64_t *words = page_to_address(page);
    words[0] = slots[slot].mark;
    words[(PAGE_SIZE << order) / sizeof(uint64_t) - 1] = ~slots[slot].mark;
    return 1ull << order;
}

KERNEL_TEST(page_churn, "page_alloc/churn_of_100_times_memory")
{
    struct page_counts before = page_counts();
    uint64_t pages = 0, broken = 0;

    while (pages < 100 * before.total) {
        unsigned slot = next_random() % SLOTS;
        if (slots[slot].page)
            broken += !give_back(slot);
        else
            pages += take(slot);
    }
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (slots[slot].page)
            broken += !give_back(slot);
    EXPECT_EQ(broken, 0);
    EXPECT_EQ(page_counts().free, before.free);
    EXPECT_EQ(page_counts().total, before.total);
}

/* Every page there is, one by one, linked through their struct pages. Nothing here may need memory meanwhile. */
KERNEL_TEST(page_exhaustion, "page_alloc/every_page_can_be_had_and_comes_back")
{
    struct list held = LIST_INITIALIZER(held);
    uint64_t before = page_counts().free, taken = 0, marked = 0;
    struct page *page, *after;

    while ((page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL))) {
        list_add_first(&held, &page->link);
        taken++;
    }
    bool has_order_0 = page_alloc(0, PAGE_PRIVATE, ALLOC_DMA32) != NULL;
    uint64_t left = page_counts().free;
    list_for_each_entry_safe (page, after, &held, link) {
        marked += page->owner == PAGE_PRIVATE && page->references == 1;
        list_remove(&page->link);
        page_free(page, 0);
    }
    EXPECT(!has_order_0);
    EXPECT_EQ(left, 0);
    EXPECT_EQ(taken, before);
    EXPECT_EQ(marked, taken);
    EXPECT_EQ(page_counts().free, before);
}

KERNEL_TEST(page_zones, "page_alloc/zones")
{
    struct page *low = page_alloc(0, PAGE_PRIVATE, ALLOC_LOW);
    struct page *dma = page_alloc(2, PAGE_PRIVATE, ALLOC_DMA32 | ALLOC_ZERO);

    EXPECT(low != NULL && dma != NULL);
    uint64_t low_end = pfn_to_paddr(page_to_pfn(low)).value + PAGE_SIZE;
    uint64_t dma_end = pfn_to_paddr(page_to_pfn(dma)).value + 4 * PAGE_SIZE;
    const uint64_t *words = page_to_address(dma);
    uint64_t sum = 0;
    for (size_t i = 0; i < 4 * PAGE_SIZE / sizeof(*words); i++)
        sum |= words[i];
    page_free(low, 0);
    page_free(dma, 2);
    EXPECT(low_end <= MIB(1));
    EXPECT(dma_end <= GIB(4));
    EXPECT_EQ(sum, 0);
}

#define PAIR_TRIES 4096u
#define TURNS      100000u

static uint32_t is_over; /* [a] */

/* A page goes to this CPU's list and comes back, with no lock, while its neighbour is given to the zone. */
static int use_list(void *page)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
        page_free(page, 0);
        page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);
        if (!page)
            return 1;
    }
    page_free(page, 0);
    return 0;
}

/* Two single pages that the zone would merge: the list of what was tried is given back. */
static bool find_pair(struct page *pair[2])
{
    struct list tried = LIST_INITIALIZER(tried);
    struct page *page, *after, *last = NULL;

    pair[0] = NULL;
    for (unsigned i = 0; i < PAIR_TRIES && !pair[0] && (page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL)); i++) {
        if (last && (page_to_pfn(page).number ^ 1) == page_to_pfn(last).number) {
            list_remove(&last->link);
            pair[0] = last;
            pair[1] = page;
        } else {
            list_add_first(&tried, &page->link);
            last = page;
        }
    }
    list_for_each_entry_safe (page, after, &tried, link) {
        list_remove(&page->link);
        page_free(page, 0);
    }
    return pair[0] != NULL;
}

/* Nothing so large is that low: before it fails, this CPU's list goes back to the zone. */
static void drain_list(void)
{
    EXPECT(page_alloc(PAGE_ORDER_MAX, PAGE_PRIVATE, ALLOC_LOW) == NULL);
}

KERNEL_TEST(page_neighbours, "page_alloc/neighbour_on_another_cpus_list")
{
    struct thread_options options = {.name = "neighbour"};
    struct cpu_mask there = {0};
    struct page *pair[2], *page;
    struct thread *thread;
    int code = -1;

    if (smp_nr_online() < 2)
        return;
    EXPECT(find_pair(pair));
    if (!pair[0])
        return;
    cpu_mask_set(&there, 1);
    options.affinity = &there;
    is_over = 0;
    EXPECT_EQ(thread_create(&thread, &options, use_list, pair[0]), 0);
    page_free(pair[1], 0);
    for (unsigned i = 0; i < TURNS; i++) {
        drain_list(); /* the zone looks whether the other one is free there as well */
        page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL); /* takes a batch back, with what was given last */
        EXPECT(page != NULL);
        if (page)
            page_free(page, 0);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    EXPECT_EQ(thread_join(thread, &code), 0);
    EXPECT_EQ(code, 0);
}

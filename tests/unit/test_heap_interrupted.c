/* Pages and objects allocated and freed, with this CPU's lists emptied, filled or taken away at every place where
 * interrupts come back on: by an interrupt, or because the thread goes on where another CPU's lists are. */
#include "support/heap_host.h"
#include "support/host_memory.h"
#include "support/unit.h"

#include <string.h>

#include <mm/heap_audit.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>

#include "../../mm/slab_internal.h"
#include "../../mm/zone.h"

#define FRAMES      512ull
#define POOL        192u
#define OBJECT_SIZE 200u
#define BLOCK_ORDER 2u

unsigned unit_irqs_off;

static void (*happens)(void);
static unsigned places_before; /* where it happens */

void unit_irqs_come_on(void)
{
    void (*call)(void) = happens;

    if (!call || places_before-- != 0)
        return;
    happens = NULL;
    call();
}

static struct page *pages[POOL], *block;
static void *objects[POOL];
static unsigned nr_pages, nr_objects;

/* What interrupts it may take pages too. */
static void take_page(void)
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, 0);

    assert_true(page && nr_pages < POOL);
    pages[nr_pages++] = page;
}

static void give_page(void)
{
    if (nr_pages)
        page_free(pages[--nr_pages], 0);
}

static void take_block(void)
{
    block = page_alloc(BLOCK_ORDER, PAGE_PRIVATE, 0);
}

static void give_block(void)
{
    if (block)
        page_free(block, BLOCK_ORDER);
    block = NULL;
}

static void take_object(void)
{
    void *object = kmalloc(OBJECT_SIZE, 0);

    assert_true(object && nr_objects < POOL);
    objects[nr_objects++] = object;
}

static void give_object(void)
{
    if (nr_objects)
        kfree(objects[--nr_objects]);
}

static void reap(void)
{
    (void)slab_reap();
}

static uint64_t list_length(void)
{
    return page_alloc_cached(ZONE_DMA32);
}

static uint64_t list_capacity; /* learned: a page more goes to the zone, with others */

static void learn_list_capacity(void)
{
    do {
        list_capacity = list_length();
        give_page();
    } while (list_length() > list_capacity);
}

static void fill_list(void)
{
    while (nr_pages && list_length() < list_capacity)
        give_page();
}

static void empty_list(void)
{
    while (list_length())
        take_page();
}

static struct magazine_slot *slot(void)
{
    return page_of_address(objects[0])->cache->slot;
}

static void fill_magazine(void)
{
    do
        give_object();
    while (slot()->count < slot()->limit && nr_objects > 1);
}

static void empty_magazine(void)
{
    while (slot()->count)
        take_object();
}

static void (*const operations[])(void) = {take_page,   give_page,   take_block, give_block, page_alloc_drain_cpu,
                                           take_object, give_object, reap,       slab_scrub};
static void (*const beginnings[])(void) = {fill_list, empty_list, fill_magazine, empty_magazine, reap};
static void (*const interruptions[])(void) = {fill_list, empty_list,  fill_magazine,       empty_magazine,
                                              reap,      take_object, page_alloc_drain_cpu};

static void start(void)
{
    heap_host_init(FRAMES);
    nr_pages = nr_objects = 0;
    while (nr_pages < POOL / 2)
        take_page();
    while (nr_objects < POOL / 2)
        take_object();
    block = NULL;
}

static uint64_t nr_free; /* with nothing taken */

static void assert_sound(void)
{
    static struct audit_report report;

    memset(&report, 0, sizeof(report));
    heap_audit.run(&report);
    page_alloc_audit_lists(&report);
    buddy_audit(&zone_get(ZONE_DMA32)->buddy, "DMA32", &report);
    if (report.nr_violations)
        fail_msg("%s", report.text[0]);
    assert_int_equal(unit_irqs_off, 0);
}

static void assert_all_comes_back(void)
{
    while (nr_pages)
        give_page();
    while (nr_objects)
        give_object();
    give_block();
    reap();
    assert_int_equal(page_counts().free, nr_free);
    assert_sound();
}

/* False where the operation has no such place. */
static bool run(void (*first)(void), void (*second)(void), void (*operation)(void), void (*interruption)(void),
                unsigned place)
{
    bool has_happened;

    start();
    first();
    second();
    if (operation == give_block)
        take_block();
    places_before = place;
    happens = interruption;
    operation();
    has_happened = happens == NULL;
    happens = NULL;
    assert_sound();
    assert_all_comes_back();
    return has_happened;
}

static void test_everywhere(void **state)
{
    unsigned nr_runs = 0;

    heap_host_init(FRAMES);
    nr_free = heap_host_free_pages();
    start();
    learn_list_capacity();
    for (unsigned first = 0; first < ARRAY_SIZE(beginnings); first++)
        for (unsigned second = 0; second < ARRAY_SIZE(beginnings); second++)
            for (unsigned op = 0; op < ARRAY_SIZE(operations); op++)
                for (unsigned i = 0; first != second && i < ARRAY_SIZE(interruptions); i++)
                    for (unsigned place = 0;
                         run(beginnings[first], beginnings[second], operations[op], interruptions[i], place); place++)
                        nr_runs++;
    print_message("%u interruptions\n", nr_runs);
    assert_true(nr_runs > 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_everywhere)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

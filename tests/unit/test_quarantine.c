/* The address sanitizer's quarantine: a cache is destroyed by another CPU while its last object is on the way out. */
#include "support/heap_host.h"
#include "support/host_memory.h"
#include "support/unit.h"

#include <base/kasan.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>

#include "../../mm/quarantine.h"

#define FRAMES 1024ull

unsigned unit_irqs_off;

static struct slab_cache *cache;
static int result;
static bool is_wanted;
static unsigned places_before; /* where it is destroyed */

void kasan_poison_(const void *start, size_t length, enum kasan_reason reason)
{
}

void kasan_unpoison_(const void *start, size_t length)
{
}

void unit_irqs_come_on(void)
{
    if (!is_wanted || places_before-- != 0)
        return;
    is_wanted = false;
    result = slab_cache_destroy(cache);
}

/* False where emptying the quarantine has no such place. */
static bool destroy_at(unsigned place)
{
    uint64_t nr_free;
    bool is_destroyed;

    heap_host_init(FRAMES);
    assert_int_equal(quarantine_init(), 0);
    nr_free = heap_host_free_pages();
    cache = slab_cache_create("one", 100, 1, 0);
    assert_non_null(cache);
    slab_free(cache, slab_alloc(cache, 0));
    result = 0;
    places_before = place;
    is_wanted = true;
    quarantine_drain();
    is_destroyed = !is_wanted;
    is_wanted = false;
    if (!is_destroyed)
        result = slab_cache_destroy(cache);
    assert_int_equal(result, 0);
    assert_int_equal(heap_host_free_pages(), nr_free);
    return is_destroyed;
}

static void test_destroyed_meanwhile(void **state)
{
    unsigned place = 0;

    while (destroy_at(place))
        place++;
    assert_true(place > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_destroyed_meanwhile)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Each CPU keeps a few; ending a thread may leave it more, because a stack can be unmapped only where one may wait for
 * the vmalloc area's lock. The list goes through the word at the top of each stack, which a thread's first frame is
 * written over. */
#include "stack_cache.h"

#include <base/kasan.h>
#include <base/layout.h>
#include <cpu/percpu.h>
#include <debug/idle.h>
#include <mm/stack.h>
#include <mm/vmalloc.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/timer.h>

#define KEPT_PER_CPU 8u
#define WAIT_NS      (20 * NS_PER_US)

/* No function's frame is larger (-Wframe-larger-than=1024, an error), and at its upper end it holds a return address:
 * below so much of the pattern nothing was ever written. */
#define GAP_WORDS   (1088u / sizeof(uint64_t))
#define BLOCK_WORDS 16u

struct stack_cache {
    struct spinlock lock; /* "thread stacks" */
    void *first;          /* [l] */
    uint32_t count;       /* [l] */
};

static PER_CPU struct stack_cache caches; /* [each one's lock] */
static uint32_t nr_draining;              /* [a] who may hold a stack that is in no cache any more, and still mapped */

static void **link_of(void *stack)
{
    return (void **)((char *)stack + KERNEL_STACK_SIZE) - 1;
}

/* The first word below `at` that does not hold the pattern, looking at nr_words (not 0) downwards; NULL where all do.
 */
static uint64_t *find_used(uint64_t *at, size_t nr_words)
{
    bool is_untouched;

    at--;
    __asm__ volatile("std; repe scasq; cld"
                     : "+D"(at), "+c"(nr_words), "=@ccz"(is_untouched)
                     : "a"(STACK_FILL)
                     : "memory");
    return is_untouched ? NULL : at + 1;
}

static void fill_block(uint64_t *at)
{
    size_t nr_words = BLOCK_WORDS;

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(nr_words) : "a"(STACK_FILL) : "memory");
}

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* From the top down, until there is nothing more to overwrite. */
static void refill(void *stack)
{
    uint64_t *low = stack, *at = low + KERNEL_STACK_SIZE / sizeof(*at), *used;

    while (at > low && (used = find_used(at, less(GAP_WORDS, (size_t)(at - low)))) != NULL) {
        at = used - low >= (ptrdiff_t)BLOCK_WORDS ? used + 1 - BLOCK_WORDS : low;
        fill_block(at);
    }
}

void thread_stacks_init_cpu(uint32_t cpu)
{
    spinlock_init(&percpu_of(cpu, caches)->lock, "thread stacks");
}

/* Takes one off a cache that has more than `keep`. */
static ALWAYS_INLINE void *take(struct stack_cache *cache, uint32_t keep)
{
    uint64_t flags = irq_save();
    void *stack = NULL;

    spinlock_lock_irq_off(&cache->lock);
    if (cache->count > keep) {
        stack = cache->first;
        cache->first = *link_of(stack);
        cache->count--;
    }
    spinlock_unlock_irq_off(&cache->lock);
    irq_restore(flags);
    return stack;
}

void *thread_stack_get(void)
{
    void *stack = take(this_cpu_pointer(caches), 0); /* another CPU's would do as well */

    if (!stack)
        return stack_alloc("thread");
    refill(stack);
    return stack;
}

void thread_stack_put(void *stack)
{
    uint64_t flags = irq_save();
    struct stack_cache *cache = this_cpu_pointer(caches);

    spinlock_lock_irq_off(&cache->lock);
    kasan_unpoison(stack, KERNEL_STACK_SIZE); /* its thread has left functions that never return */
    *link_of(stack) = cache->first;
    cache->first = stack;
    cache->count++;
    spinlock_unlock_irq_off(&cache->lock);
    irq_restore(flags);
}

static NOINLINE void drain(struct stack_cache *cache, uint32_t keep)
{
    void *stack;

    __atomic_fetch_add(&nr_draining, 1, __ATOMIC_RELAXED); /* seen by who finds the cache empty then: its lock */
    while ((stack = take(cache, keep)) != NULL)
        stack_free(stack);
    __atomic_fetch_sub(&nr_draining, 1, __ATOMIC_RELEASE); /* pairs with the acquire in thread_stacks_drain */
}

void thread_stacks_trim(void)
{
    struct stack_cache *cache = this_cpu_pointer(caches);

    if (UNLIKELY(READ_ONCE(cache->count) > KEPT_PER_CPU))
        drain(cache, KEPT_PER_CPU);
}

IDLE_WORK(thread_stacks, thread_stacks_trim);

void thread_stacks_drain(void)
{
    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        drain(percpu_of(cpu, caches), 0);
    while (__atomic_load_n(&nr_draining, __ATOMIC_ACQUIRE) > 0)
        sleep_ns(WAIT_NS); /* not only yielding: it may be an idle thread that this one is in the way of */
}

/* Gives the lock checker pages to learn in before it runs out. It cannot ask itself: it is called by the page
 * allocator's own locks. In builds with CONFIG_LOCKDEP only. */
#include <debug/idle.h>
#include <debug/log.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/page_array.h>
#include <sync/lockdep_report.h>

#define MORE_ORDER 4u /* 64 KiB: some 250 classes */

static bool is_at_it; /* [a] several CPUs are idle at a time */

static void give_memory(void)
{
    struct page *page;

    if (!lockdep_wants_memory() || __atomic_exchange_n(&is_at_it, true, __ATOMIC_ACQUIRE))
        return;
    page = lockdep_wants_memory() ? page_alloc(MORE_ORDER, PAGE_PRIVATE, ALLOC_ZERO) : NULL;
    if (page) {
        lockdep_add_memory(page_to_address(page), (size_t)PAGE_SIZE << MORE_ORDER);
        log_debug("lockdep: %lu KiB more to learn in", ((size_t)PAGE_SIZE << MORE_ORDER) / 1024);
    }
    __atomic_store_n(&is_at_it, false, __ATOMIC_RELEASE); /* pairs with the exchange */
}

IDLE_WORK(lockdep_memory, give_memory);

/* Free pages, without a lock: the interrupted code may hold the zones'. */
#include <debug/log.h>
#include <debug/sysrq.h>
#include <mm/page_alloc.h>

static void show_memory(void)
{
    struct page_counts counts = page_counts();

    log_info("  %lu of %lu pages are free", counts.free, counts.total);
}

SYSRQ(memory, .letter = 'm', .summary = "free memory", .run = show_memory);

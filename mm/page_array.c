/* Which frames have a struct page, and the names of owners. */
#include <mm/page_array.h>

struct page_groups page_groups READ_ONLY_AFTER_INIT;

const char *page_owner_name(unsigned owner)
{
    static const char *const names[] = {
        [PAGE_RESERVED] = "reserved",     [PAGE_FREE] = "free",          [PAGE_KERNEL] = "kernel",
        [PAGE_PAGE_TABLE] = "page table", [PAGE_SLAB] = "slab",          [PAGE_LARGE] = "large kmalloc",
        [PAGE_VMALLOC] = "vmalloc",       [PAGE_STACK] = "kernel stack", [PAGE_SHADOW] = "shadow",
        [PAGE_PRIVATE] = "private",
    };
    static_assert(ARRAY_SIZE(names) == PAGE_OWNERS, "every owner has a name");

    return owner < PAGE_OWNERS ? names[owner] : "?";
}

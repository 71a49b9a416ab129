#include "start_page.h"

#include <base/errno.h>
#include <lib/list.h>
#include <mm/page_alloc.h>

/* A start-up interrupt's vector is the page's number; those of the video memory and above are reserved, or are ROM
 * (MultiProcessor Specification 1.4, B.4.2). Page 0 is the firmware's data. */
#define FIRST_PAGE 0x01u
#define END_PAGE   0xa0u

static bool can_start_in(const struct page *page)
{
    uint64_t number = page_to_pfn(page).number;

    return number >= FIRST_PAGE && number < END_PAGE;
}

int start_page_alloc(struct page **page)
{
    struct list unusable = LIST_INITIALIZER(unusable);
    struct page *found, *other, *after;

    while ((found = page_alloc(0, PAGE_PRIVATE, ALLOC_LOW)) != NULL && !can_start_in(found))
        list_add_last(&unusable, &found->link);
    list_for_each_entry_safe (other, after, &unusable, link) {
        list_remove(&other->link);
        page_free(other, 0);
    }
    if (!found)
        return -ENOMEM;
    *page = found;
    return 0;
}

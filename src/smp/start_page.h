/* The page below 1 MiB that other CPUs start in: any that the memory map leaves free, never a fixed one, for the loader
 * may have put anything anywhere. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>

struct page;

/* Takes one from the page allocator. Returns 0 with the page, which the caller owns, or -ENOMEM where there is none
 * that a start-up interrupt can name. Context: thread. */
MUST_CHECK int start_page_alloc(struct page **page);

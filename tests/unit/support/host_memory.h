/* RAM for unit tests: memory of the host behind mm/physmap.h and mm/page_array.h, with a struct page for each frame. */
#pragma once

#include <stdint.h>

#include <mm/page_array.h>

/* nr_frames frames from physical address 0 on, all PAGE_FREE and PAGE_ORDER_TAIL; nothing is in the allocator. What an
 * earlier call got is given back. Memory is not touched, so large sizes cost little. */
void host_memory_init(uint64_t nr_frames);

/* The same with the page allocator (mm/page_alloc.c) on top, given every frame but frame 0. */
void host_page_alloc_init(uint64_t nr_frames);

/* Takes the struct pages of a group of PAGE_GROUP_FRAMES away, as a hole of the memory map does. */
void host_memory_remove_group(uint64_t group);

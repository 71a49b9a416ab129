/* What an address is, in words: for fault reports and for the prompt. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

/* Writes what the address is: ".text: page_alloc+0x12", "guard page below stack 'idle'", "physmap of frame 0x1234 (page
 * table)", "slab object 'kmalloc-48' +12 (...)", "unmapped, in the vmalloc area". Always terminated where size is not
 * 0. Takes no lock, allocates nothing, reads only what is mapped. Context: any, the report included. */
void describe_address(vaddr_t address, char *buffer, size_t size);

/* Tells the fault report (debug/report_hooks.h) what addresses are. Context: init. */
void describe_init(void);

/* Page tables for a CPU on its way from real mode: the kernel half as it is, and one page below 1 MiB mapped one to
 * one, executable. Their root lies below 4 GiB, for CR3 is loaded with 32 bits there. They are nobody's current tables
 * but such a CPU's, for a few instructions. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>

struct start_tables {
    paddr_t root; /* 0 for none */
    paddr_t levels[3];
};

/* Returns 0, or -ENOMEM with nothing left. page is page aligned. Context: thread. */
MUST_CHECK int start_tables_build(struct start_tables *tables, paddr_t page);

/* No CPU uses them any more, or will. */
void start_tables_free(struct start_tables *tables);

/* mm's own audits, for its init and commands. */
#pragma once

#include <mm/audit.h>

/* Registered by mm_init. */
extern struct audit zone_audit;       /* zones and lists of single pages */
extern struct audit page_table_audit; /* the kernel's page tables */

/* The last registered, linked by next. */
const struct audit *audit_first(void);

/* How many struct pages say each owner. Context: any; exact when nothing else runs. */
void page_owners_count(uint64_t found[PAGE_OWNERS]);

/* Translation lookaside buffers (SDM 3A 4.10). The one place where translations are forgotten: when other CPUs run,
 * they are told here. Context: any. */
#pragma once

#include <base/address.h>

/* After entries of this range were cleared or restricted, or tables below it were taken out; global pages included. */
void tlb_flush_range(vaddr_t base, uint64_t length);

/* Everything, global pages included. */
void tlb_flush_all(void);

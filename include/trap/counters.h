/* Events that have been reported since boot. Context: any. */
#pragma once

#include <base/types.h>

uint64_t trap_nmi_count(void);

/* Errors taken out of machine check banks. */
uint64_t trap_machine_check_count(void);

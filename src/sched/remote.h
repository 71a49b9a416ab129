/* Having another CPU, or this one where it cannot now, look whom it should run. */
#pragma once

#include <base/types.h>

/* Context: any but NMI. */
void remote_reschedule(uint32_t cpu);

#pragma once

#include <cpu/trap_frame.h>

/* Reports where every CPU is, to the log, and goes on. Context: NMI. */
void nmi_handle(struct trap_frame *frame);

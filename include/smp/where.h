/* Where every CPU is: for reports, and for the system request that shows all stacks. Others are asked by NMI, which
 * also a CPU with interrupts off takes. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

/* An NMI came. True when it was another CPU's question, which is answered; where that CPU wants this one stopped it
 * does not return. Context: NMI. */
bool smp_answer_nmi(const struct trap_frame *frame);

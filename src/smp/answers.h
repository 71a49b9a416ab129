/* Waiting until other CPUs have done what was asked of them (mailbox.h), of which one may be given up on as it joins.
 *
 *  1. A CPU that joins is online before it knows, and asked like the others. It takes nothing out of its sets until it
 *     has made itself ONLINE; then it does what it finds.
 *  2. It is given up on by compare and exchange, JOINING to LEFT_OUT: so it has taken nothing and never will, and who
 *     asked takes that back. One that is ONLINE is waited for, however long that takes.
 *  3. The boot CPU gives up on it (start.c), and so does who waits for it: that may be the boot CPU itself, interrupts
 *     off. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>

#include "mailbox.h"

/* This CPU does what is asked of it from now on; it is told of what it was asked before. Context: irq-off; init. */
void answers_begin(void);
bool answers_are_given(void);

/* The CPU with this number has not become ONLINE: it is logged, and nobody counts on it any more. False where it has
 * become so, or somebody else has given up on it. Context: any but NMI. */
MUST_CHECK bool smp_give_up(uint32_t cpu);

/* Returns when all of `asked`, who have this CPU's number in their sets, have answered or are given up on, which is
 * logged; what they wrote is seen. meanwhile: what to do as long as it waits, or NULL. *asked is used up. Context: as
 * for who asks (mailbox.h, 1). */
void answers_wait(struct mailbox *own, struct mailbox *(*box_of)(uint32_t cpu), struct cpu_mask *asked,
                  void (*meanwhile)(void));

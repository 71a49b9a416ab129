/* How a CPU has others run something: it says what in its own mailbox, drops its number into a set of each of them, and
 * interrupts them; they run it and count down. So nothing is allocated and no lock is taken, any number of CPUs ask any
 * number of others at once, and one interrupt serves all who asked meanwhile.
 *
 *  1. A mailbox has one request at a time: its CPU is not preempted from mailbox_post to the end of the wait, and what
 *     may interrupt the wait does not post to the same box.
 *  2. Whoever finds somebody's number in a word of the set sends no interrupt: the one that is on its way, or about to
 *     be sent, is not taken before the word is, with both numbers in it. A CPU that takes the interrupt and not the
 *     word, for it has not joined yet, looks at the word when it has (answers.h). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>

struct mailbox {
    void (*function)(void *argument); /* [c] written before the number is dropped, read by those who found it */
    void *argument;
    uint32_t nr_pending;    /* [a] CPUs that have not run it yet */
    struct cpu_mask askers; /* [a] who wants something from this CPU */
};

/* The parts of asking `cpu`; mailbox_begin first, with how many will be asked. drop returns whether to interrupt it. */
void mailbox_begin(struct mailbox *own, void (*function)(void *), void *argument, uint32_t nr_cpus);
MUST_CHECK bool mailbox_drop(struct mailbox *box_of_cpu, uint32_t own_number);

/* Asks `cpu` no more, which has not taken the number out of its set; false where it has. For who asked. */
MUST_CHECK bool mailbox_take_back(struct mailbox *own, struct mailbox *box_of_cpu, uint32_t own_number);

/* Somebody wants something of this CPU. */
static inline bool mailbox_is_asked(const struct mailbox *own)
{
    return !cpu_mask_is_empty(&own->askers);
}

/* All that were asked have run it, and what they wrote is seen. */
static inline bool mailbox_is_done(const struct mailbox *own)
{
    return __atomic_load_n(&own->nr_pending, __ATOMIC_ACQUIRE) == 0; /* pairs with the release in mailbox_run */
}

/* Runs what this CPU has been asked for. box_of finds another CPU's box. Context: irq-off. */
void mailbox_run(struct mailbox *own, struct mailbox *(*box_of)(uint32_t cpu));

/* The lock-free ring under the log: any number of writers and readers, in any context.
 *
 * Sequence number s lives in slot s % size. A slot's state is 2s + 1 while the record of s is being written and 2s + 2
 * once it is complete; 0 is a slot never used. States of one slot only grow.
 *
 * Writer: reads next = s; sees that the slot holds the complete record of s - size (or none, in the first round); takes
 * s by compare-and-swap of next, s to s + 1; marks the slot 2s + 1; stores the record; marks it 2s + 2. Reader of s:
 * state 2s + 2, then the copy, then state 2s + 2 again: the copy is whole.
 *
 * R1  One writer owns a slot at a time. Only the writer that took s writes state 2s + 1 and the record behind it, and s
 *     can be taken only when the slot's last owner, the writer of s - size, has completed it: the state that was seen
 *     cannot change before the swap succeeds, because only the taker of s may change it.
 * R2  Numbers are dense: whoever takes a number completes it, without waiting for anybody.
 * R3  Nobody waits. A failed swap means that another writer succeeded; an interrupt or NMI that writes while its own
 *     CPU writes takes the next number. When the slot's owner of a whole round ago has not completed yet (it was
 *     interrupted by more than size records), the record is dropped and counted: waiting could be for the context
 *     underneath.
 * R4  No torn record is returned: a reader whose slot was taken meanwhile sees another state after its copy.
 *
 * tests/models/log_ring.pml is checked for R1 to R4.
 *
 * When all other CPUs are stopped for good, an owner that has not completed never will: log_ring_force then lets
 * writers take its slot. */
#pragma once

#include <base/assert.h>
#include <debug/log.h>

#define LOG_RECORD_WORDS (sizeof(struct log_record) / sizeof(uint64_t))
static_assert(sizeof(struct log_record) % sizeof(uint64_t) == 0, "records are copied by words");

struct log_slot {
    uint64_t state;                   /* [a] */
    uint64_t words[LOG_RECORD_WORDS]; /* [a] a struct log_record; owned as in R1 */
};

struct log_ring {
    struct log_slot *slots; /* [I] */
    uint64_t size;          /* [I] a power of two */
    uint64_t next;          /* [a] the number the next record will get */
    uint64_t dropped;       /* [a] see R3 */
    bool is_forced;         /* [a] */
};

/* Adds the record and gives it its sequence number. False when it was dropped (R3). Context: any. */
bool log_ring_write(struct log_ring *ring, struct log_record *record);

/* As log_read in debug/log.h. *record holds nothing of use after a failure. Context: any. */
MUST_CHECK int log_ring_read(const struct log_ring *ring, uint64_t sequence, struct log_record *record,
                             uint64_t *oldest);

/* The record of this number is complete, or has been overwritten by a later one. Context: any. */
bool log_ring_is_complete(const struct log_ring *ring, uint64_t sequence);

/* Writers that have not completed never will. Context: panic, every other CPU stopped. */
void log_ring_force(struct log_ring *ring);

#include "log_ring.h"

#include <base/errno.h>

static struct log_slot *slot_of(const struct log_ring *ring, uint64_t sequence)
{
    return &ring->slots[sequence & (ring->size - 1)];
}

static uint64_t state_writing(uint64_t sequence)
{
    return 2 * sequence + 1;
}

static uint64_t state_complete(uint64_t sequence)
{
    return 2 * sequence + 2;
}

/* What the slot of this number shows before the number is taken. */
static uint64_t state_before(const struct log_ring *ring, uint64_t sequence)
{
    return sequence < ring->size ? 0 : state_complete(sequence - ring->size);
}

/* Takes a number, or returns false (R3). */
static bool take_sequence(struct log_ring *ring, uint64_t *sequence)
{
    uint64_t next = __atomic_load_n(&ring->next, __ATOMIC_RELAXED);

    for (;;) {
        /* Acquire, pairs with the release in store_record: the former owner's stores come before ours (R1). */
        uint64_t state = __atomic_load_n(&slot_of(ring, next)->state, __ATOMIC_ACQUIRE);

        if (state != state_before(ring, next) && !__atomic_load_n(&ring->is_forced, __ATOMIC_RELAXED)) {
            uint64_t now = __atomic_load_n(&ring->next, __ATOMIC_RELAXED);
            if (now == next)
                return false;
            next = now;
            continue;
        }
        /* Release, pairs with the acquire in log_ring_read: who sees the number taken sees the slot's state before it.
         * A failed swap loads next anew. */
        if (__atomic_compare_exchange_n(&ring->next, &next, next + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            break;
    }
    *sequence = next;
    return true;
}

/* A record's words, one at a time, so that no second record is on the stack. */
static uint64_t get_word(const struct log_record *record, size_t number)
{
    uint64_t word;

    __builtin_memcpy(&word, (const uint8_t *)record + number * sizeof(word), sizeof(word));
    return word;
}

static void set_word(struct log_record *record, size_t number, uint64_t word)
{
    __builtin_memcpy((uint8_t *)record + number * sizeof(word), &word, sizeof(word));
}

/* By words and atomically, because a reader may be copying what is overwritten here; it will find out by the state. */
static void store_record(struct log_slot *slot, const struct log_record *record)
{
    size_t nr_words = (offsetof(struct log_record, text) + record->length_bytes + 1u + 7) / 8;

    /* Release, pairs with the acquire loads of state: who sees the slot taken sees the number taken. */
    __atomic_store_n(&slot->state, state_writing(record->sequence), __ATOMIC_RELEASE);
    /* Release, pairs with the acquire fence in log_ring_read: who copied a word of ours sees the state above. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    for (size_t i = 0; i < nr_words; i++)
        __atomic_store_n(&slot->words[i], get_word(record, i), __ATOMIC_RELAXED);
    /* Release, pairs with the acquire loads of state: who sees it complete sees every word. */
    __atomic_store_n(&slot->state, state_complete(record->sequence), __ATOMIC_RELEASE);
}

bool log_ring_write(struct log_ring *ring, struct log_record *record)
{
    if (!take_sequence(ring, &record->sequence)) {
        __atomic_fetch_add(&ring->dropped, 1, __ATOMIC_RELAXED); /* a counter: orders nothing */
        return false;
    }
    store_record(slot_of(ring, record->sequence), record);
    return true;
}

static int report_overwritten(const struct log_ring *ring, uint64_t *oldest)
{
    /* next is loaded after the state that showed a later owner, so next - size lies beyond the number asked for. */
    uint64_t next = __atomic_load_n(&ring->next, __ATOMIC_ACQUIRE);

    *oldest = next > ring->size ? next - ring->size : 0;
    return -ENOENT;
}

int log_ring_read(const struct log_ring *ring, uint64_t sequence, struct log_record *record, uint64_t *oldest)
{
    const struct log_slot *slot = slot_of(ring, sequence);
    uint64_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE); /* pairs with store_record's last release */

    if (state < state_complete(sequence))
        return -EAGAIN;
    if (state > state_complete(sequence))
        return report_overwritten(ring, oldest);
    for (size_t i = 0; i < LOG_RECORD_WORDS; i++)
        set_word(record, i, __atomic_load_n(&slot->words[i], __ATOMIC_RELAXED));
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* pairs with store_record's release fence (R4) */
    if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != state)
        return report_overwritten(ring, oldest);
    return 0;
}

bool log_ring_is_complete(const struct log_ring *ring, uint64_t sequence)
{
    /* Acquire, pairs with store_record's last release. */
    return __atomic_load_n(&slot_of(ring, sequence)->state, __ATOMIC_ACQUIRE) >= state_complete(sequence);
}

void log_ring_force(struct log_ring *ring)
{
    __atomic_store_n(&ring->is_forced, true, __ATOMIC_RELAXED); /* no other CPU runs */
}

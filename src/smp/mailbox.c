#include "mailbox.h"

void mailbox_begin(struct mailbox *own, void (*function)(void *), void *argument, uint32_t nr_cpus)
{
    own->function = function;
    own->argument = argument;
    __atomic_store_n(&own->nr_pending, nr_cpus, __ATOMIC_RELAXED); /* ordered by the release in mailbox_drop */
}

bool mailbox_drop(struct mailbox *box_of_cpu, uint32_t own_number)
{
    uint64_t bit = 1ull << (own_number % 64);

    /* pairs with the exchange in cpu_mask_take_word_atomic */
    return __atomic_fetch_or(&box_of_cpu->askers.words[own_number / 64], bit, __ATOMIC_ACQ_REL) == 0;
}

bool mailbox_take_back(struct mailbox *own, struct mailbox *box_of_cpu, uint32_t own_number)
{
    if (!cpu_mask_clear_atomic(&box_of_cpu->askers, own_number))
        return false;
    __atomic_fetch_sub(&own->nr_pending, 1, __ATOMIC_RELAXED); /* nothing was written there that is to be seen */
    return true;
}

void mailbox_run(struct mailbox *own, struct mailbox *(*box_of)(uint32_t cpu))
{
    for (uint32_t word = 0; word < CPU_MASK_WORDS; word++) {
        uint64_t askers = __atomic_load_n(&own->askers.words[word], __ATOMIC_RELAXED);

        if (askers == 0)
            continue;
        for (askers = cpu_mask_take_word_atomic(&own->askers, word); askers; askers &= askers - 1) {
            struct mailbox *box = box_of(word * 64 + (uint32_t)__builtin_ctzll(askers));

            box->function(box->argument);
            __atomic_fetch_sub(&box->nr_pending, 1, __ATOMIC_RELEASE); /* the asker may go on: box is its own again */
        }
    }
}

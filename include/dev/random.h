/* The kernel's random pool: a cryptographic generator fed by devices and the CPU. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>

/* Mixes bytes into the pool; entropy_bits is what the source vouches for. Context: any but NMI. */
void random_add(const void *bytes, size_t length, unsigned entropy_bits);

/* Somebody who can give more, and calls random_add when he has. */
struct random_source {
    /* The pool would like some: called after every MiB of output, and asks for it without waiting. Context: any but
     * NMI, interrupts off, the pool's lock held: neither random_add nor random_bytes may be called. */
    void (*ask)(struct random_source *source);
    struct list link; /* the pool's */
};

void random_source_register(struct random_source *source);
/* It is not asked any more when this returns. */
void random_source_unregister(struct random_source *source);

/* Fills the buffer. Returns 0, or -EAGAIN while the pool has not been seeded with 256 bits (the buffer is filled all
 * the same). Context: any but NMI. */
MUST_CHECK int random_bytes(void *buffer, size_t length);

struct random_status {
    bool is_seeded;
    unsigned credited_bits; /* collected towards the next seed */
    uint64_t nr_reseeds;
};

/* Context: any but NMI. */
void random_status(struct random_status *status);

/* What the driver of entropy devices shows of each. */
#pragma once

#include <base/types.h>
#include <dev/device.h>

/* STOPPED: not yet there, or being removed. RESETTING: it has lied, or is broken. FAILED: it is left alone. */
enum rng_state { RNG_STOPPED, RNG_IDLE, RNG_WAITING, RNG_RESETTING, RNG_FAILED };

struct rng_figures {
    char name[DEVICE_NAME_MAX];
    enum rng_state state;
    bool is_legacy, is_packed, is_polled;
    uint16_t queue_size;
    uint64_t nr_bytes; /* received */
};

/* The n-th device's figures, false past the last; asks it for more. Context: thread. */
bool rng_look(unsigned n, struct rng_figures *figures);

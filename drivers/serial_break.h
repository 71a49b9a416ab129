/* BREAK on a serial line and what follows it. Pure; the caller serializes. */
#pragma once

#include <base/types.h>

#define SERIAL_BREAK_NS 5000000000ull /* how long a BREAK waits for its letter */

struct serial_break {
    bool is_waiting;
    uint64_t since_ns;
};

/* A BREAK has come. True when it waits for a letter now; false where one was waiting already: the second takes it back.
 */
static inline bool serial_break_begin(struct serial_break *request, uint64_t now_ns)
{
    bool was_waiting = request->is_waiting && now_ns - request->since_ns < SERIAL_BREAK_NS;

    *request = (struct serial_break){.is_waiting = !was_waiting, .since_ns = now_ns};
    return request->is_waiting;
}

/* A byte has come: the letter of a system request, or 0 where it is nothing but a byte. */
static inline char serial_break_end(struct serial_break *request, uint8_t byte, uint64_t now_ns)
{
    bool was_waiting = request->is_waiting && now_ns - request->since_ns < SERIAL_BREAK_NS;

    request->is_waiting = false;
    return was_waiting && byte >= 'a' && byte <= 'z' ? (char)byte : 0;
}

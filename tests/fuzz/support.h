/* What every fuzzer shares. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Ends the fuzzer with a finding when the condition does not hold. */
#define REQUIRE(condition, ...)   \
    do {                          \
        if (!(condition))         \
            finding(__VA_ARGS__); \
    } while (0)

__attribute__((noreturn, format(printf, 1, 2))) void finding(const char *format, ...);

/* Lets the parsers format their notes, which costs time, for one input in eight; the notes go nowhere. */
void notes_to_nowhere(size_t input_size);

/* Two sides of a lock-free protocol, on two CPUs that share memory as x86 CPUs do, in every schedule there is.
 *
 * The sides are the real code, compiled with the hooks of -fsanitize=thread, which call us before each access to
 * memory; nothing of that sanitizer's own library is linked. A side sees shared memory through a view of its own, at an
 * address of its own. Its stores wait in its store buffer and drain to the memory behind the views at any later time,
 * in order; a fence waits for that (SDM 3A 8.2.2; tests/models/x86_tso.pml is the same memory). Each side runs up to
 * its next load of shared memory, fence that has to wait, or call below; there the search takes every step that anybody
 * could take, and looks at each state once.
 *
 * WEAK: the DRIVER's memory is as weak as the language allows a compiler to make it: a store passes earlier ones unless
 * it is a release, and a load may return what was there at any time since the last acquire, fence or taken line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schedule_side { SCHEDULE_DRIVER, SCHEDULE_DEVICE, SCHEDULE_NR_SIDES };
enum schedule_order { SCHEDULE_TSO, SCHEDULE_WEAK };

struct schedule_test {
    char name[96];
    enum schedule_order order;
    void (*start)(void); /* sets up data, and shared memory through the driver's view; no schedule yet */
    void (*run[SCHEDULE_NR_SIDES])(void);
    void (*at_end)(void); /* nobody can take a step: fails unless that is right */
    void *data;           /* all the sides know, besides shared memory and their stacks */
    size_t data_bytes;
    size_t shared_bytes;
    void (*store_watch)(enum schedule_side side, size_t offset);    /* of each store's first byte */
    void (*describe)(size_t offset, char *text, size_t text_bytes); /* a place in shared memory, for the trace */
};

#define SCHEDULE_SHARED_MAX 1024

/* The shared byte at an offset, as a side sees it. */
void *schedule_shared(enum schedule_side side, size_t offset);

/* Called by a side. Waits until it takes one of nr_choices, which are always there, or, if it may, its line, which has
 * been raised. Returns the choice's number, or nr_choices for the line. */
unsigned schedule_wait(unsigned nr_choices, bool may_take_line);
/* Raises the other side's line, when all stores before have drained. */
void schedule_raise(void);

/* Ends the program, with the schedule that led here. */
void schedule_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Takes every schedule; returns the number of states. */
uint64_t schedule_explore(const struct schedule_test *test);

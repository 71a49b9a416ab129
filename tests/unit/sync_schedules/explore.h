/* Threads that run real code, in every order with a few preemptions: at each access to memory that the compiler's hooks
 * (-fsanitize=thread, without its library) tell of, and where interrupts go off, the search decides who goes on, and it
 * tries all decisions, one execution after the other, up to a bound of preemptions; switches where a thread waits or
 * ends are free. Most bugs of concurrent code need one or two (M. Musuvathi, S. Qadeer, "Iterative context bounding",
 * 2007).
 *
 * Memory is sequentially consistent here; what a CPU's store buffer adds is the models' part (tests/models).
 *
 * What makes an execution fail, besides what a test asks for: a thread that sleeps when nobody is left to wake it, one
 * that spins for what nobody will do, an access to the stack of a thread that has left it or ended, waking one that has
 * ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_THREADS_MAX 4

enum explore_machine {
    EXPLORE_ONE_CPU,   /* who has preemption or interrupts off is not preempted */
    EXPLORE_MANY_CPUS, /* every thread has a CPU of its own */
};

struct explore_test {
    const char *name;
    unsigned nr_threads;
    void (*set_up)(void); /* before each execution; makes all there is as new */
    void (*run[EXPLORE_THREADS_MAX])(void);
    void (*at_end)(void); /* all threads have ended */
    unsigned preemptions; /* the bound */
};

/* Tries all; returns the number of executions. Ends the program where one fails. */
uint64_t explore(const struct explore_test *test, enum explore_machine machine);

/* Ends the program with the schedule that led here. */
void explore_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define EXPLORE_ASSERT(condition)                                               \
    do {                                                                        \
        if (!(condition))                                                       \
            explore_fail("%s:%d: expected %s", __FILE__, __LINE__, #condition); \
    } while (0)

/* The running thread, by number. */
unsigned explore_current(void);

/* Somebody else may go on here. */
void explore_point(void);

/* ---- for the scheduler that stands in for the kernel's (scheduler.c) ---- */

/* What percpu.current is while it runs. */
struct thread *scheduler_thread(unsigned thread);

/* Sleeps until explore_unblock; with may_time_out perhaps until its time is over. True when that was why. */
bool explore_block(bool may_time_out);
void explore_unblock(unsigned thread);
bool explore_has_ended(unsigned thread);

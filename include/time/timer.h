/* One-shot timers with nanosecond deadlines, in a queue of each CPU, and sleeping. No periodic tick: the event source
 * is armed for the earliest deadline only. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>

struct timer;
struct cpu_timers;
typedef void (*timer_function)(struct timer *timer);

enum timer_place { TIMER_NOWHERE, TIMER_UNSORTED, TIMER_SORTED };

struct timer {
    union {
        struct list link;        /* [q] the CPU's queue lock */
        struct rbtree_node node; /* [q] */
    };
    uint64_t deadline_ns;     /* [q] on clock_now_ns */
    timer_function function;  /* [I] runs in interrupt context, interrupts off; may set the timer again */
    struct cpu_timers *queue; /* [a] changed with its lock held: the CPU's it is in, or was last; NULL: never set */
    enum timer_place place;   /* [q] in that queue */
};

void timer_init(struct timer *timer, timer_function function);

/* Sets or moves the deadline, from any CPU: the function runs on the one that set it last (or, where it was running
 * meanwhile, on the one that ran it), never twice at a time. A deadline that has passed fires as soon as interrupts are
 * on. Context: any but NMI. */
void timer_set(struct timer *timer, uint64_t deadline_ns);

/* Returns true when it had not fired. When it returns the function neither runs nor will: on whatever CPU it runs, it
 * is waited for, so that nothing may be held that it takes. Context: any but NMI and the timer's own function. */
bool timer_cancel(struct timer *timer);

/* False on a machine where nothing can interrupt at a moment: timers then fire when somebody sleeps, or calls
 * timer_poll, as idle work does; who would halt until a timer fires calls that instead. Context: any. */
bool timer_will_interrupt(void);
/* Runs this CPU's timers that are due, where no event source does. Context: any but NMI, and no timer's function. */
void timer_poll(void);

/* Before this CPU halts for long: takes back an interrupt that nobody waits for any more. Context: irq-off. */
void timer_settle(void);

/* Waits, halted, until the deadline. Context: thread. */
void sleep_until_ns(uint64_t deadline_ns);
void sleep_ns(uint64_t delay_ns);

/* Timers in the order of their deadlines; those of one deadline in the order they came. Pure C, no lock. */
#pragma once

#include <lib/rbtree.h>
#include <time/timer.h>

struct timer_queue {
    struct rbtree tree;
};

void timer_queue_insert(struct timer_queue *queue, struct timer *timer);
void timer_queue_remove(struct timer_queue *queue, struct timer *timer);
struct timer *timer_queue_first(const struct timer_queue *queue); /* or NULL */
struct timer *timer_queue_next(const struct timer *timer);        /* or NULL */

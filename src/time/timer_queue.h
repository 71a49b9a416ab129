/* Timers in the order of their deadlines; those of one deadline in the order they came. Pure C, no lock.
 *
 * Most timers are cancelled before anybody asks which is the first. So one that is set only joins a list, and those
 * still there are sorted into the tree when somebody asks: what would have been done for each is done for the few. */
#pragma once

#include <lib/list.h>
#include <lib/rbtree.h>
#include <time/timer.h>

struct timer_queue {
    struct rbtree sorted;
    struct list unsorted;
};

static inline void timer_queue_init(struct timer_queue *queue)
{
    *queue = (struct timer_queue){0};
    list_init(&queue->unsorted);
}

static inline void timer_queue_insert(struct timer_queue *queue, struct timer *timer)
{
    list_add_last(&queue->unsorted, &timer->link);
    timer->place = TIMER_UNSORTED;
}

static inline void timer_queue_remove(struct timer_queue *queue, struct timer *timer)
{
    if (timer->place == TIMER_UNSORTED)
        list_remove(&timer->link);
    else
        rbtree_remove(&queue->sorted, &timer->node);
    timer->place = TIMER_NOWHERE;
}

struct timer *timer_queue_first(struct timer_queue *queue); /* or NULL */
/* The next to fire, or NULL; of one that timer_queue_first or this gave. */
struct timer *timer_queue_next(const struct timer *timer);

/* The FIFO class: a list for each of the 99 priorities and a bit that says which lists have somebody. The running one
 * is in no list. Positions follow POSIX (man 7 sched): who becomes runnable or yields goes to the end of its list, who
 * is preempted stays at its front. */
#pragma once

#include "run_queue.h"

void fifo_init(struct fifo_queue *fifo);

enum fifo_place { FIFO_FRONT, FIFO_END };

void fifo_insert(struct fifo_queue *fifo, struct sched_entity *entity, enum fifo_place place);
void fifo_remove(struct fifo_queue *fifo, struct sched_entity *entity);

/* The highest priority that is queued; 0 where none is. Without the lock it may be a moment old. */
unsigned fifo_highest(const struct fifo_queue *fifo);

/* Takes out the first of the highest priority. Not on an empty queue. */
struct sched_entity *fifo_take(struct fifo_queue *fifo);

const char *fifo_check(const struct fifo_queue *fifo);

/* What the scheduler's policy knows of a thread: its class and weight, and where it stands among the others. Embedded
 * in struct thread; src/sched/run_queue.h says who may call what. Pure data: the host's tests use it too. */
#pragma once

#include <base/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <sched/class.h>

/* What a thread asks for. The field of the other class is kept, so that a thread can come back to it. */
struct sched_policy {
    enum sched_class class;
    int nice;          /* NICE_MIN to NICE_MAX: the weight is 1.25 times that of the next higher */
    unsigned priority; /* SCHED_FIFO: FIFO_PRIORITY_MIN to _MAX, higher first */
};

enum sched_entity_state {
    ENTITY_OUT,     /* waits for something, or never ran */
    ENTITY_QUEUED,  /* in a run queue, wants a CPU */
    ENTITY_RUNNING, /* is the run queue's running one */
};

/* Virtual time: a thread of nice 0 that runs for a nanosecond moves on by 256, one of weight w by 256 * 1024 / w. It
 * wraps; only differences mean something, as int64_t.
 *
 * [q] the lock of `queue`, which is the queue it is in or was in last; where state is ENTITY_OUT, whoever may wake it
 */
struct sched_entity {
    union {
        struct rbtree_node node; /* [q] SCHED_FAIR, queued; not yet filled in where it is the only one */
        struct list link;        /* [q] SCHED_FIFO, queued */
    };
    uint64_t vruntime;       /* [q] virtual time it has received */
    uint64_t deadline;       /* [q] the virtual time by which its slice is due */
    uint64_t least_vruntime; /* [q] of its subtree, as node */
    uint64_t virtual_slice;  /* [q] what one slice is in its virtual time */
    uint64_t inverse_weight; /* [q] 2^42 / weight */
    uint64_t started_ns;     /* [q] while running: up to when run_time_ns is charged; others may read it as one word */
    uint64_t run_time_ns;    /* [q] CPU time received; others may read it likewise */
    int64_t lag;             /* [q] virtual time owed to it (negative: it owes) when it left a queue */
    struct run_queue *queue; /* [q] NULL before it was first added */
    uint32_t weight;         /* [q] 1024 at nice 0 */
    uint32_t hand_key;       /* [q] hand_over.h: to whom it can be handed; HAND_NOBODY unless it waits */
    uint8_t state;           /* [q] enum sched_entity_state */
    uint8_t class;           /* [q] enum sched_class */
    uint8_t priority;        /* [q] SCHED_FIFO */
    int8_t nice;             /* [q] */
};

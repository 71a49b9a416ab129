/* What is known about the order of locks: a graph of lock classes, with an edge from each class to those that were
 * taken while it was held, and what contexts each class was seen in. Pure: it knows no CPU, no time and no allocator,
 * and runs on the host.
 *
 *  1. Edges that are followed never form a circle. One that would close a circle, and any other that was found to be
 *     wrong, is kept as refused: known, so that it is reported once, and never followed.
 *  2. Classes, edges and stacks are only ever added, and each is complete before it can be reached: readers take no
 *     lock. Who adds holds the graph's lock (src/sync/lockdep.c).
 *  3. Memory comes from arenas handed in. When it runs out nothing more is learnt, and is_full says so. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define LOCK_CLASS_NAME_MAX 40 /* with the 0; longer names are told apart by their hash */
#define LOCK_PATH_MAX       12

/* A class was taken ... */
enum lock_usage {
    LOCK_TAKEN_IN_INTERRUPT, /* by an interrupt's handler, which waits for it */
    LOCK_TAKEN_IN_DEFERRED,  /* by deferred work, which interrupts threads */
    LOCK_OPEN_IN_THREAD,     /* or held outside of them, with interrupts on: both may come */
    LOCK_OPEN_IN_DEFERRED,   /* or held in deferred work with interrupts on: an interrupt may come */
    LOCK_NR_USAGES,
};

struct lock_stack {
    struct lock_stack *next_hash;
    uint32_t hash;
    uint32_t nr_frames;
    const void *frames[]; /* return addresses, that of the taking first */
};

struct lock_edge {
    struct lock_class *from, *to;
    struct lock_edge *next_out, *next_in, *next_hash;
    const struct lock_stack *from_stack, *to_stack; /* of the first time */
    bool is_refused;
};

/* What `locks` shows. All [a], relaxed: counts that nothing depends on. */
struct lock_statistics {
    uint64_t nr_taken, nr_contended;
    uint64_t longest_held, longest_wait; /* counter ticks */
    const struct lock_stack *longest_held_stack;
};

struct lock_class {
    char name[LOCK_CLASS_NAME_MAX];
    uint64_t name_hash;
    uintptr_t function; /* 0: a lock; else what is waited for is that this function does not run */
    uint32_t number;    /* in the order of first use */
    uint32_t rank;      /* of docs/locking.md; 0: none */
    bool holds_sleep;   /* [a] its holders may sleep: they hold it as long as they like */
    uint32_t usages;    /* [a] a bit for each enum lock_usage */
    const struct lock_stack *usage_stacks[LOCK_NR_USAGES];
    struct lock_class *next, *next_hash;
    struct lock_edge *out, *in;
    struct lock_statistics statistics;
    /* of a search */
    uint32_t seen;
    const struct lock_edge *reached_by;
    struct lock_class *next_in_queue;
};

enum lock_finding_kind {
    LOCK_FINDING_NONE,
    LOCK_FINDING_CIRCLE,    /* taken is known to come before held: path leads from taken to held */
    LOCK_FINDING_RANK,      /* taken's rank is not above held's */
    LOCK_FINDING_ONE_CLASS, /* two locks of one class, not by number */
    LOCK_FINDING_INTERRUPT, /* safe is taken where it interrupts, and path leads from it to open, which may be held then
                             */
};

struct lock_finding {
    enum lock_finding_kind kind;
    struct lock_class *held, *taken; /* the taking that showed it; held is NULL where only the context was wrong */
    const struct lock_stack *held_stack, *taken_stack;
    struct lock_class *safe, *open;
    enum lock_usage safe_usage, open_usage;
    unsigned nr_path;                            /* may be above LOCK_PATH_MAX: only so many are here */
    const struct lock_edge *path[LOCK_PATH_MAX]; /* in the order of taking */
};

#define LOCK_HASH_SLOTS 1024

struct lock_graph {
    char *arena, *arena_end;
    bool is_full; /* [a] something could not be learnt */
    uint32_t nr_classes, nr_edges, nr_stacks;
    uint32_t search; /* the number of the last one */
    struct lock_class *first_class, **last_class;
    struct lock_class *class_slots[LOCK_HASH_SLOTS];
    struct lock_edge *edge_slots[LOCK_HASH_SLOTS];
    struct lock_stack *stack_slots[LOCK_HASH_SLOTS];
};

/* Memory to learn in, zeroed; what is left of the arena before is lost. Graph's lock held. */
void lock_graph_add_memory(struct lock_graph *graph, void *memory, size_t size_bytes);
size_t lock_graph_memory_left(const struct lock_graph *graph);

/* The class of that name. find: NULL where there is none yet, no lock needed; add: NULL when memory ran out, graph's
 * lock held. */
struct lock_class *lock_graph_find_class(const struct lock_graph *graph, const char *name);
struct lock_class *lock_graph_add_class(struct lock_graph *graph, const char *name);

/* The same for a function's class, whose name is what reports call it. */
struct lock_class *lock_graph_find_function(const struct lock_graph *graph, uintptr_t function);
struct lock_class *lock_graph_add_function(struct lock_graph *graph, uintptr_t function, const char *name);

/* One stack for all equal ones; NULL when memory ran out. Graph's lock held. */
const struct lock_stack *lock_graph_add_stack(struct lock_graph *graph, const void *const *frames, uint32_t nr_frames);

/* True when nothing is to be learnt of `to` being taken while `from` is held. No lock needed. */
bool lock_graph_knows(const struct lock_graph *graph, const struct lock_class *from, const struct lock_class *to);

/* Learns that, with the stacks of both takings, and says in *finding what is wrong with it. From and to may be one
 * class: then they are two locks that are not taken by number. Graph's lock held. */
void lock_graph_add_edge(struct lock_graph *graph, struct lock_class *from, struct lock_class *to,
                         const struct lock_stack *from_stack, const struct lock_stack *to_stack,
                         struct lock_finding *finding);

/* Learns that the class was taken so. The same. */
void lock_graph_add_usage(struct lock_graph *graph, struct lock_class *class, enum lock_usage usage,
                          const struct lock_stack *stack, struct lock_finding *finding);

/* The usages that, held with interrupts as they say, deadlock with this one; and the other way round. */
uint32_t lock_usage_conflicts(enum lock_usage usage);

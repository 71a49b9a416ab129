/* Everything that a state consists of, at fixed addresses, so that copying it back is going back. */
#pragma once

#include <setjmp.h>

#include "schedule.h"

#define STACK_BYTES  (64u * 1024u)
#define STORE_BUFFER 24u

struct store {
    uint16_t offset;
    uint8_t length;
    bool is_release;
    uint8_t bytes[8];
};

/* What a side's next step is. */
enum activity { AT_START, AT_LOAD, AT_FENCE, AT_RAISE, AT_WAIT, AT_ITS_END };

struct side {
    enum activity activity;
    unsigned nr_choices;     /* AT_WAIT */
    bool may_take_line;      /* AT_WAIT */
    uint16_t offset, length; /* AT_LOAD */
    bool is_acquire;         /* AT_LOAD */
    bool is_raised;          /* its line */
    unsigned answer;         /* to AT_WAIT, or whether a load is to be stale */
    uint16_t written;        /* the store that the code makes after its hook: where, */
    uint16_t nr_written;     /* and how many bytes; 0 for none */
    unsigned nr_stores;      /* in the buffer, oldest first; the rest of it is zero */
    struct store stores[STORE_BUFFER];
    jmp_buf context;
    uintptr_t stack_low; /* the stack is in use from here up */
};

struct world {
    struct side sides[SCHEDULE_NR_SIDES];
    uint8_t memory[SCHEDULE_SHARED_MAX];
};

extern struct world world;
extern uint8_t views[SCHEDULE_NR_SIDES][SCHEDULE_SHARED_MAX];
extern const struct schedule_test *schedule_running;

/* The side that runs, or SCHEDULE_NR_SIDES. */
extern enum schedule_side schedule_current;

/* Gives up the CPU until the search takes this side's next step. */
void schedule_yield(enum activity activity);

/* ---- memory.c ---- */

/* A new search: the driver's view is what is there. */
void memory_start(void);
/* A store that was announced is in the view now: into the buffer with it. */
void memory_take_written(enum schedule_side side);
bool memory_may_drain(const struct side *side, unsigned n, bool is_weak);
void memory_drain(struct side *side, unsigned n);
/* May the load return something older than what is in memory? */
bool memory_may_be_stale(enum schedule_side side);
/* What the side sees is what is there, under what it stored itself. */
void memory_catch_up(enum schedule_side side);
/* Before a side runs. */
void memory_before_run(enum schedule_side side);
/* After it ran: no store was missed. */
void memory_after_run(enum schedule_side side);
static inline bool memory_is_weak(enum schedule_side side)
{
    return schedule_running->order == SCHEDULE_WEAK && side == SCHEDULE_DRIVER;
}

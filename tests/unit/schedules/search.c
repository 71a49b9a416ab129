/* The search: depth first, back by copying the world back, each state once. A state is known by 64 bits of hash: the
 * chance that any two of a million are taken for one is 1 in 10^7. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "world.h"

#define STEPS_MAX 64
#define CLEARED   1024u /* below the stack in use: no call but a failing one goes deeper */

struct step {
    bool is_drain;
    uint8_t side;
    uint8_t number; /* the answer, or which store */
    uint8_t activity;
    uint16_t offset;
};

/* A state on the path, and the steps from it. */
struct branch {
    size_t snapshot; /* where in the arena */
    unsigned nr_steps, next;
    struct step steps[STEPS_MAX];
};

struct world world;
const struct schedule_test *schedule_running;
enum schedule_side schedule_current = SCHEDULE_NR_SIDES;

static _Alignas(64) uint8_t stacks[SCHEDULE_NR_SIDES][STACK_BYTES];
static jmp_buf searcher;

static struct branch *path;
static size_t depth, path_room;
static uint8_t *arena;
static size_t arena_used, arena_room;
static uint64_t *seen; /* 0: free */
static size_t nr_seen, seen_room;

/* ---- sides ---- */

static __attribute__((noinline)) uintptr_t below_caller(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

void schedule_yield(enum activity activity)
{
    struct side *side = &world.sides[schedule_current];

    memory_take_written(schedule_current);
    side->activity = activity;
    side->stack_low = below_caller();
    if (_setjmp(side->context) == 0)
        _longjmp(searcher, 1);
}

static void begin(void)
{
    schedule_yield(AT_START);
    schedule_running->run[schedule_current]();
    schedule_yield(AT_ITS_END);
}

static void set_up(enum schedule_side side)
{
    ucontext_t context;

    getcontext(&context);
    context.uc_stack.ss_sp = stacks[side];
    context.uc_stack.ss_size = STACK_BYTES;
    context.uc_link = NULL;
    makecontext(&context, begin, 0);
    schedule_current = side;
    if (_setjmp(searcher) == 0)
        setcontext(&context);
    schedule_current = SCHEDULE_NR_SIDES;
}

static void run(enum schedule_side number)
{
    struct side *side = &world.sides[number];

    memory_before_run(number);
    memset((void *)(side->stack_low - CLEARED), 0, CLEARED); /* what calls left there is no state */
    schedule_current = number;
    if (_setjmp(searcher) == 0)
        _longjmp(side->context, 1);
    schedule_current = SCHEDULE_NR_SIDES;
    memory_after_run(number);
}

unsigned schedule_wait(unsigned nr_choices, bool may_take_line)
{
    struct side *side = &world.sides[schedule_current];

    side->nr_choices = nr_choices;
    side->may_take_line = may_take_line;
    schedule_yield(AT_WAIT);
    return side->answer;
}

void schedule_raise(void)
{
    schedule_yield(AT_RAISE);
}

/* ---- copying and comparing the world ---- */

struct part {
    void *at;
    size_t bytes;
};

#define PARTS 6

/* The stacks' sizes are in the first part. */
static struct part part(unsigned n)
{
    switch (n) {
    case 0:
        return (struct part){world.sides, sizeof(world.sides)};
    case 1:
        return (struct part){world.memory, schedule_running->shared_bytes};
    case 2:
        return (struct part){schedule_running->data, schedule_running->data_bytes};
    case 3:
        return (struct part){views[SCHEDULE_DRIVER],
                             memory_is_weak(SCHEDULE_DRIVER) ? schedule_running->shared_bytes : 0};
    default: {
        enum schedule_side side = n == 4 ? SCHEDULE_DRIVER : SCHEDULE_DEVICE;
        uintptr_t low = world.sides[side].stack_low;

        return (struct part){(void *)low, (uintptr_t)stacks[side] + STACK_BYTES - low};
    }
    }
}

static size_t save(void)
{
    size_t start = arena_used;

    for (unsigned n = 0; n < PARTS; n++) {
        struct part of = part(n);

        if (arena_used + of.bytes > arena_room) {
            arena_room = 2 * (arena_room + of.bytes);
            arena = realloc(arena, arena_room);
            if (arena == NULL)
                abort();
        }
        memcpy(arena + arena_used, of.at, of.bytes);
        arena_used += of.bytes;
    }
    return start;
}

static void go_back(size_t snapshot)
{
    const uint8_t *from = arena + snapshot;

    for (unsigned n = 0; n < PARTS; n++) {
        struct part of = part(n);

        memcpy(of.at, from, of.bytes);
        from += of.bytes;
    }
}

#define LANES 4u /* sums that do not wait for each other */

static void mix(uint64_t *sum, uint64_t word)
{
    *sum = (*sum ^ word) * 0x9e3779b97f4a7c15ull;
    *sum ^= *sum >> 29;
}

static uint64_t hash(void)
{
    uint64_t sums[LANES] = {1, 2, 3, 4}, block[LANES];

    for (unsigned n = 0; n < PARTS; n++) {
        struct part of = part(n);
        const uint8_t *at = of.at;

        for (; of.bytes >= sizeof(block); at += sizeof(block), of.bytes -= sizeof(block)) {
            memcpy(block, at, sizeof(block));
            for (unsigned lane = 0; lane < LANES; lane++)
                mix(&sums[lane], block[lane]);
        }
        memset(block, 0, sizeof(block));
        memcpy(block, at, of.bytes);
        for (unsigned lane = 0; lane < LANES; lane++)
            mix(&sums[lane], block[lane]);
    }
    for (unsigned lane = 1; lane < LANES; lane++)
        mix(&sums[0], sums[lane]);
    return sums[0] | 1;
}

/* ---- states seen ---- */

static bool add_seen(uint64_t key)
{
    size_t at;

    if (2 * nr_seen >= seen_room) {
        uint64_t *old = seen;
        size_t old_room = seen_room;

        seen_room = old_room ? 2 * old_room : 1u << 16;
        seen = calloc(seen_room, sizeof(*seen));
        if (seen == NULL)
            abort();
        nr_seen = 0;
        for (size_t i = 0; i < old_room; i++)
            if (old[i] != 0)
                (void)add_seen(old[i]);
        free(old);
    }
    for (at = (key >> 1) % seen_room; seen[at] != 0; at = (at + 1) % seen_room)
        if (seen[at] == key)
            return false;
    seen[at] = key;
    nr_seen++;
    return true;
}

/* ---- steps ---- */

static void offer(struct branch *branch, struct step step)
{
    if (branch->nr_steps == STEPS_MAX)
        schedule_fail("too many steps from one state");
    branch->steps[branch->nr_steps++] = step;
}

static void offer_steps_of(struct branch *branch, enum schedule_side number)
{
    const struct side *side = &world.sides[number];
    struct step step = {.side = (uint8_t)number, .activity = (uint8_t)side->activity, .offset = side->offset};
    unsigned nr = 1;

    for (unsigned n = 0; n < side->nr_stores; n++)
        if (memory_may_drain(side, n, memory_is_weak(number)))
            offer(branch, (struct step){true, (uint8_t)number, (uint8_t)n, 0, side->stores[n].offset});
    if (side->activity == AT_ITS_END || ((side->activity == AT_FENCE || side->activity == AT_RAISE) && side->nr_stores))
        nr = 0;
    else if (side->activity == AT_LOAD)
        nr = memory_may_be_stale(number) ? 2 : 1;
    else if (side->activity == AT_WAIT)
        nr = side->nr_choices + (side->may_take_line && side->is_raised);
    for (unsigned n = 0; n < nr; n++) {
        step.number = (uint8_t)n;
        offer(branch, step);
    }
}

static void take(struct step step)
{
    struct side *side = &world.sides[step.side];

    if (step.is_drain) {
        memory_drain(side, step.number);
        return;
    }
    if (side->activity == AT_RAISE)
        world.sides[1 - step.side].is_raised = true;
    if (side->activity == AT_WAIT && step.number == side->nr_choices) {
        side->is_raised = false;
        memory_catch_up((enum schedule_side)step.side); /* an interrupt waits for the loads before */
    }
    side->answer = step.number;
    side->nr_choices = 0;
    side->may_take_line = false;
    run((enum schedule_side)step.side);
    if (side->activity != AT_LOAD)
        side->offset = side->length = 0;
    if (side->activity != AT_WAIT)
        side->answer = 0;
}

/* A new branch with the steps from here; false when there are none. */
static bool push(void)
{
    struct branch *branch;

    if (depth == path_room) {
        path_room = path_room ? 2 * path_room : 1024;
        path = realloc(path, path_room * sizeof(*path));
        if (path == NULL)
            abort();
    }
    branch = &path[depth];
    branch->nr_steps = branch->next = 0;
    for (unsigned side = 0; side < SCHEDULE_NR_SIDES; side++)
        offer_steps_of(branch, (enum schedule_side)side);
    if (branch->nr_steps == 0)
        return false;
    branch->snapshot = save();
    depth++;
    return true;
}

/* ---- failure ---- */

static void print_step(const struct step *step)
{
    static const char *const sides[] = {"driver", "device"};
    char place[64] = "";

    schedule_running->describe(step->offset, place, sizeof(place));
    if (step->is_drain)
        fprintf(stderr, "  %s: its store to %s arrives\n", sides[step->side], place);
    else if (step->activity == AT_LOAD)
        fprintf(stderr, "  %s: loads %s%s\n", sides[step->side], place, step->number ? " as it was" : "");
    else if (step->activity == AT_FENCE)
        fprintf(stderr, "  %s: passes a fence\n", sides[step->side]);
    else if (step->activity == AT_RAISE)
        fprintf(stderr, "  %s: raises the other's line\n", sides[step->side]);
    else
        fprintf(stderr, "  %s: takes choice %u\n", sides[step->side], step->number);
}

static void print_path(int signal_number)
{
    (void)signal_number;
    fprintf(stderr, "%s, after:\n", schedule_running->name);
    for (size_t i = 0; i < depth; i++)
        if (path[i].next > 0)
            print_step(&path[i].steps[path[i].next - 1]);
    _exit(1);
}

void schedule_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("failed: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    abort();
}

/* ---- */

static void set_up_world(const struct schedule_test *test)
{
    schedule_running = test;
    memset(&world, 0, sizeof(world));
    memset(views, 0, sizeof(views));
    memset(stacks, 0, sizeof(stacks));
    memset(test->data, 0, test->data_bytes);
    memset(seen, 0, seen_room * sizeof(*seen));
    nr_seen = depth = arena_used = 0;
    signal(SIGABRT, print_path);
    test->start();
    memory_start();
    set_up(SCHEDULE_DRIVER);
    set_up(SCHEDULE_DEVICE);
}

uint64_t schedule_explore(const struct schedule_test *test)
{
    set_up_world(test);
    (void)push();
    while (depth > 0) {
        struct branch *branch = &path[depth - 1];

        if (branch->next == branch->nr_steps) {
            arena_used = branch->snapshot;
            depth--;
            continue;
        }
        go_back(branch->snapshot);
        take(branch->steps[branch->next++]);
        if (add_seen(hash()) && !push())
            test->at_end();
    }
    return nr_seen;
}

/* Looking for circles and for paths between contexts: breadth first, so that what is reported is the shortest. */
#include <sync/lockdep_graph.h>

#include <base/align.h>
#include <base/assert.h>
#include <lib/string.h>
#include <sync/lockdep_ranks.h>

#define BIT(usage)                 (1u << (usage))
#define TAKEN_WHERE_THEY_INTERRUPT (BIT(LOCK_TAKEN_IN_INTERRUPT) | BIT(LOCK_TAKEN_IN_DEFERRED))

static const uint32_t conflicts[LOCK_NR_USAGES] = {
    [LOCK_TAKEN_IN_INTERRUPT] = BIT(LOCK_OPEN_IN_THREAD) | BIT(LOCK_OPEN_IN_DEFERRED),
    [LOCK_TAKEN_IN_DEFERRED] = BIT(LOCK_OPEN_IN_THREAD),
    [LOCK_OPEN_IN_THREAD] = BIT(LOCK_TAKEN_IN_INTERRUPT) | BIT(LOCK_TAKEN_IN_DEFERRED),
    [LOCK_OPEN_IN_DEFERRED] = BIT(LOCK_TAKEN_IN_INTERRUPT),
};

uint32_t lock_usage_conflicts(enum lock_usage usage)
{
    return conflicts[usage];
}

void lock_graph_add_memory(struct lock_graph *graph, void *memory, size_t size_bytes)
{
    graph->arena = memory;
    graph->arena_end = graph->arena + size_bytes;
}

size_t lock_graph_memory_left(const struct lock_graph *graph)
{
    return (size_t)(graph->arena_end - graph->arena);
}

static void *allocate(struct lock_graph *graph, size_t size_bytes)
{
    void *object = graph->arena;

    size_bytes = align_up(size_bytes, alignof(max_align_t));
    if (lock_graph_memory_left(graph) < size_bytes) {
        __atomic_store_n(&graph->is_full, true, __ATOMIC_RELAXED);
        return NULL;
    }
    graph->arena += size_bytes;
    return object;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325;

    while (*name)
        hash = (hash ^ (uint8_t)*name++) * 0x100000001b3;
    return hash;
}

static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)((hash * 0x9e3779b97f4a7c15) >> 54);
}

static_assert(LOCK_HASH_SLOTS == 1 << (64 - 54), "slot_of gives 10 bits");

/* Acquire: pairs with the release in add_class. */
static struct lock_class *first_in_slot(const struct lock_graph *graph, uint64_t hash)
{
    return __atomic_load_n(&graph->class_slots[slot_of(hash)], __ATOMIC_ACQUIRE);
}

static struct lock_class *find_class(const struct lock_graph *graph, const char *name, uint64_t hash)
{
    struct lock_class *class = first_in_slot(graph, hash);

    while (class && (class->name_hash != hash || class->function != 0 ||
                     strncmp(class->name, name, LOCK_CLASS_NAME_MAX - 1) != 0))
        class = class->next_hash;
    return class;
}

struct lock_class *lock_graph_find_class(const struct lock_graph *graph, const char *name)
{
    return find_class(graph, name, hash_name(name));
}

struct lock_class *lock_graph_find_function(const struct lock_graph *graph, uintptr_t function)
{
    struct lock_class *class = first_in_slot(graph, function);

    while (class && class->function != function)
        class = class->next_hash;
    return class;
}

static struct lock_class *add_class(struct lock_graph *graph, const char *name, uint64_t hash, uintptr_t function)
{
    struct lock_class *class = allocate(graph, sizeof(*class)), **slot = &graph->class_slots[slot_of(hash)];

    if (!class)
        return NULL;
    memcpy(class->name, name, strnlen(name, sizeof(class->name) - 1)); /* the memory was zero */
    class->name_hash = hash;
    class->function = function;
    class->number = graph->nr_classes++;
    class->rank = function ? 0 : lockdep_rank(name);
    class->next_hash = *slot;
    __atomic_store_n(slot, class, __ATOMIC_RELEASE); /* pairs with the acquire in first_in_slot */
    if (!graph->last_class)
        graph->last_class = &graph->first_class;
    __atomic_store_n(graph->last_class, class, __ATOMIC_RELEASE); /* pairs with the acquire of who lists them */
    graph->last_class = &class->next;
    return class;
}

struct lock_class *lock_graph_add_class(struct lock_graph *graph, const char *name)
{
    uint64_t hash = hash_name(name);
    struct lock_class *class = find_class(graph, name, hash);

    return class ? class : add_class(graph, name, hash, 0);
}

struct lock_class *lock_graph_add_function(struct lock_graph *graph, uintptr_t function, const char *name)
{
    struct lock_class *class = lock_graph_find_function(graph, function);

    return class ? class : add_class(graph, name, function, function);
}

static uint32_t hash_frames(const void *const *frames, uint32_t nr_frames)
{
    uint64_t hash = nr_frames;

    for (uint32_t i = 0; i < nr_frames; i++)
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 0x9e3779b97f4a7c15;
    return (uint32_t)(hash >> 32);
}

const struct lock_stack *lock_graph_add_stack(struct lock_graph *graph, const void *const *frames, uint32_t nr_frames)
{
    uint32_t hash = hash_frames(frames, nr_frames);
    size_t size_bytes = nr_frames * sizeof(frames[0]);
    struct lock_stack **slot = &graph->stack_slots[slot_of(hash)], *stack = *slot;

    while (stack &&
           (stack->hash != hash || stack->nr_frames != nr_frames || memcmp(stack->frames, frames, size_bytes) != 0))
        stack = stack->next_hash;
    if (stack)
        return stack;
    stack = allocate(graph, sizeof(*stack) + size_bytes);
    if (!stack)
        return NULL;
    graph->nr_stacks++;
    stack->hash = hash;
    stack->nr_frames = nr_frames;
    memcpy(stack->frames, frames, size_bytes);
    stack->next_hash = *slot;
    *slot = stack;
    return stack;
}

static uint32_t edge_slot(const struct lock_class *from, const struct lock_class *to)
{
    return slot_of((uint64_t)from->number << 32 | to->number);
}

bool lock_graph_knows(const struct lock_graph *graph, const struct lock_class *from, const struct lock_class *to)
{
    /* Acquire: pairs with the release in link_edge. */
    const struct lock_edge *edge = __atomic_load_n(&graph->edge_slots[edge_slot(from, to)], __ATOMIC_ACQUIRE);

    while (edge && (edge->from != from || edge->to != to))
        edge = edge->next_hash;
    return edge != NULL;
}

static void link_edge(struct lock_graph *graph, struct lock_edge *edge)
{
    struct lock_edge **slot = &graph->edge_slots[edge_slot(edge->from, edge->to)];

    edge->next_hash = *slot;
    edge->next_out = edge->from->out;
    edge->next_in = edge->to->in;
    __atomic_store_n(&edge->from->out, edge, __ATOMIC_RELEASE); /* pairs with the acquire of who lists them */
    edge->to->in = edge;
    __atomic_store_n(slot, edge, __ATOMIC_RELEASE); /* pairs with the acquire in lock_graph_knows */
    graph->nr_edges++;
}

/* What a search looks for: a class, or any that was used in one of these ways. */
struct goal {
    const struct lock_class *class;
    uint32_t usages;
};

static bool is_reached(const struct goal *goal, const struct lock_class *class)
{
    return class == goal->class || (class->usages & goal->usages) != 0;
}

/* The nearest goal from start on, which may be start; forwards along the edges or backwards. reached_by of each class
 * on the way leads back to start, which has none. */
static struct lock_class *search(struct lock_graph *graph, struct lock_class *start, bool is_forward,
                                 const struct goal *goal)
{
    struct lock_class *last = start;

    graph->search++;
    start->seen = graph->search;
    start->reached_by = NULL;
    start->next_in_queue = NULL;
    for (struct lock_class *at = start; at; at = at->next_in_queue) {
        if (is_reached(goal, at))
            return at;
        for (const struct lock_edge *e = is_forward ? at->out : at->in; e; e = is_forward ? e->next_out : e->next_in) {
            struct lock_class *other = is_forward ? e->to : e->from;

            if (e->is_refused || other->seen == graph->search)
                continue;
            other->seen = graph->search;
            other->reached_by = e;
            other->next_in_queue = NULL;
            last->next_in_queue = other;
            last = other;
        }
    }
    return NULL;
}

static void append_path(struct lock_finding *finding, const struct lock_edge *edge)
{
    if (finding->nr_path < LOCK_PATH_MAX)
        finding->path[finding->nr_path] = edge;
    finding->nr_path++;
}

/* The way of a search forwards: the last edge is known first. */
static void append_way_to(struct lock_finding *finding, const struct lock_class *end)
{
    unsigned length = 0, begin = finding->nr_path;

    for (const struct lock_edge *e = end->reached_by; e; e = e->from->reached_by)
        length++;
    finding->nr_path += length;
    for (const struct lock_edge *e = end->reached_by; e; e = e->from->reached_by)
        if (begin + --length < LOCK_PATH_MAX)
            finding->path[begin + length] = e;
}

static void append_way_from(struct lock_finding *finding, const struct lock_class *end)
{
    for (const struct lock_edge *e = end->reached_by; e; e = e->to->reached_by)
        append_path(finding, e);
}

static bool closes_circle(struct lock_graph *graph, const struct lock_edge *edge, struct lock_finding *finding)
{
    struct lock_class *end = search(graph, edge->to, true, &(struct goal){.class = edge->from});

    if (!end)
        return false;
    finding->kind = LOCK_FINDING_CIRCLE;
    append_way_to(finding, end);
    return true;
}

static void found_interrupt(struct lock_finding *finding, struct lock_class *safe, enum lock_usage safe_usage,
                            struct lock_class *open)
{
    finding->kind = LOCK_FINDING_INTERRUPT;
    finding->safe = safe;
    finding->safe_usage = safe_usage;
    finding->open = open;
    finding->open_usage = (enum lock_usage)__builtin_ctz(open->usages & conflicts[safe_usage]);
}

/* Somebody who holds a class on or behind edge->to, with interrupts on, may be interrupted by one who wants a class on
 * or before edge->from. */
static bool joins_contexts(struct lock_graph *graph, const struct lock_edge *edge, struct lock_finding *finding)
{
    for (enum lock_usage usage = LOCK_TAKEN_IN_INTERRUPT; usage <= LOCK_TAKEN_IN_DEFERRED; usage++) {
        struct lock_class *safe = search(graph, edge->from, false, &(struct goal){.usages = BIT(usage)}), *open;

        if (!safe)
            continue;
        finding->nr_path = 0;
        append_way_from(finding, safe);
        append_path(finding, edge);
        open = search(graph, edge->to, true, &(struct goal){.usages = conflicts[usage]});
        if (!open)
            continue;
        append_way_to(finding, open);
        found_interrupt(finding, safe, usage, open);
        return true;
    }
    finding->nr_path = 0;
    return false;
}

static bool breaks_rank(const struct lock_edge *edge, struct lock_finding *finding)
{
    if (edge->from->rank == 0 || edge->to->rank == 0 || edge->from->rank < edge->to->rank)
        return false;
    finding->kind = LOCK_FINDING_RANK;
    return true;
}

static bool is_one_class(const struct lock_edge *edge, struct lock_finding *finding)
{
    if (edge->from != edge->to)
        return false;
    finding->kind = LOCK_FINDING_ONE_CLASS;
    return true;
}

void lock_graph_add_edge(struct lock_graph *graph, struct lock_class *from, struct lock_class *to,
                         const struct lock_stack *from_stack, const struct lock_stack *to_stack,
                         struct lock_finding *finding)
{
    struct lock_edge *edge;

    *finding = (struct lock_finding){.held = from, .taken = to, .held_stack = from_stack, .taken_stack = to_stack};
    if (lock_graph_knows(graph, from, to))
        return;
    edge = allocate(graph, sizeof(*edge));
    if (!edge)
        return;
    *edge = (struct lock_edge){.from = from, .to = to, .from_stack = from_stack, .to_stack = to_stack};
    edge->is_refused = is_one_class(edge, finding) || closes_circle(graph, edge, finding) ||
                       breaks_rank(edge, finding) || joins_contexts(graph, edge, finding);
    link_edge(graph, edge);
}

void lock_graph_add_usage(struct lock_graph *graph, struct lock_class *class, enum lock_usage usage,
                          const struct lock_stack *stack, struct lock_finding *finding)
{
    struct lock_class *other;

    *finding = (struct lock_finding){.taken = class, .taken_stack = stack};
    if (class->usages & BIT(usage))
        return;
    class->usage_stacks[usage] = stack;
    __atomic_fetch_or(&class->usages, BIT(usage), __ATOMIC_RELEASE); /* pairs with the acquire of who shows it */
    if (BIT(usage) & TAKEN_WHERE_THEY_INTERRUPT) {
        other = search(graph, class, true, &(struct goal){.usages = conflicts[usage]});
        if (!other)
            return;
        append_way_to(finding, other);
        found_interrupt(finding, class, usage, other);
    } else {
        other = search(graph, class, false, &(struct goal){.usages = conflicts[usage]});
        if (!other)
            return;
        append_way_from(finding, other);
        found_interrupt(finding, other, (enum lock_usage)__builtin_ctz(other->usages & conflicts[usage]), class);
    }
}

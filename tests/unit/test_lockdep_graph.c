/* The graph of lock orders: what it finds, what it must not find, and random lock programs against a search that tries
 * everything. */
#include "support/random.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include <sync/lockdep_graph.h>
#include <sync/lockdep_ranks.h>

#define CLASSES_MAX 12u

static struct lock_graph graph;
static char arena[256 * 1024] __attribute__((aligned(16)));
static struct lock_class *classes[CLASSES_MAX];

static int begin(void **state)
{
    (void)state;
    memset(&graph, 0, sizeof(graph));
    memset(arena, 0, sizeof(arena));
    lock_graph_add_memory(&graph, arena, sizeof(arena));
    for (unsigned i = 0; i < CLASSES_MAX; i++) {
        char name[16];

        snprintf(name, sizeof(name), "class %u", i);
        classes[i] = lock_graph_add_class(&graph, name);
    }
    return 0;
}

static const struct lock_stack *stack_of(uintptr_t where)
{
    const void *frames[2] = {(const void *)where, (const void *)(where + 1)};

    return lock_graph_add_stack(&graph, frames, 2);
}

static struct lock_finding edge(unsigned from, unsigned to)
{
    struct lock_finding finding;

    lock_graph_add_edge(&graph, classes[from], classes[to], stack_of(100 * from + to), stack_of(100 * to + from),
                        &finding);
    return finding;
}

static struct lock_finding use(unsigned class, enum lock_usage usage)
{
    struct lock_finding finding;

    lock_graph_add_usage(&graph, classes[class], usage, stack_of(10000 + class), &finding);
    return finding;
}

static void test_classes_are_names(void **state)
{
    char long_a[80], long_b[80];

    (void)state;
    assert_ptr_equal(lock_graph_find_class(&graph, "class 3"), classes[3]);
    assert_ptr_equal(lock_graph_add_class(&graph, "class 3"), classes[3]);
    assert_null(lock_graph_find_class(&graph, "class 99"));
    memset(long_a, 'x', sizeof(long_a));
    memset(long_b, 'x', sizeof(long_b));
    strcpy(long_a + 60, "a");
    strcpy(long_b + 60, "b");
    assert_ptr_not_equal(lock_graph_add_class(&graph, long_a), lock_graph_add_class(&graph, long_b));
    assert_ptr_equal(lock_graph_find_class(&graph, long_a), lock_graph_add_class(&graph, long_a));
    assert_int_equal(graph.nr_classes, CLASSES_MAX + 2);
}

/* More names than slots, all alike as far as they are kept: some share a slot, and their hashes tell them apart. */
static void test_long_names_that_share_a_slot(void **state)
{
    static char room[3 * LOCK_HASH_SLOTS * (sizeof(struct lock_class) + 16)] __attribute__((aligned(16)));
    char name[64];

    (void)state;
    memset(room, 0, sizeof(room));
    lock_graph_add_memory(&graph, room, sizeof(room));
    for (unsigned i = 0; i < 2 * LOCK_HASH_SLOTS; i++) {
        snprintf(name, sizeof(name), "a name that is longer than what is kept of it, %u", i);
        assert_null(lock_graph_find_class(&graph, name));
        assert_int_equal(lock_graph_add_class(&graph, name)->number, CLASSES_MAX + i);
    }
}

static void test_equal_stacks_are_one(void **state)
{
    const struct lock_stack *one = stack_of(1), *two = stack_of(2);

    (void)state;
    assert_ptr_equal(stack_of(1), one);
    assert_ptr_not_equal(one, two);
    assert_int_equal(two->nr_frames, 2);
    assert_ptr_equal(two->frames[0], (void *)2);
}

static void test_a_circle_is_found_with_its_way_and_stacks(void **state)
{
    struct lock_finding f;

    (void)state;
    assert_int_equal(edge(0, 1).kind, LOCK_FINDING_NONE);
    assert_int_equal(edge(1, 2).kind, LOCK_FINDING_NONE);
    assert_int_equal(edge(0, 5).kind, LOCK_FINDING_NONE); /* leads nowhere */
    f = edge(2, 0);
    assert_int_equal(f.kind, LOCK_FINDING_CIRCLE);
    assert_ptr_equal(f.held, classes[2]);
    assert_ptr_equal(f.taken, classes[0]);
    assert_int_equal(f.nr_path, 2);
    assert_ptr_equal(f.path[0]->from, classes[0]);
    assert_ptr_equal(f.path[0]->to, classes[1]);
    assert_ptr_equal(f.path[1]->from, classes[1]);
    assert_ptr_equal(f.path[1]->to, classes[2]);
    assert_ptr_equal(f.path[1]->from_stack, stack_of(102));
    assert_ptr_equal(f.path[1]->to_stack, stack_of(201));
    assert_ptr_equal(f.held_stack, stack_of(200));
    assert_ptr_equal(f.taken_stack, stack_of(2));
}

static void test_what_is_wrong_is_said_once_and_not_followed(void **state)
{
    (void)state;
    (void)edge(0, 1);
    assert_false(lock_graph_knows(&graph, classes[1], classes[0]));
    assert_int_equal(edge(1, 0).kind, LOCK_FINDING_CIRCLE);
    assert_true(lock_graph_knows(&graph, classes[1], classes[0]));
    assert_int_equal(edge(1, 0).kind, LOCK_FINDING_NONE);
    (void)edge(0, 2);
    assert_int_equal(edge(2, 1).kind, LOCK_FINDING_NONE); /* only by the refused edge would it be a circle */
}

static void test_the_way_of_a_long_circle_is_cut_not_overrun(void **state)
{
    struct lock_class *chain[3 * LOCK_PATH_MAX];
    struct lock_finding f;

    (void)state;
    for (unsigned i = 0; i < 3 * LOCK_PATH_MAX; i++) {
        char name[16];

        snprintf(name, sizeof(name), "chain %u", i);
        chain[i] = lock_graph_add_class(&graph, name);
        if (i > 0)
            lock_graph_add_edge(&graph, chain[i - 1], chain[i], NULL, NULL, &f);
    }
    lock_graph_add_edge(&graph, chain[3 * LOCK_PATH_MAX - 1], chain[0], NULL, NULL, &f);
    assert_int_equal(f.kind, LOCK_FINDING_CIRCLE);
    assert_int_equal(f.nr_path, 3 * LOCK_PATH_MAX - 1);
    for (unsigned i = 0; i < LOCK_PATH_MAX; i++)
        assert_ptr_equal(f.path[i]->from, chain[i]);
}

static void test_two_of_one_class(void **state)
{
    (void)state;
    assert_int_equal(edge(4, 4).kind, LOCK_FINDING_ONE_CLASS);
    assert_int_equal(edge(4, 4).kind, LOCK_FINDING_NONE);
}

static void test_ranks(void **state)
{
    struct lock_class *low = lock_graph_add_class(&graph, "device model"), *high, *equal;
    struct lock_finding f;

    (void)state;
    high = lock_graph_add_class(&graph, "block load");
    equal = lock_graph_add_class(&graph, "random pool");
    assert_int_equal(low->rank, lockdep_rank("device model"));
    assert_int_equal(classes[0]->rank, 0);
    lock_graph_add_edge(&graph, low, high, NULL, NULL, &f);
    assert_int_equal(f.kind, LOCK_FINDING_NONE);
    lock_graph_add_edge(&graph, high, equal, NULL, NULL, &f);
    assert_int_equal(f.kind, LOCK_FINDING_RANK);
    lock_graph_add_edge(&graph, equal, low, NULL, NULL, &f);
    assert_int_equal(f.kind, LOCK_FINDING_RANK);
    lock_graph_add_edge(&graph, classes[0], low, NULL, NULL, &f);
    assert_int_equal(f.kind, LOCK_FINDING_NONE);
}

static void test_one_class_in_both_contexts(void **state)
{
    struct lock_finding f;

    (void)state;
    assert_int_equal(use(0, LOCK_TAKEN_IN_INTERRUPT).kind, LOCK_FINDING_NONE);
    f = use(0, LOCK_OPEN_IN_THREAD);
    assert_int_equal(f.kind, LOCK_FINDING_INTERRUPT);
    assert_ptr_equal(f.safe, classes[0]);
    assert_ptr_equal(f.open, classes[0]);
    assert_int_equal(f.safe_usage, LOCK_TAKEN_IN_INTERRUPT);
    assert_int_equal(f.open_usage, LOCK_OPEN_IN_THREAD);
    assert_int_equal(f.nr_path, 0);
    assert_int_equal(use(0, LOCK_OPEN_IN_THREAD).kind, LOCK_FINDING_NONE);
    /* deferred work does not interrupt deferred work; an interrupt does */
    assert_int_equal(use(1, LOCK_TAKEN_IN_DEFERRED).kind, LOCK_FINDING_NONE);
    assert_int_equal(use(1, LOCK_OPEN_IN_DEFERRED).kind, LOCK_FINDING_NONE);
    assert_int_equal(use(1, LOCK_TAKEN_IN_INTERRUPT).kind, LOCK_FINDING_INTERRUPT);
    assert_int_equal(use(2, LOCK_OPEN_IN_THREAD).kind, LOCK_FINDING_NONE);
    assert_int_equal(use(2, LOCK_TAKEN_IN_DEFERRED).kind, LOCK_FINDING_INTERRUPT);
}

static void test_contexts_joined_by_a_chain(void **state)
{
    struct lock_finding f;

    (void)state;
    (void)edge(0, 1);
    (void)edge(2, 3);
    assert_int_equal(use(0, LOCK_TAKEN_IN_INTERRUPT).kind, LOCK_FINDING_NONE);
    assert_int_equal(use(3, LOCK_OPEN_IN_THREAD).kind, LOCK_FINDING_NONE);
    f = edge(1, 2);
    assert_int_equal(f.kind, LOCK_FINDING_INTERRUPT);
    assert_ptr_equal(f.safe, classes[0]);
    assert_ptr_equal(f.open, classes[3]);
    assert_int_equal(f.nr_path, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_ptr_equal(f.path[i]->from, classes[i]);
        assert_ptr_equal(f.path[i]->to, classes[i + 1]);
    }
    /* backwards it is nothing: the interrupt's lock is the inner one */
    assert_int_equal(use(5, LOCK_OPEN_IN_THREAD).kind, LOCK_FINDING_NONE);
    assert_int_equal(edge(5, 0).kind, LOCK_FINDING_NONE);
}

static void test_without_memory_it_says_so(void **state)
{
    struct lock_finding f;

    (void)state;
    graph.arena_end = graph.arena + 64;
    assert_false(graph.is_full);
    assert_null(lock_graph_add_class(&graph, "one too many"));
    assert_true(graph.is_full);
    graph.arena_end = graph.arena;
    lock_graph_add_edge(&graph, classes[0], classes[1], NULL, NULL, &f);
    assert_int_equal(f.kind, LOCK_FINDING_NONE);
    assert_false(lock_graph_knows(&graph, classes[0], classes[1]));
    assert_null(lock_graph_add_stack(&graph, (const void *const[]){arena}, 1));
}

/* Everything there is to know, the slow way. */
struct oracle {
    bool edges[CLASSES_MAX][CLASSES_MAX];
    uint32_t usages[CLASSES_MAX];
    unsigned nr_classes;
};

static void close_over(const struct oracle *oracle, bool reach[CLASSES_MAX][CLASSES_MAX])
{
    memcpy(reach, oracle->edges, sizeof(oracle->edges));
    for (unsigned via = 0; via < oracle->nr_classes; via++)
        for (unsigned from = 0; from < oracle->nr_classes; from++)
            for (unsigned to = 0; to < oracle->nr_classes; to++)
                reach[from][to] |= reach[from][via] && reach[via][to];
}

static bool are_in_conflict(uint32_t safe, uint32_t open)
{
    const uint32_t interrupt = 1u << LOCK_TAKEN_IN_INTERRUPT, deferred = 1u << LOCK_TAKEN_IN_DEFERRED;
    const uint32_t thread_open = 1u << LOCK_OPEN_IN_THREAD, deferred_open = 1u << LOCK_OPEN_IN_DEFERRED;

    return ((safe & interrupt) && (open & (thread_open | deferred_open))) ||
           ((safe & deferred) && (open & thread_open));
}

static enum lock_finding_kind ask(const struct oracle *oracle)
{
    bool reach[CLASSES_MAX][CLASSES_MAX];

    close_over(oracle, reach);
    for (unsigned i = 0; i < oracle->nr_classes; i++)
        if (reach[i][i])
            return LOCK_FINDING_CIRCLE;
    for (unsigned safe = 0; safe < oracle->nr_classes; safe++)
        for (unsigned open = 0; open < oracle->nr_classes; open++)
            if ((safe == open || reach[safe][open]) && are_in_conflict(oracle->usages[safe], oracle->usages[open]))
                return LOCK_FINDING_INTERRUPT;
    return LOCK_FINDING_NONE;
}

/* The way that is reported must be one: of edges that were taught, end to end, from where it has to begin to where it
 * has to end. */
static void check_way(const struct oracle *oracle, const struct lock_finding *f)
{
    const struct lock_class *at = f->kind == LOCK_FINDING_CIRCLE ? f->taken : f->safe;
    const struct lock_class *end = f->kind == LOCK_FINDING_CIRCLE ? f->held : f->open;

    assert_true(f->nr_path <= LOCK_PATH_MAX);
    for (unsigned i = 0; i < f->nr_path; i++) {
        assert_ptr_equal(f->path[i]->from, at);
        at = f->path[i]->to;
        assert_true(oracle->edges[f->path[i]->from->number][at->number]);
    }
    assert_ptr_equal(at, end);
    if (f->kind == LOCK_FINDING_INTERRUPT) {
        assert_true(f->safe->usages & 1u << f->safe_usage);
        assert_true(f->open->usages & 1u << f->open_usage);
        assert_true(are_in_conflict(1u << f->safe_usage, 1u << f->open_usage));
    }
}

/* A program takes locks in random order and contexts until the first finding: neither sooner nor later than the oracle.
 */
static bool run_program(uint64_t *seed, unsigned steps)
{
    struct oracle oracle = {.nr_classes = 2 + (unsigned)random_below(seed, CLASSES_MAX - 1)};
    bool mostly_forward = random_below(seed, 2) == 0;

    begin(NULL);
    for (unsigned step = 0; step < steps; step++) {
        unsigned a = (unsigned)random_below(seed, oracle.nr_classes),
                 b = (unsigned)random_below(seed, oracle.nr_classes);
        struct lock_finding f;
        enum lock_finding_kind expected;

        if (random_below(seed, 4) == 0) {
            enum lock_usage usage = (enum lock_usage)random_below(seed, LOCK_NR_USAGES);

            oracle.usages[a] |= 1u << usage;
            f = use(a, usage);
        } else {
            if (a == b)
                continue;
            if (mostly_forward && a > b && random_below(seed, 30) != 0) {
                unsigned swap = a;

                a = b;
                b = swap;
            }
            oracle.edges[a][b] = true;
            f = edge(a, b);
        }
        expected = ask(&oracle);
        assert_int_equal(f.kind, expected);
        if (expected == LOCK_FINDING_NONE)
            continue;
        check_way(&oracle, &f);
        return true;
    }
    return false;
}

static void test_random_programs_against_the_oracle(void **state)
{
    uint64_t seed = 0x10c4de9;
    unsigned nr_found = 0;

    (void)state;
    for (unsigned program = 0; program < 4000; program++)
        nr_found += run_program(&seed, 1 + (unsigned)random_below(&seed, 30));
    assert_in_range(nr_found, 400, 3600); /* programs of both kinds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_classes_are_names, begin),
        cmocka_unit_test_setup(test_long_names_that_share_a_slot, begin),
        cmocka_unit_test_setup(test_equal_stacks_are_one, begin),
        cmocka_unit_test_setup(test_a_circle_is_found_with_its_way_and_stacks, begin),
        cmocka_unit_test_setup(test_what_is_wrong_is_said_once_and_not_followed, begin),
        cmocka_unit_test_setup(test_the_way_of_a_long_circle_is_cut_not_overrun, begin),
        cmocka_unit_test_setup(test_two_of_one_class, begin),
        cmocka_unit_test_setup(test_ranks, begin),
        cmocka_unit_test_setup(test_one_class_in_both_contexts, begin),
        cmocka_unit_test_setup(test_contexts_joined_by_a_chain, begin),
        cmocka_unit_test_setup(test_without_memory_it_says_so, begin),
        cmocka_unit_test(test_random_programs_against_the_oracle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

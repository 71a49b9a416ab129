/* Where FIFO threads go on several CPUs: when they are woken, and when they wait behind more urgent ones. */
#include "support/unit.h"

#include "../../src/sched/placement.h"

#define NR_CPUS 3

static struct run_queue queues[NR_CPUS];
static struct sched_entity running[NR_CPUS], fifo[2];
static struct cpu_mask all, none;
static uint32_t forbidden; /* to fifo[0]; fifo[1] may use CPU 0 only */

static struct run_queue *queue_of(uint32_t cpu)
{
    return &queues[cpu];
}

static const struct placement_view three = {.cpus = &all, .idle = &none, .queue = queue_of, .core = NULL};

static bool may_run_elsewhere(const struct sched_entity *entity, uint32_t cpu)
{
    return entity == &fifo[0] ? cpu != forbidden : cpu == 0;
}

/* Who runs on the three, by priority; 0: a fair one. Nobody waits. */
static void run_on_three(unsigned first, unsigned second, unsigned third)
{
    unsigned priorities[NR_CPUS] = {first, second, third};

    cpu_mask_set_first(&all, NR_CPUS);
    forbidden = CPU_MAX;
    sched_entity_init(&fifo[0], &(struct sched_policy){SCHED_FIFO, 0, 10});
    sched_entity_init(&fifo[1], &(struct sched_policy){SCHED_FIFO, 0, 10});
    for (unsigned cpu = 0; cpu < NR_CPUS; cpu++) {
        bool is_fair = priorities[cpu] == 0;

        run_queue_init(&queues[cpu], cpu);
        sched_entity_init(&running[cpu], &(struct sched_policy){is_fair ? SCHED_FAIR : SCHED_FIFO, 0, priorities[cpu]});
        (void)run_queue_add(&queues[cpu], &running[cpu], 0, ARRIVAL_NEW);
        assert_ptr_equal(run_queue_next(&queues[cpu], 0, STAYS), &running[cpu]);
        assert_false(queues[cpu].must_push);
    }
}

static enum run_queue_effect add(struct sched_entity *entity, uint32_t cpu)
{
    return run_queue_add(&queues[cpu], entity, 0, ARRIVAL_NEW);
}

static uint32_t place(struct sched_entity *entity, uint32_t previous)
{
    return placement_choose(&three, entity, previous, &all);
}

static void test_fifo_is_placed_where_the_least_urgent_runs(void **state)
{
    run_on_three(5, 0, 0);
    assert_int_equal(place(&fifo[0], 0), 1); /* though more urgent than who runs where it was */
    assert_int_equal(place(&fifo[0], 2), 2);
    run_on_three(5, 7, 3);
    assert_int_equal(place(&fifo[0], 0), 2);
    run_on_three(5, 7, 5);
    assert_int_equal(place(&fifo[0], 0), 0);
    assert_int_equal(place(&fifo[0], 2), 2);
    run_on_three(20, 30, 40);
    assert_int_equal(place(&fifo[0], 2), 0);
    /* One that will run there as soon as the CPU has looked. */
    run_on_three(5, 0, 7);
    assert_int_equal(add(&fifo[1], 1), EFFECT_PREEMPT);
    assert_int_equal(place(&fifo[0], 1), 0);
}

static uint32_t choose(void)
{
    return push_choose(&three, &queues[0], may_run_elsewhere);
}

static struct sched_entity *move_to(uint32_t cpu)
{
    struct sched_entity *moved = push_move(&queues[0], &queues[cpu], 1, may_run_elsewhere);

    assert_null(run_queue_check(&queues[0]));
    assert_null(run_queue_check(&queues[cpu]));
    return moved;
}

static void test_waiting_fifo_goes_where_the_least_urgent_runs(void **state)
{
    run_on_three(20, 9, 0);
    assert_int_equal(add(&fifo[0], 0), EFFECT_BEHIND);
    assert_int_equal(choose(), 2);
    forbidden = 2;
    assert_int_equal(choose(), 1);
    assert_null(move_to(2));
    assert_ptr_equal(move_to(1), &fifo[0]);
    assert_int_equal(choose(), CPU_MAX);
    assert_ptr_equal(run_queue_next(&queues[1], 2, STAYS), &fifo[0]);
    assert_true(queues[1].must_push); /* for the one of 9, which has been preempted */

    run_on_three(20, 10, 30);
    assert_int_equal(add(&fifo[0], 0), EFFECT_BEHIND);
    assert_int_equal(choose(), CPU_MAX);
    assert_null(move_to(1));

    /* Who may not leave does not keep others from it. */
    run_on_three(20, 15, 0);
    (void)run_queue_set_policy(&queues[0], &fifo[1], &(struct sched_policy){SCHED_FIFO, 0, 19}, 0);
    assert_int_equal(add(&fifo[1], 0), EFFECT_BEHIND);
    assert_int_equal(choose(), CPU_MAX);
    assert_int_equal(add(&fifo[0], 0), EFFECT_BEHIND);
    assert_int_equal(choose(), 2);
    assert_ptr_equal(move_to(2), &fifo[0]);
    assert_int_equal(choose(), CPU_MAX);

    /* Its own CPU is about to change to it. */
    run_on_three(5, 0, 0);
    assert_int_equal(add(&fifo[0], 0), EFFECT_PREEMPT);
    assert_int_equal(choose(), CPU_MAX);

    /* An idle CPU is the least urgent. */
    run_on_three(20, 0, 0);
    assert_null(run_queue_next(&queues[2], 0, WAITS));
    assert_int_equal(add(&fifo[0], 0), EFFECT_BEHIND);
    assert_int_equal(choose(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fifo_is_placed_where_the_least_urgent_runs),
        cmocka_unit_test(test_waiting_fifo_goes_where_the_least_urgent_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

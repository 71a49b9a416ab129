/* The run queue, call by call: who is next, what the CPU is told, and positions of FIFO threads (man 7 sched). */
#include "support/unit.h"

#include "../../src/sched/hand_over.h"
#include "../../src/sched/placement.h"

#define MS 1000000ull

static struct run_queue queue;
static struct sched_entity fair[8], fifo[8];

static int setup(void **state)
{
    run_queue_init(&queue, 0);
    for (unsigned i = 0; i < 8; i++) {
        sched_entity_init(&fair[i], &(struct sched_policy){SCHED_FAIR, 0, 0});
        sched_entity_init(&fifo[i], &(struct sched_policy){SCHED_FIFO, 0, 10});
    }
    return 0;
}

static enum run_queue_effect add(struct sched_entity *entity, uint64_t now)
{
    enum run_queue_effect effect = run_queue_add(&queue, entity, now, ARRIVAL_NEW);

    assert_null(run_queue_check(&queue));
    return effect;
}

static struct sched_entity *next(uint64_t now, enum run_queue_departure departure)
{
    struct sched_entity *entity = run_queue_next(&queue, now, departure);

    assert_null(run_queue_check(&queue));
    return entity;
}

static enum run_queue_effect set_policy(struct sched_entity *entity, enum sched_class class, int nice,
                                        unsigned priority, uint64_t now)
{
    struct sched_policy policy = {class, nice, priority}, found;
    enum run_queue_effect effect = run_queue_set_policy(&queue, entity, &policy, now);

    assert_null(run_queue_check(&queue));
    found = sched_entity_policy(entity);
    assert_true(found.class == class && found.nice == nice && found.priority == priority);
    return effect;
}

static void test_empty(void **state)
{
    assert_null(next(0, STAYS));
    assert_false(run_queue_account(&queue, 5));
    assert_int_equal(run_queue_slice_end(&queue), UINT64_MAX);
    assert_int_equal(run_queue_length(&queue), 0);
    assert_false(run_queue_has_waiting(&queue));
}

static void test_one_runs_without_a_timer(void **state)
{
    assert_int_equal(add(&fair[0], 0), EFFECT_PREEMPT);
    assert_ptr_equal(next(10, STAYS), &fair[0]);
    assert_int_equal(run_queue_slice_end(&queue), UINT64_MAX);
    assert_false(run_queue_account(&queue, 100 * MS));
    assert_int_equal(fair[0].run_time_ns, 100 * MS - 10);
    assert_ptr_equal(next(101 * MS, YIELDS), &fair[0]);
    assert_null(next(102 * MS, WAITS));
    assert_int_equal(fair[0].run_time_ns, 102 * MS - 10);
}

static void test_two_take_turns_by_slices(void **state)
{
    uint64_t now;

    add(&fair[0], 0);
    next(0, STAYS);
    assert_int_equal(add(&fair[1], 0), EFFECT_TIMER);
    for (unsigned i = 0; i < 20; i++) {
        now = run_queue_slice_end(&queue);
        assert_true(now > i * SLICE_NS && now <= (i + 1) * (SLICE_NS + 2));
        assert_false(run_queue_account(&queue, now - SLICE_NS / 2));
        assert_true(run_queue_account(&queue, now));
        next(now, STAYS);
    }
    assert_true(fair[0].run_time_ns + fair[1].run_time_ns >= 60 * MS);
    assert_in_range(fair[0].run_time_ns, 30 * MS - SLICE_NS, 30 * MS + SLICE_NS);
}

static void test_yield_alternates(void **state)
{
    uint64_t now = 0;

    add(&fair[0], 0);
    add(&fair[1], 0);
    add(&fair[2], 0);
    next(0, STAYS);
    for (unsigned i = 0; i < 100; i++) {
        struct sched_entity *before = queue.running;

        now += 100 + i * 37 % 1000;
        assert_ptr_not_equal(next(now, YIELDS), before);
    }
}

/* One that keeps yielding to a thread that never does has saved nothing with which to keep it away afterwards. */
static void test_yielding_saves_nothing(void **state)
{
    uint64_t now = 0, run_time_ns;

    add(&fair[0], 0);
    add(&fair[1], 0);
    next(0, STAYS);
    for (unsigned i = 0; i < 100; i++) {
        assert_ptr_equal(queue.running, &fair[0]);
        assert_ptr_equal(next(now += 100, YIELDS), &fair[1]);
        now = run_queue_slice_end(&queue);
        next(now, STAYS);
    }
    assert_in_range(fair[1].run_time_ns, 99 * SLICE_NS, 101 * SLICE_NS);
    run_time_ns = fair[0].run_time_ns;
    while (queue.running == &fair[0])
        next(now = run_queue_slice_end(&queue), STAYS);
    assert_in_range(fair[0].run_time_ns - run_time_ns, SLICE_NS - 1000, 2 * SLICE_NS + 10);
}

static void test_wake_up_preempts_by_deadline(void **state)
{
    add(&fair[0], 0);
    add(&fair[1], 0);
    assert_ptr_equal(next(0, STAYS), &fair[0]);
    /* It waits at once, so it is owed half of what the other gets meanwhile, but no more than it had then: nothing. */
    assert_ptr_equal(next(1, WAITS), &fair[1]);
    assert_int_equal(run_queue_add(&queue, &fair[0], MS, ARRIVAL_WOKEN), EFFECT_TIMER);
    /* Behind in time by a millisecond, with a claim of half of it: its deadline is earlier, once it is woken. */
    assert_ptr_equal(next(2 * SLICE_NS, STAYS), &fair[0]);
    next(2 * SLICE_NS + MS, WAITS);
    assert_true(fair[0].lag > 0);
    assert_int_equal(run_queue_add(&queue, &fair[0], 3 * SLICE_NS, ARRIVAL_WOKEN), EFFECT_PREEMPT);
    assert_ptr_equal(next(3 * SLICE_NS, STAYS), &fair[0]);
}

static void test_debt_ends_while_waiting(void **state)
{
    add(&fair[0], 0);
    add(&fair[1], 0);
    next(0, STAYS);
    next(2 * MS, WAITS); /* 2 ms ahead of the other */
    assert_int_equal(fair[0].lag, -256 * (int64_t)MS);
    run_queue_add(&queue, &fair[0], 3 * MS, ARRIVAL_WOKEN);
    assert_int_equal(fair[0].vruntime - fair[1].vruntime, 256 * MS);
    run_queue_remove(&queue, &fair[0], 3 * MS);
    assert_int_equal(fair[0].lag, -128 * (int64_t)MS);
    run_queue_add(&queue, &fair[0], 300 * MS, ARRIVAL_WOKEN);
    assert_int_equal(fair[0].vruntime - fair[1].vruntime, 0);
}

/* fair[0] runs, fair[1] waits and has run here, at time 10. The slice ends in time. */
static void one_waits(void)
{
    add(&fair[1], 0);
    next(0, STAYS);
    add(&fair[0], 10);
    assert_ptr_equal(next(10, WAITS), &fair[0]);
    run_queue_expect_slice_end(&queue, 3 * MS);
    assert_null(run_queue_check(&queue));
}

static bool hand_over(struct sched_entity *entity)
{
    bool is_handed = run_queue_try_hand_over(&queue, entity);

    assert_null(run_queue_check(&queue));
    return is_handed;
}

/* The short way ends where the long one does: who runs, what each was given, what each is owed. */
static void test_handed_over_as_by_the_long_way(void **state)
{
    for (int64_t lag = 0; lag >= -2000 * 256; lag -= 500 * 256) {
        struct sched_entity by_long_way[2];
        uint64_t zero;

        setup(NULL);
        one_waits();
        fair[1].lag = lag;
        run_queue_settle(&queue, 1000);
        assert_int_not_equal(run_queue_add(&queue, &fair[1], 1000, ARRIVAL_WOKEN), EFFECT_PREEMPT);
        assert_ptr_equal(next(1000, WAITS), &fair[1]);
        by_long_way[0] = fair[0], by_long_way[1] = fair[1], zero = queue.fair.zero;

        setup(NULL);
        one_waits();
        assert_int_equal(fair[1].lag, 0);
        fair[1].lag = lag;
        assert_true(hand_over(&fair[1]));
        assert_int_equal(run_queue_length(&queue), 2);
        assert_true(run_queue_has_waiting(&queue));
        assert_ptr_equal(queue.handed, &fair[1]);
        run_queue_hand_over(&queue, &fair[1], 1000);
        assert_ptr_equal(queue.running, &fair[1]);
        assert_null(run_queue_check(&queue));
        assert_int_equal(queue.fair.zero, zero);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(fair[i].vruntime, by_long_way[i].vruntime);
            assert_int_equal(fair[i].lag, by_long_way[i].lag);
            assert_int_equal(fair[i].run_time_ns, by_long_way[i].run_time_ns);
            assert_int_equal(fair[i].state, by_long_way[i].state);
        }
        assert_int_equal(fair[1].deadline, by_long_way[1].deadline);
    }
}

/* Anything else that happens finds an ordinary queue. */
static void test_handed_over_and_something_else(void **state)
{
    one_waits();
    assert_true(hand_over(&fair[1]));
    assert_int_equal(add(&fifo[0], 20), EFFECT_PREEMPT);
    assert_int_equal(run_queue_length(&queue), 3);
    assert_ptr_equal(next(30, STAYS), &fifo[0]);
    assert_ptr_equal(next(40, WAITS), &fair[1]);

    setup(NULL);
    one_waits();
    assert_true(hand_over(&fair[1]));
    assert_int_equal(set_policy(&fair[1], SCHED_FIFO, 0, 5, 20), EFFECT_PREEMPT);
    assert_ptr_equal(next(30, STAYS), &fair[1]);

    setup(NULL);
    one_waits();
    assert_true(hand_over(&fair[1]));
    run_queue_remove(&queue, &fair[1], 20);
    assert_null(run_queue_check(&queue));
    assert_null(next(30, WAITS));

    setup(NULL);
    one_waits();
    assert_true(hand_over(&fair[1]));
    assert_true(run_queue_slice_end(&queue) <= 3 * MS + 11);
    assert_ptr_equal(next(30, YIELDS), &fair[1]);
}

static void test_who_may_not_be_handed_over(void **state)
{
    one_waits();
    assert_true(hand_over(&fair[1]));

    setup(NULL);
    add(&fair[0], 0);
    next(0, STAYS);
    add(&fair[1], 1000); /* is owed something when it leaves */
    assert_ptr_equal(next(2000, YIELDS), &fair[1]);
    assert_ptr_equal(next(2010, WAITS), &fair[0]);
    assert_true(fair[1].lag > 0);
    run_queue_expect_slice_end(&queue, 3 * MS);
    assert_false(hand_over(&fair[1]));

    setup(NULL);
    one_waits();
    set_policy(&fair[1], SCHED_FAIR, 1, 0, 20); /* who is out is another's business: it changes nothing here */
    assert_false(hand_over(&fair[1]));

    setup(NULL);
    one_waits();
    set_policy(&fair[1], SCHED_FIFO, 0, 1, 20);
    assert_false(hand_over(&fair[1]));

    setup(NULL);
    one_waits();
    set_policy(&fair[0], SCHED_FIFO, 0, 1, 20); /* the running one */
    assert_false(hand_over(&fair[1]));

    setup(NULL);
    one_waits();
    add(&fair[2], 20); /* somebody waits */
    assert_false(hand_over(&fair[1]));

    setup(NULL);
    one_waits();
    run_queue_settle(&queue, 20);
    run_queue_expect_slice_end(&queue, 4 * MS); /* a slice ends before the timer */
    assert_false(hand_over(&fair[1]));
}

static void test_migration_keeps_place(void **state)
{
    struct run_queue other;
    int64_t lag;

    run_queue_init(&other, 1);
    sched_entity_init(&fair[7], &(struct sched_policy){SCHED_FAIR, 0, 0});
    run_queue_add(&other, &fair[7], 0, ARRIVAL_NEW);
    run_queue_next(&other, 0, STAYS);
    run_queue_account(&other, 500 * MS);
    add(&fair[0], 0);
    add(&fair[1], 0);
    next(0, STAYS);
    assert_ptr_equal(next(SLICE_NS + MS, STAYS), &fair[1]);
    run_queue_remove(&queue, &fair[0], SLICE_NS + MS);
    lag = fair[0].lag;
    assert_int_equal(lag, -(int64_t)(SLICE_NS + MS) * 256 / 2);
    run_queue_add(&other, &fair[0], 500 * MS, ARRIVAL_MIGRATED);
    assert_int_equal(fair[7].vruntime - fair[0].vruntime, lag * 2);
    assert_null(run_queue_check(&other));
}

static void test_fifo_goes_first(void **state)
{
    add(&fair[0], 0);
    next(0, STAYS);
    assert_int_equal(add(&fifo[0], MS), EFFECT_PREEMPT);
    assert_true(run_queue_account(&queue, MS));
    assert_ptr_equal(next(MS, STAYS), &fifo[0]);
    assert_int_equal(run_queue_slice_end(&queue), UINT64_MAX);
    assert_int_equal(add(&fair[1], MS), EFFECT_NONE);
    assert_int_equal(add(&fifo[1], MS), EFFECT_BEHIND);
    assert_false(run_queue_account(&queue, 900 * MS));
    assert_ptr_equal(next(900 * MS, STAYS), &fifo[0]);
    assert_ptr_equal(next(901 * MS, WAITS), &fifo[1]);
    assert_ptr_equal(next(902 * MS, YIELDS), &fifo[1]);
    assert_int_equal(fair[0].run_time_ns, MS);
    assert_non_null(next(903 * MS, WAITS));
    assert_true(queue.running == &fair[0] || queue.running == &fair[1]);
}

static void test_fifo_order(void **state)
{
    for (unsigned i = 0; i < 4; i++)
        add(&fifo[i], 0);
    assert_ptr_equal(next(0, STAYS), &fifo[0]);
    /* Preempted by a higher one it stays first of its list. */
    sched_entity_init(&fifo[7], &(struct sched_policy){SCHED_FIFO, 0, 99});
    assert_int_equal(add(&fifo[7], 1), EFFECT_PREEMPT);
    assert_ptr_equal(next(1, STAYS), &fifo[7]);
    assert_ptr_equal(next(2, WAITS), &fifo[0]);
    /* A yield puts it behind its equals. */
    assert_ptr_equal(next(3, YIELDS), &fifo[1]);
    assert_ptr_equal(next(4, WAITS), &fifo[2]);
    /* Woken: behind its equals. */
    run_queue_add(&queue, &fifo[1], 5, ARRIVAL_WOKEN);
    assert_ptr_equal(next(6, WAITS), &fifo[3]);
    assert_ptr_equal(next(7, WAITS), &fifo[0]);
    assert_ptr_equal(next(8, WAITS), &fifo[1]);
    assert_null(next(9, WAITS));
}

static void test_fifo_priority_changes(void **state)
{
    for (unsigned i = 0; i < 5; i++)
        add(&fifo[i], 0);
    assert_ptr_equal(next(0, STAYS), &fifo[0]);
    /* The same priority: where it was. */
    assert_int_equal(set_policy(&fifo[1], SCHED_FIFO, 0, 10, 1), EFFECT_NONE);
    /* Raised: before the running one. */
    assert_int_equal(set_policy(&fifo[4], SCHED_FIFO, 0, 11, 1), EFFECT_PREEMPT);
    assert_ptr_equal(next(2, STAYS), &fifo[4]);
    /* Another raised: to the end of that list. */
    assert_int_equal(set_policy(&fifo[3], SCHED_FIFO, 0, 11, 3), EFFECT_BEHIND);
    /* Lowered: to the front of the new list. */
    assert_int_equal(set_policy(&fifo[4], SCHED_FIFO, 0, 10, 3), EFFECT_PREEMPT);
    assert_ptr_equal(next(4, STAYS), &fifo[3]);
    assert_int_equal(set_policy(&fifo[2], SCHED_FIFO, 0, 11, 4), EFFECT_BEHIND);
    assert_int_equal(set_policy(&fifo[2], SCHED_FIFO, 0, 10, 4), EFFECT_BEHIND);
    assert_ptr_equal(next(5, WAITS), &fifo[2]);
    assert_ptr_equal(next(5, WAITS), &fifo[4]);
    assert_ptr_equal(next(5, WAITS), &fifo[0]);
    assert_ptr_equal(next(5, WAITS), &fifo[1]);
    /* To fair and back while it runs. */
    assert_int_equal(set_policy(&fifo[1], SCHED_FAIR, 5, 10, 6), EFFECT_NONE);
    assert_int_equal(add(&fifo[2], 7), EFFECT_PREEMPT);
    assert_int_equal(set_policy(&fifo[1], SCHED_FIFO, 5, 10, 8), EFFECT_NONE);
    assert_int_equal(set_policy(&fifo[1], SCHED_FAIR, 5, 10, 9), EFFECT_PREEMPT);
    assert_ptr_equal(next(10, STAYS), &fifo[2]);
}

static void test_weight_change_keeps_lag(void **state)
{
    int64_t lag;

    for (unsigned i = 0; i < 3; i++)
        add(&fair[i], 0);
    next(0, STAYS);
    next(SLICE_NS, STAYS);
    run_queue_remove(&queue, &fair[0], SLICE_NS);
    lag = fair[0].lag * fair[0].weight;
    assert_true(lag < 0);
    run_queue_add(&queue, &fair[0], SLICE_NS, ARRIVAL_MIGRATED);
    for (int nice = NICE_MIN; nice <= NICE_MAX; nice++) {
        set_policy(&fair[0], SCHED_FAIR, nice, 0, SLICE_NS);
        assert_int_equal(fair[0].weight, nice_weight(nice));
    }
    set_policy(&fair[0], SCHED_FAIR, 0, 0, SLICE_NS);
    run_queue_remove(&queue, &fair[0], SLICE_NS);
    assert_in_range(fair[0].lag * fair[0].weight - lag + 5000000, 0, 10000000); /* 20 us of rounding */
    /* While it waits, too. */
    lag = fair[0].lag;
    set_policy(&fair[0], SCHED_FAIR, -20, 0, SLICE_NS);
    set_policy(&fair[0], SCHED_FAIR, 0, 0, SLICE_NS);
    assert_in_range(fair[0].lag - lag + 1000, 0, 2000);
}

static bool may_run_anywhere(const struct sched_entity *entity, uint32_t cpu)
{
    return true;
}

static struct sched_entity *balance_to(struct run_queue *to, uint64_t now)
{
    enum run_queue_effect effect;
    struct sched_entity *moved = balance_move(&queue, to, now, may_run_anywhere, &effect);

    assert_null(run_queue_check(&queue));
    assert_null(run_queue_check(to));
    return moved;
}

/* Another policy is no CPU time: no queue is ahead of another because of it. */
static void test_policy_change_of_one_alone_is_no_claim(void **state)
{
    static const struct sched_policy changed[] = {{SCHED_FIFO, 0, 10}, {SCHED_FAIR, -5, 10}};
    struct sched_policy plain = {SCHED_FAIR, 0, 0};
    static struct run_queue other;

    run_queue_init(&other, 1);
    for (unsigned i = 0; i < 3; i++)
        add(&fair[i], 0);
    next(0, STAYS);
    (void)run_queue_add(&other, &fair[3], 0, ARRIVAL_NEW);
    assert_ptr_equal(run_queue_next(&other, 0, STAYS), &fair[3]);
    assert_null(balance_to(&other, 0));
    for (unsigned i = 0; i < 2; i++) {
        (void)run_queue_set_policy(&other, &fair[3], &changed[i], 0);
        (void)run_queue_set_policy(&other, &fair[3], &plain, 0);
        assert_null(balance_to(&other, 0));
    }
    assert_ptr_equal(balance_to(&other, 10 * MS), &fair[1]); /* which that has earned */
}

static bool takes_push(void)
{
    bool must_push = queue.must_push;

    queue.must_push = false;
    return must_push;
}

/* Where another CPU may be for who waits here, or this one for who waits elsewhere. */
static void test_when_fifo_is_pushed(void **state)
{
    add(&fair[0], 0);
    add(&fair[1], 0);
    next(0, STAYS);
    next(1, YIELDS);
    next(2, WAITS);
    assert_false(takes_push()); /* fair ones never ask */
    add(&fifo[0], 3);
    next(3, STAYS);
    assert_false(takes_push()); /* it runs, and nobody waits */
    next(4, WAITS);
    assert_true(takes_push()); /* a fair one goes on */
    sched_entity_init(&fifo[7], &(struct sched_policy){SCHED_FIFO, 0, 99});
    add(&fifo[1], 5);
    next(5, STAYS);
    add(&fifo[7], 6);
    assert_false(takes_push());
    next(6, STAYS);
    assert_true(takes_push()); /* one was preempted */
    next(7, WAITS);
    assert_true(takes_push()); /* a less urgent one goes on */
    assert_int_equal(set_policy(&fifo[1], SCHED_FIFO, 0, 9, 8), EFFECT_NONE);
    assert_true(takes_push()); /* it has become less urgent itself */
    assert_int_equal(set_policy(&fifo[1], SCHED_FIFO, 0, 10, 8), EFFECT_NONE);
    assert_false(takes_push());
    assert_int_equal(set_policy(&fifo[1], SCHED_FAIR, 0, 10, 9), EFFECT_TIMER);
    assert_true(takes_push());
    next(10, STAYS);
    assert_false(takes_push());
}

/* Who was to run here next, and goes elsewhere or is lowered, has kept others from coming. */
static void test_fifo_is_pushed_when_the_next_one_goes(void **state)
{
    add(&fair[0], 0);
    next(0, STAYS);
    assert_int_equal(add(&fifo[1], 1), EFFECT_PREEMPT);
    assert_false(takes_push());
    run_queue_remove(&queue, &fifo[1], 1);
    assert_true(takes_push());
    assert_int_equal(add(&fifo[1], 2), EFFECT_PREEMPT);
    (void)set_policy(&fifo[1], SCHED_FAIR, 0, 10, 2);
    assert_true(takes_push());
    run_queue_remove(&queue, &fifo[1], 2);
    assert_false(takes_push()); /* a fair one kept nobody */

    /* Nor did one that waits behind who runs. */
    add(&fifo[0], 3);
    next(3, STAYS);
    assert_false(takes_push());
    assert_int_equal(add(&fifo[2], 4), EFFECT_BEHIND);
    run_queue_remove(&queue, &fifo[2], 4);
    assert_false(takes_push());
}

static void test_clock_that_is_behind(void **state)
{
    add(&fair[0], 1000);
    next(1000, STAYS);
    assert_false(run_queue_account(&queue, 500));
    assert_int_equal(fair[0].run_time_ns, 0);
    assert_false(run_queue_account(&queue, 1500));
    assert_int_equal(fair[0].run_time_ns, 500);
}

static void test_misuse_ends_the_kernel(void **state)
{
    add(&fair[0], 0);
    assert_true(UNIT_ENDS_KERNEL(run_queue_add(&queue, &fair[0], 0, ARRIVAL_WOKEN)));
    assert_true(UNIT_ENDS_KERNEL(run_queue_remove(&queue, &fair[1], 0)));
    assert_true(UNIT_ENDS_KERNEL(nice_weight(20)));
}

static void test_nice_weights(void **state)
{
    assert_int_equal(nice_weight(0), 1024);
    for (int nice = NICE_MIN; nice < NICE_MAX; nice++) {
        uint64_t ratio = nice_weight(nice) * 1000ull / nice_weight(nice + 1);

        assert_in_range(ratio, 1190, 1300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, setup),
        cmocka_unit_test_setup(test_one_runs_without_a_timer, setup),
        cmocka_unit_test_setup(test_two_take_turns_by_slices, setup),
        cmocka_unit_test_setup(test_yield_alternates, setup),
        cmocka_unit_test_setup(test_yielding_saves_nothing, setup),
        cmocka_unit_test_setup(test_wake_up_preempts_by_deadline, setup),
        cmocka_unit_test_setup(test_debt_ends_while_waiting, setup),
        cmocka_unit_test_setup(test_migration_keeps_place, setup),
        cmocka_unit_test_setup(test_fifo_goes_first, setup),
        cmocka_unit_test_setup(test_fifo_order, setup),
        cmocka_unit_test_setup(test_fifo_priority_changes, setup),
        cmocka_unit_test_setup(test_handed_over_as_by_the_long_way, setup),
        cmocka_unit_test_setup(test_handed_over_and_something_else, setup),
        cmocka_unit_test_setup(test_who_may_not_be_handed_over, setup),
        cmocka_unit_test_setup(test_weight_change_keeps_lag, setup),
        cmocka_unit_test_setup(test_policy_change_of_one_alone_is_no_claim, setup),
        cmocka_unit_test_setup(test_when_fifo_is_pushed, setup),
        cmocka_unit_test_setup(test_fifo_is_pushed_when_the_next_one_goes, setup),
        cmocka_unit_test_setup(test_clock_that_is_behind, setup),
        cmocka_unit_test_setup(test_misuse_ends_the_kernel, setup),
        cmocka_unit_test(test_nice_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Mailboxes between CPUs, with threads for CPUs and a flag each for the interrupt. */
#include "support/unit.h"

#include <pthread.h>
#include <sched.h>

#include "../../src/smp/mailbox.h"

#define THREADS 4
#define TURNS   3000

static const uint32_t numbers[THREADS] = {0, 63, 64, CPU_MAX - 1}; /* two in one word of the set, and both ends */
static struct mailbox boxes[CPU_MAX];
static bool is_raised[CPU_MAX]; /* [a] */
static uint32_t nr_finished;    /* [a] threads */
static __thread uint32_t own_index;

/* value is written before the asking, seen in the running; by plain stores, the mailbox orders them. */
struct request {
    uint64_t value, seen[THREADS];
    uint32_t nr_runs; /* [a] */
};

static struct mailbox *box_of(uint32_t cpu)
{
    return &boxes[cpu];
}

static void run_request(void *argument)
{
    struct request *request = argument;

    request->seen[own_index] = request->value;
    __atomic_fetch_add(&request->nr_runs, 1, __ATOMIC_RELAXED);
}

static int set_up(void **state)
{
    for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++) {
        boxes[cpu] = (struct mailbox){0};
        is_raised[cpu] = false;
    }
    nr_finished = 0;
    return 0;
}

static void test_who_asks_is_run_once(void **state)
{
    struct request requests[THREADS] = {0};

    for (unsigned i = 1; i < THREADS; i++) {
        requests[i].value = 100 + i;
        mailbox_begin(box_of(numbers[i]), run_request, &requests[i], 1);
        assert_false(mailbox_is_done(box_of(numbers[i])));
        assert_true(mailbox_drop(box_of(0), numbers[i])); /* each in a word of its own */
    }
    mailbox_run(box_of(0), box_of);
    mailbox_run(box_of(0), box_of);
    for (unsigned i = 1; i < THREADS; i++) {
        assert_true(mailbox_is_done(box_of(numbers[i])));
        assert_int_equal(requests[i].nr_runs, 1);
        assert_int_equal(requests[i].seen[0], 100 + i);
    }
}

static void test_one_interrupt_serves_a_word(void **state)
{
    struct request request = {0};

    for (uint32_t cpu = 65; cpu < 128; cpu++) {
        mailbox_begin(box_of(cpu), run_request, &request, 1);
        assert_int_equal(mailbox_drop(box_of(1), cpu), cpu == 65);
    }
    mailbox_run(box_of(1), box_of);
    assert_int_equal(request.nr_runs, 128 - 65);
    mailbox_begin(box_of(65), run_request, &request, 1);
    assert_true(mailbox_drop(box_of(1), 65));
}

static void test_all_that_were_asked_count(void **state)
{
    struct request request = {0};

    mailbox_begin(box_of(0), run_request, &request, 2);
    (void)!mailbox_drop(box_of(5), 0);
    (void)!mailbox_drop(box_of(6), 0);
    mailbox_run(box_of(5), box_of);
    assert_false(mailbox_is_done(box_of(0)));
    mailbox_run(box_of(6), box_of);
    assert_true(mailbox_is_done(box_of(0)));
    mailbox_begin(box_of(0), run_request, &request, 0);
    assert_true(mailbox_is_done(box_of(0)));
}

/* It has stopped: it must not run what was asked of it, should it go on. */
static void test_what_nobody_took_is_taken_back(void **state)
{
    struct request request = {0};

    mailbox_begin(box_of(64), run_request, &request, 2);
    (void)!mailbox_drop(box_of(5), 64);
    (void)!mailbox_drop(box_of(6), 64);
    assert_true(mailbox_is_asked(box_of(5)));
    assert_true(mailbox_take_back(box_of(64), box_of(5), 64));
    assert_false(mailbox_take_back(box_of(64), box_of(5), 64)); /* once */
    assert_false(mailbox_is_asked(box_of(5)));
    assert_false(mailbox_is_done(box_of(64)));
    mailbox_run(box_of(5), box_of);
    assert_int_equal(request.nr_runs, 0);
    mailbox_run(box_of(6), box_of);
    assert_true(mailbox_is_done(box_of(64)));
    assert_false(mailbox_take_back(box_of(64), box_of(6), 64)); /* it has been run */
    assert_true(mailbox_is_done(box_of(64)));
}

/* The handler: not run where no interrupt is on its way, or a lost one would not show. */
static void take_interrupt(void)
{
    if (__atomic_exchange_n(&is_raised[numbers[own_index]], false, __ATOMIC_ACQ_REL))
        mailbox_run(box_of(numbers[own_index]), box_of);
    else
        sched_yield();
}

static bool ask_all(struct request *request)
{
    struct mailbox *own = box_of(numbers[own_index]);

    mailbox_begin(own, run_request, request, THREADS - 1);
    for (unsigned other = 0; other < THREADS; other++)
        if (other != own_index && mailbox_drop(box_of(numbers[other]), numbers[own_index]))
            __atomic_store_n(&is_raised[numbers[other]], true, __ATOMIC_RELEASE);
    while (!mailbox_is_done(own))
        take_interrupt();
    for (unsigned other = 0; other < THREADS; other++)
        if (request->seen[other] != (other == own_index ? 0 : request->value))
            return false;
    return request->nr_runs == THREADS - 1;
}

static void *run_cpu(void *argument)
{
    uintptr_t nr_wrong = 0;

    own_index = (uint32_t)(uintptr_t)argument;
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        struct request request = {.value = turn * THREADS + own_index};

        nr_wrong += !ask_all(&request);
    }
    __atomic_fetch_add(&nr_finished, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&nr_finished, __ATOMIC_ACQUIRE) < THREADS)
        take_interrupt();
    return (void *)nr_wrong;
}

static void test_all_ask_all_at_once(void **state)
{
    pthread_t threads[THREADS];
    void *nr_wrong;

    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_cpu, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &nr_wrong), 0);
        assert_null(nr_wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_who_asks_is_run_once, set_up),
        cmocka_unit_test_setup(test_one_interrupt_serves_a_word, set_up),
        cmocka_unit_test_setup(test_all_that_were_asked_count, set_up),
        cmocka_unit_test_setup(test_what_nobody_took_is_taken_back, set_up),
        cmocka_unit_test_setup(test_all_ask_all_at_once, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The policy on simulated machines, for simulated minutes: shares, lags, starvation, and that nobody gets lost. */
#include "support/random.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "sched_simulator.h"

static struct sim sim;

static struct sched_policy nice_of(int nice)
{
    return (struct sched_policy){SCHED_FAIR, nice, 1};
}

static struct sim_thread *add_fair(int nice, uint32_t cpu)
{
    struct sched_policy policy = nice_of(nice);

    return sim_add(&sim, &policy, cpu);
}

static void assert_nothing_wrong(uint64_t seed)
{
    if (sim_wrong != NULL)
        fail_msg("seed %lu, at %lu ns: %s", (unsigned long)seed, (unsigned long)sim.now, sim_wrong);
}

/* How far time is from share, in thousandths of share. */
static int64_t off_by(uint64_t time, uint64_t share)
{
    int64_t difference = (int64_t)time - (int64_t)share;

    return llabs(difference) * 1000 / (int64_t)share;
}

static void assert_shares_equal(unsigned nr_threads, unsigned nr_cpus, uint64_t length_ns)
{
    uint64_t share = length_ns * (nr_cpus < nr_threads ? nr_cpus : nr_threads) / nr_threads;
    int64_t worst = 0;

    sim_init(&sim, nr_cpus, 1 + nr_threads);
    for (unsigned i = 0; i < nr_threads; i++)
        add_fair(0, 0);
    sim_run(&sim, length_ns);
    assert_nothing_wrong(1 + nr_threads);
    for (unsigned i = 0; i < nr_threads; i++) {
        int64_t off = off_by(sim.threads[i].cpu_time_ns, share);

        worst = off > worst ? off : worst;
    }
    print_message("%u threads, %u CPUs: off by %ld/1000, %lu moves, lag up to %ld us\n", nr_threads, nr_cpus,
                  (long)worst, (unsigned long)sim.nr_moves, (long)sim.lag_max_ns / 1000);
    assert_true(worst <= 20);
    assert_int_equal(sim.idle_ns, 0);
}

static void test_equal_on_one_cpu(void **state)
{
    for (unsigned nr = 2; nr <= 12; nr++) {
        assert_shares_equal(nr, 1, 10 * SIM_S);
        assert_in_range(sim.lag_max_ns, 0, SLICE_NS + sim.jitter_ns);
    }
}

static void test_equal_on_several_cpus(void **state)
{
    for (unsigned nr_cpus = 2; nr_cpus <= 8; nr_cpus += nr_cpus < 4 ? 1 : 4) {
        for (unsigned nr = nr_cpus; nr <= 2 * nr_cpus + 1; nr++)
            assert_shares_equal(nr, nr_cpus, 10 * SIM_S);
    }
}

/* Every two levels against each other: the heavier runs as often as its weight is more, within 5 %, by Linux's own
 * numbers, over the time in which the lighter gets 30 slices. */
static void test_all_nice_levels_pairwise(void **state)
{
    for (int heavy = NICE_MIN; heavy <= NICE_MAX; heavy++) {
        for (int light = heavy; light <= NICE_MAX; light++) {
            uint64_t weights = nice_weight(heavy) + nice_weight(light);
            uint64_t length_ns = 30 * SLICE_NS * weights / nice_weight(light);
            struct sim_thread *first, *second;

            sim_init(&sim, 1, 7);
            first = add_fair(heavy, 0);
            second = add_fair(light, 0);
            sim_run(&sim, length_ns);
            assert_nothing_wrong(7);
            assert_true(off_by(first->cpu_time_ns, length_ns * nice_weight(heavy) / weights) <= 50);
            assert_true(off_by(second->cpu_time_ns, length_ns * nice_weight(light) / weights) <= 50);
            assert_in_range(sim.lag_max_ns, 0, SLICE_NS + sim.jitter_ns);
        }
    }
}

/* Weights of which none asks for more than a CPU. */
static void test_nice_levels_on_several_cpus(void **state)
{
    static const int levels[][8] = {{0, 0, 1, 3, 5, -2}, {0, 3, 3, 3, 3, 3, 3}, {-5, -5, -5, -4, -6, 0, 0, 0}};
    static const unsigned nr[] = {6, 7, 8};

    for (unsigned set = 0; set < 3; set++) {
        uint64_t weights = 0, length_ns = 60 * SIM_S;

        sim_init(&sim, 2, 3);
        for (unsigned i = 0; i < nr[set]; i++)
            weights += add_fair(levels[set][i], 0)->entity.weight;
        sim_run(&sim, length_ns);
        assert_nothing_wrong(3);
        for (unsigned i = 0; i < nr[set]; i++) {
            uint64_t share = 2 * length_ns * sim.threads[i].entity.weight / weights;

            print_message("nice %d: %lu of %lu ms\n", levels[set][i],
                          (unsigned long)(sim.threads[i].cpu_time_ns / SIM_MS), (unsigned long)(share / SIM_MS));
            assert_true(off_by(sim.threads[i].cpu_time_ns, share) <= 50);
        }
    }
}

/* Whoever waits now and then gets no more than half against one that never does, and that one loses no more than what
 * the other used. */
static void test_sleeper_gains_nothing(void **state)
{
    static const uint64_t lengths[][2] = {
        {SIM_MS, SIM_MS / 10}, {4 * SIM_MS, SIM_MS}, {40 * SIM_MS, 1000}, {SIM_MS / 2, 1}, {10 * SIM_MS, 10 * SIM_MS}};

    for (unsigned i = 0; i < 5; i++) {
        struct sim_thread *hog, *sleeper;

        sim_init(&sim, 1, 11 + i);
        hog = add_fair(0, 0);
        sleeper = add_fair(0, 0);
        sleeper->run_max_ns = lengths[i][0];
        sleeper->wait_max_ns = lengths[i][1];
        sim_run(&sim, 20 * SIM_S);
        assert_nothing_wrong(11 + i);
        print_message("runs up to %lu us, waits up to %lu: %lu against %lu ms\n", (unsigned long)lengths[i][0] / 1000,
                      (unsigned long)lengths[i][1] / 1000, (unsigned long)(sleeper->cpu_time_ns / SIM_MS),
                      (unsigned long)(hog->cpu_time_ns / SIM_MS));
        assert_true(sleeper->cpu_time_ns <= 10 * SIM_S + 10 * SIM_MS);
        assert_true(hog->cpu_time_ns + sleeper->cpu_time_ns == 20 * SIM_S);
    }
}

static void make_random_thread(uint64_t *seed, unsigned nr_cpus)
{
    bool is_fifo = random_below(seed, 6) == 0;
    struct sched_policy policy = {is_fifo ? SCHED_FIFO : SCHED_FAIR, (int)random_below(seed, 40) - 20,
                                  1 + (unsigned)random_below(seed, 99)};
    struct sim_thread *thread = sim_add(&sim, &policy, (uint32_t)random_below(seed, nr_cpus));

    if (is_fifo) { /* little, or the others do starve */
        thread->run_max_ns = 1 + random_below(seed, SIM_MS);
        thread->wait_max_ns = 100 * SIM_MS;
    } else if (random_below(seed, 3) != 0) {
        thread->run_max_ns = 1 + random_below(seed, 10 * SIM_MS);
        thread->wait_max_ns = 1 + random_below(seed, 20 * SIM_MS);
        thread->yields = random_below(seed, 4) == 0;
    }
    thread->run_left_ns = thread->run_max_ns;
    if (random_below(seed, 4) == 0) {
        cpu_mask_clear_all(&thread->allowed);
        cpu_mask_set(&thread->allowed, thread->cpu);
    }
}

/* Nice level, class and priority of anybody, at any time. */
static void change_somebody(uint64_t *seed)
{
    struct sim_thread *thread = &sim.threads[random_below(seed, sim.nr_threads)];
    struct sched_policy policy = sched_entity_policy(&thread->entity);

    policy.nice = (int)random_below(seed, 40) - 20;
    if (policy.class == SCHED_FIFO)
        policy.priority = 1 + (unsigned)random_below(seed, 99);
    sim_set_policy(&sim, thread, &policy);
}

/* A fair thread waits no longer than for a few rounds of everybody's slices, in proportion to its weight. */
static void assert_nobody_starved(uint64_t seed)
{
    for (uint32_t i = 0; i < sim.nr_threads; i++) {
        const struct sim_thread *thread = &sim.threads[i];
        uint64_t weights = (uint64_t)nice_weight(NICE_MIN) * sim.nr_threads;
        uint64_t longest = 2 * SLICE_NS * weights / nice_weight(NICE_MAX) + 100 * SIM_MS, waits = 0;

        if (thread->entity.state == ENTITY_QUEUED)
            waits = sim.now - (thread->runnable_ns > thread->last_ran_ns ? thread->runnable_ns : thread->last_ran_ns);
        if (waits > longest || thread->longest_wait_ns > longest)
            fail_msg("seed %lu: thread %u of nice %d has waited for %lu ms", (unsigned long)seed, i,
                     thread->entity.nice,
                     (unsigned long)((waits > longest ? waits : thread->longest_wait_ns) / SIM_MS));
    }
}

static void run_random(uint64_t seed)
{
    uint64_t state = seed * 7919 + 1;
    unsigned nr_cpus = 1 + (unsigned)random_below(&state, SIM_CPUS_MAX);
    unsigned nr_threads = 1 + (unsigned)random_below(&state, 24);

    sim_init(&sim, nr_cpus, state);
    for (unsigned i = 0; i < nr_threads; i++)
        make_random_thread(&state, nr_cpus);
    for (unsigned i = 0; i < 100 && sim_wrong == NULL; i++) {
        sim_run(&sim, random_below(&state, 20 * SIM_MS));
        change_somebody(&state);
    }
    assert_nothing_wrong(seed);
    assert_nobody_starved(seed);
}

static void test_random_machines(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        run_random(seed);
}

static void allow_somebody(uint64_t *seed)
{
    struct sim_thread *thread = &sim.threads[random_below(seed, sim.nr_threads)];
    struct cpu_mask allowed = {0};

    cpu_mask_set(&allowed, (uint32_t)random_below(seed, sim.nr_cpus));
    cpu_mask_set(&allowed, (uint32_t)random_below(seed, sim.nr_cpus));
    sim_set_affinity(&sim, thread, &allowed);
}

/* More FIFO threads than CPUs that run and wait in short turns, some only where they are, beside fair ones. */
static void make_fifo_threads(unsigned nr_cpus, uint64_t seed)
{
    for (unsigned i = 0; i < 3 * nr_cpus; i++) {
        struct sched_policy policy = {i < nr_cpus ? SCHED_FAIR : SCHED_FIFO, 0, 1 + (unsigned)seed % 5 + i % 7};
        struct sim_thread *thread = sim_add(&sim, &policy, i % nr_cpus);

        thread->run_max_ns = thread->run_left_ns = policy.class == SCHED_FAIR ? 0 : SIM_MS;
        thread->wait_max_ns = SIM_MS;
        thread->yields = i % 5 == 4;
        if (i % 3 == 2) {
            cpu_mask_clear_all(&thread->allowed);
            cpu_mask_set(&thread->allowed, thread->cpu);
        }
    }
}

/* That none waits while another CPU runs a less urgent one the simulator sees after each event. */
static void test_fifo_on_several_cpus(void **state)
{
    uint64_t nr_pushes = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed;
        unsigned nr_cpus = 2 + (unsigned)seed % 7;

        sim_init(&sim, nr_cpus, seed);
        make_fifo_threads(nr_cpus, seed);
        for (unsigned i = 0; i < 200 && sim_wrong == NULL; i++) {
            sim_run(&sim, random_below(&random, SIM_MS));
            change_somebody(&random);
        }
        assert_nothing_wrong(seed);
        nr_pushes += sim.nr_pushes;
    }
    print_message("%lu FIFO threads pushed\n", (unsigned long)nr_pushes);
    assert_in_range(nr_pushes, 1000, UINT64_MAX);
}

/* The same where CPUs look some time after they were told, as with interrupts or preemption off: who is to run next
 * there may be lowered or moved, or another thread come, meanwhile. */
static void test_fifo_where_cpus_look_late(void **state)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t random = seed;
        unsigned nr_cpus = 2 + (unsigned)seed % 3;

        sim_init(&sim, nr_cpus, seed);
        sim.tell_max_ns = (uint32_t)SIM_MS / 4;
        make_fifo_threads(nr_cpus, seed);
        for (unsigned i = 0; i < 500 && sim_wrong == NULL; i++) {
            sim_run(&sim, random_below(&random, SIM_MS / 4));
            change_somebody(&random);
            allow_somebody(&random);
        }
        assert_nothing_wrong(seed);
    }
}

/* Three threads that wait most of the time, two at the same time now and then: whoever finds one that runs is handed
 * over, and none is given more for it. */
static void test_handed_over_in_turn(void **state)
{
    sim_init(&sim, 1, 5);
    for (unsigned i = 0; i < 3; i++) {
        struct sim_thread *thread = add_fair(0, 0);

        thread->run_max_ns = thread->run_left_ns = 10000;
        thread->wait_max_ns = 20000;
    }
    sim_run(&sim, SIM_S);
    assert_nothing_wrong(5);
    print_message("%lu handed over in %lu switches\n", (unsigned long)sim.nr_hand_overs,
                  (unsigned long)sim.nr_switches);
    assert_in_range(sim.nr_hand_overs, 1000, UINT64_MAX);
    for (unsigned i = 0; i < 3; i++)
        assert_true(off_by(sim.threads[i].cpu_time_ns, (SIM_S - sim.idle_ns) / 3) <= 20);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_on_one_cpu),          cmocka_unit_test(test_equal_on_several_cpus),
        cmocka_unit_test(test_all_nice_levels_pairwise),  cmocka_unit_test(test_nice_levels_on_several_cpus),
        cmocka_unit_test(test_sleeper_gains_nothing),     cmocka_unit_test(test_random_machines),
        cmocka_unit_test(test_handed_over_in_turn),       cmocka_unit_test(test_fifo_on_several_cpus),
        cmocka_unit_test(test_fifo_where_cpus_look_late),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

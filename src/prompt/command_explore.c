/* explore TEST [at=N] [seed=S] [most=N] [seeds=N]: one test under many schedules. Only in builds with CONFIG_EXPLORE.
 */
#include "dispatch.h"

#include <base/errno.h>
#include <cpu/percpu.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/panic.h>
#include <debug/test.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <sched/explore.h>
#include <time/clock.h>
#include <time/timer.h>

#define MOST_POINTS 2000u /* one run each, unless told otherwise */
#define NR_SEEDS    16u   /* runs with random switches */
#define FIRST_SEED  1u
#define ONE_IN      4u

#define PATIENCE_NS (20 * NS_PER_S) /* for one run: one that lost a wake-up would never end */

struct exploration {
    const char *test;
    struct explore_plan plan;
    struct explore_result result;
    struct timer watch;
};

struct wishes {
    uint64_t at, seed, most, seeds;
};

static void give_up(struct timer *watch)
{
    const struct exploration *exploration = CONTAINER_OF(watch, struct exploration, watch);

    panic("explore: test %s has not ended in %lu s: explore %s at=%lu seed=%lu", exploration->test,
          (uint64_t)(PATIENCE_NS / NS_PER_S), exploration->test, exploration->plan.at, exploration->plan.seed);
}

static void begin(void *context)
{
    struct exploration *exploration = context;

    /* In the log, so that a report shows which run it was. */
    log_debug("explore %s at=%lu seed=%lu", exploration->test, exploration->plan.at, exploration->plan.seed);
    timer_init(&exploration->watch, give_up);
    timer_set(&exploration->watch, clock_now_ns() + PATIENCE_NS);
    explore_begin(&exploration->plan);
}

static void end(void *context)
{
    struct exploration *exploration = context;

    exploration->result = explore_end();
    (void)timer_cancel(&exploration->watch);
}

/* 0, COMMAND_FAILED where the test failed, or a negative error. */
static int run_once(struct exploration *exploration)
{
    const char *text;
    int error = test_run_between(exploration->test,
                                 &(struct test_bracket){.begin = begin, .end = end, .context = exploration}, &text);

    if (error < 0)
        return command_error(error, "no test is named '%s'", exploration->test);
    if (!text)
        return 0;
    dispatch_error("%s: %s", exploration->test, text);
    console_printf("again with: explore %s at=%lu seed=%lu\n", exploration->test, exploration->plan.at,
                   exploration->plan.seed);
    return COMMAND_FAILED;
}

/* Every place of the run without any switch, up to the most wished. */
static int run_each(struct exploration *exploration, uint64_t most, uint64_t *nr_runs)
{
    uint64_t nr_points;
    int error = run_once(exploration);

    nr_points = exploration->result.nr_points;
    for (uint64_t at = 1; at <= nr_points && at <= most && !error; at++) {
        exploration->plan.at = at;
        error = run_once(exploration);
        *nr_runs += exploration->result.nr_switches;
    }
    if (!error && nr_points > most)
        console_printf("explore: %s comes to %lu places, of which the first %lu were tried\n", exploration->test,
                       nr_points, most);
    return error;
}

static int run_seeds(struct exploration *exploration, uint64_t nr_seeds, uint64_t *nr_switches)
{
    int error = 0;

    exploration->plan = (struct explore_plan){.one_in = ONE_IN};
    for (uint64_t n = 0; n < nr_seeds && !error; n++) {
        exploration->plan.seed = FIRST_SEED + n;
        error = run_once(exploration);
        *nr_switches += exploration->result.nr_switches;
    }
    return error;
}

/* One run of those that explore_all makes, after the same beginning: a first run fills caches. */
static int explore_one(struct exploration *exploration, const struct wishes *wishes)
{
    int error = run_once(exploration);

    if (error)
        return error;
    exploration->plan = (struct explore_plan){.at = wishes->at, .seed = wishes->seed, .one_in = ONE_IN};
    return run_once(exploration);
}

static int explore_all(struct exploration *exploration, const struct wishes *wishes)
{
    uint64_t nr_runs = 0, nr_switches = 0;
    int error = run_each(exploration, wishes->most, &nr_runs);

    if (!error)
        error = run_seeds(exploration, wishes->seeds, &nr_switches);
    if (!error)
        console_printf(
            "explore: %s passed with a switch at each of %lu places, and with %lu at random in %lu runs from "
            "seed %u\n",
            exploration->test, nr_runs, nr_switches, wishes->seeds, FIRST_SEED);
    return error;
}

static int read_wish(const char *word, struct wishes *wishes)
{
    const struct {
        const char *key;
        uint64_t *value;
    } keys[] = {{"at=", &wishes->at}, {"seed=", &wishes->seed}, {"most=", &wishes->most}, {"seeds=", &wishes->seeds}};

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        size_t length = strlen(keys[i].key);

        if (strncmp(word, keys[i].key, length) == 0)
            return parse_u64(word + length, keys[i].value);
    }
    return -EINVAL;
}

static int run_explore(int argc, char **argv)
{
    struct wishes wishes = {.most = MOST_POINTS, .seeds = NR_SEEDS};
    struct exploration exploration = {0};

    if (argc < 2)
        return -EINVAL;
    for (int i = 2; i < argc; i++)
        if (read_wish(argv[i], &wishes) < 0)
            return command_error(-EINVAL, "'%s' is none of at=N, seed=N, most=N and seeds=N", argv[i]);
    if (percpu_nr_cpus() != 1)
        return command_error(-ENOTSUP, "schedules can be repeated on one CPU only: boot with keel.cpus=1");
    exploration.test = argv[1];
    if (wishes.at == 0 && wishes.seed == 0)
        return explore_all(&exploration, &wishes);
    return explore_one(&exploration, &wishes);
}

static const char *complete(unsigned n)
{
    return test_name(n);
}

COMMAND(explore, .name = "explore", .arguments = "TEST [at=N] [seed=N] [most=N] [seeds=N]",
        .summary = "run a test with a thread switch forced at every place", .run = run_explore, .complete = complete,
        .details = "Runs TEST once for each place at which another thread could come in, with a switch to another\n"
                   "thread forced there, for the first 2000 places (most=); then 16 times (seeds=) with switches at\n"
                   "one place in four, drawn from a seed. at= and seed= repeat one run, as a failure names it.\n"
                   "With keel.loglevel=debug each run is told before it begins.");

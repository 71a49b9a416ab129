/* Lines that several CPUs log and print at the same time: each comes out whole, once, and no line holds two. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/test.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/timer.h>

#define WRITERS_MAX 4u
#define ROUNDS      12u
#define LETTERS     48u /* of a line: many writes of a device */
#define LINE_MAX    (LOG_TEXT_MAX + 64)
#define TAG         "two CPUs: "

enum kind { LOGGED, PRINTED, NR_KINDS };

struct writer {
    struct thread *thread;
    unsigned number;
};

/* What the console under test was given; the console's lock protects it. It stays registered, silent between tests. */
static struct {
    char line[LINE_MAX]; /* [console lock] as far as it has come */
    size_t length;       /* [console lock] */
    unsigned seen[WRITERS_MAX][ROUNDS][NR_KINDS];
    unsigned nr_broken; /* lines with the tag that are no writer's, or two */
} captured;             /* [console lock] */

static uint32_t nr_ready;   /* [a] */
static unsigned nr_writers; /* [I] while they run */

static void make_line(char *line, size_t size, unsigned writer, unsigned round, enum kind kind)
{
    int length = snprintf(line, size, TAG "%c%u.%u ", kind == LOGGED ? 'l' : 'p', writer, round);

    memset(line + length, 'a' + (int)(writer * 5 + round) % 26, LETTERS);
    line[length + (int)LETTERS] = '\0';
}

static const char *find_tag(const char *line)
{
    return strstr(line, TAG);
}

/* The tail of a captured line without colours and the carriage return. */
static bool begins_with_whole(const char *at, const char *expected)
{
    size_t length = strlen(expected);

    return strncmp(at, expected, length) == 0 && (at[length] == '\0' || at[length] == '\r' || at[length] == '\033');
}

static bool is_one_of_ours(const char *at)
{
    for (unsigned i = 0; i < nr_writers * ROUNDS * NR_KINDS; i++) {
        unsigned writer = i / (ROUNDS * NR_KINDS), round = i / NR_KINDS % ROUNDS;
        char expected[LINE_MAX];

        make_line(expected, sizeof(expected), writer, round, (enum kind)(i % NR_KINDS));
        if (!begins_with_whole(at, expected))
            continue;
        captured.seen[writer][round][i % NR_KINDS]++;
        return true;
    }
    return false;
}

static void look_at_line(void)
{
    const char *at = find_tag(captured.line);

    if (at && (find_tag(at + 1) || !is_one_of_ours(at)))
        captured.nr_broken++;
}

static void capture_write(struct console *console, const char *bytes, size_t length)
{
    (void)console;
    for (; length > 0; length--, bytes++) {
        if (*bytes != '\n' && captured.length < sizeof(captured.line) - 1) {
            captured.line[captured.length++] = *bytes;
            continue;
        }
        captured.line[captured.length] = '\0';
        look_at_line();
        captured.length = 0;
    }
}

static struct console capture = {.name = "two CPUs", .write = capture_write};

static int write_lines(void *argument)
{
    const struct writer *writer = argument;
    char line[LINE_MAX];

    __atomic_fetch_add(&nr_ready, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&nr_ready, __ATOMIC_RELAXED) < nr_writers)
        thread_yield();
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_line(line, sizeof(line), writer->number, round, LOGGED);
        log_info("%s", line);
        make_line(line, sizeof(line), writer->number, round, PRINTED);
        console_printf("%s\n", line);
    }
    return 0;
}

static int start(struct writer *writer, unsigned number)
{
    struct cpu_mask only = {0};

    writer->number = number;
    cpu_mask_set(&only, number % smp_nr_online());
    return thread_create(&writer->thread, &(struct thread_options){.name = "writer", .affinity = &only}, write_lines,
                         writer);
}

static void write_at_once(void)
{
    struct writer writers[WRITERS_MAX] = {0};
    int error = 0;

    for (unsigned i = 0; i < nr_writers && error == 0; i++)
        error = start(&writers[i], i);
    if (error != 0)
        __atomic_store_n(&nr_ready, nr_writers, __ATOMIC_RELAXED); /* those there are do not wait for the others */
    for (unsigned i = 0; i < nr_writers; i++)
        if (writers[i].thread && thread_join(writers[i].thread, NULL) != 0)
            error = -EIO;
    EXPECT_EQ(error, 0);
}

static void begin(void)
{
    static bool is_registered; /* [prompt] */

    memset(&captured, 0, sizeof(captured));
    nr_writers = smp_nr_online() > WRITERS_MAX ? WRITERS_MAX : smp_nr_online() > 1 ? smp_nr_online() : 2;
    __atomic_store_n(&nr_ready, 0, __ATOMIC_RELAXED);
    capture.is_prompt_only = capture.is_silent = false;
    if (!is_registered)
        console_register(&capture);
    is_registered = true;
}

KERNEL_TEST(log_cpus, "log/lines_of_several_cpus_are_not_mixed")
{
    enum log_level before = log_set_console_level(LOG_INFO);

    begin();
    console_printf("\n"); /* behind the test's name */
    write_at_once();
    log_info("the last line"); /* what others left to be written is written with it */
    capture.is_prompt_only = capture.is_silent = true;
    (void)log_set_console_level(before);
    EXPECT_EQ(captured.nr_broken, 0);
    for (unsigned writer = 0; writer < nr_writers; writer++)
        for (unsigned round = 0; round < ROUNDS; round++)
            for (unsigned kind = 0; kind < NR_KINDS; kind++)
                EXPECT_EQ(captured.seen[writer][round][kind], 1);
}

/* A console that keeps its writer until the FIFO thread runs. The steps of the test, each set once. */
static struct {
    bool is_held, is_waited_for, is_fifo_running, is_second_seen, is_in_time, is_over; /* [a] */
} turn;

static void set(bool *step)
{
    __atomic_store_n(step, true, __ATOMIC_RELEASE);
}

/* False where it does not come. */
static bool wait_for(const bool *step, uint64_t patience_ns)
{
    uint64_t end_ns = clock_now_ns() + patience_ns;

    while (!__atomic_load_n(step, __ATOMIC_ACQUIRE) && clock_now_ns() < end_ns)
        cpu_relax();
    return __atomic_load_n(step, __ATOMIC_ACQUIRE);
}

static void hold_write(struct console *console, const char *bytes, size_t length)
{
    char line[LINE_MAX];

    (void)console;
    strlcpy(line, bytes, length < sizeof(line) ? length + 1 : sizeof(line));
    if (strstr(line, "turn: first")) {
        set(&turn.is_held);
        (void)wait_for(&turn.is_fifo_running, NS_PER_S);
    }
    if (strstr(line, "turn: second"))
        set(&turn.is_second_seen);
}

static struct console hold = {.name = "hold", .write = hold_write};

static int log_first_and_second(void *argument)
{
    (void)argument;
    log_info("turn: first");
    log_info("turn: second");
    if (wait_for(&turn.is_second_seen, 2 * NS_PER_S))
        set(&turn.is_in_time);
    set(&turn.is_over);
    return 0;
}

static int print_between(void *argument)
{
    (void)argument;
    (void)wait_for(&turn.is_held, NS_PER_S);
    set(&turn.is_waited_for);
    console_printf("turn: printed\n");
    return 0;
}

/* Asleep until the other one waits for the consoles. */
static int take_cpu(void *argument)
{
    uint64_t end_ns = clock_now_ns() + NS_PER_S;

    (void)argument;
    while (!__atomic_load_n(&turn.is_waited_for, __ATOMIC_ACQUIRE) && clock_now_ns() < end_ns)
        sleep_ns(NS_PER_MS);
    sleep_ns(10 * NS_PER_MS);
    set(&turn.is_fifo_running);
    (void)wait_for(&turn.is_over, 4 * NS_PER_S);
    return 0;
}

static int start_on(struct thread **thread, uint32_t cpu, thread_function function, enum sched_class class)
{
    struct thread_options options = {.name = "turn", .class = class, .priority = class == SCHED_FIFO ? 1 : 0};
    struct cpu_mask only = {0};

    cpu_mask_set(&only, cpu);
    options.affinity = &only;
    return thread_create(thread, &options, function, NULL);
}

static int run_turn(void)
{
    struct thread *threads[3] = {0};
    int error = start_on(&threads[0], 1, take_cpu, SCHED_FIFO);

    if (error == 0)
        error = start_on(&threads[1], 1, print_between, SCHED_FAIR);
    if (error == 0)
        error = start_on(&threads[2], 0, log_first_and_second, SCHED_FAIR);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        if (threads[i] && thread_join(threads[i], NULL) != 0)
            error = -EIO;
    return error;
}

/* What others log goes on being shown. */
KERNEL_TEST(log_waiter, "log/a_thread_that_waits_for_the_consoles_and_loses_its_cpu_holds_up_nobody")
{
    static bool is_registered; /* [prompt] */
    enum log_level before;

    if (smp_nr_online() < 2)
        return;
    before = log_set_console_level(LOG_INFO);
    memset(&turn, 0, sizeof(turn));
    hold.is_prompt_only = hold.is_silent = false;
    if (!is_registered)
        console_register(&hold);
    is_registered = true;
    EXPECT_EQ(run_turn(), 0);
    hold.is_prompt_only = hold.is_silent = true;
    (void)log_set_console_level(before);
    EXPECT(turn.is_waited_for && turn.is_fifo_running);
    EXPECT(turn.is_in_time);
}

/* Lines that several CPUs log and print at the same time: each comes out whole, once, and no line holds two. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/test.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/thread.h>
#include <smp/cpu.h>

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

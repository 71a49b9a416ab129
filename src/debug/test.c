/* The test runner. It allocates nothing itself, so what the counters show is the tests' own. */
#include <debug/test.h>

#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/format.h>
#include <lib/string.h>

#define FAILURE_TEXT_MAX 256

/* The failures of the running test. The first one's text is kept; the others are counted. */
static struct {
    uint32_t count; /* [a] who makes it 1 writes text */
    char text[FAILURE_TEXT_MAX];
} failure; /* [a] as its fields say */

static unsigned failed_since_boot; /* [prompt] tests, not failures in them */

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    int length;

    /* Relaxed: text is read after the test has returned, on the CPU that ran it. */
    if (__atomic_fetch_add(&failure.count, 1, __ATOMIC_RELAXED) > 0)
        return;
    length = snprintf(failure.text, sizeof(failure.text), "%s:%d ", file, line);
    if (length < 0 || (size_t)length >= sizeof(failure.text))
        return;
    va_start(arguments, format);
    vsnprintf(failure.text + length, sizeof(failure.text) - (size_t)length, format, arguments);
    va_end(arguments);
}

unsigned test_failures(void)
{
    return failed_since_boot;
}

/* [I] after boot; NULL: there is this CPU alone */
static void (*on_each_cpu)(void (*function)(void *argument), void *argument);

INIT void test_set_each_cpu(void (*call_all)(void (*function)(void *argument), void *argument))
{
    on_each_cpu = call_all;
}

static void settle_this_cpu(void *argument)
{
    const struct test_settle_cpu *settle = *(const struct test_settle_cpu **)argument;

    settle->run();
}

static void settle_each_cpu(const struct test_settle_cpu *settle)
{
    if (on_each_cpu)
        on_each_cpu(settle_this_cpu, &settle);
    else
        settle_this_cpu(&settle);
}

/* Twice: what one gives back may go to another's cache. */
static void settle_counters(void)
{
    for (unsigned round = 0; round < 2; round++) {
        for (const struct test_counter *counter = __table_test_counters_start; counter < __table_test_counters_end;
             counter++) {
            if (counter->settle)
                counter->settle();
        }
        for (const struct test_settle_cpu *settle = __table_test_settle_cpus_start;
             settle < __table_test_settle_cpus_end; settle++)
            settle_each_cpu(settle);
    }
}

void test_counters_note(void)
{
    settle_counters();
    for (const struct test_counter *counter = __table_test_counters_start; counter < __table_test_counters_end;
         counter++)
        *counter->before = counter->read();
}

bool test_counters_compare(char *text, size_t size)
{
    size_t length = 0;

    settle_counters();
    for (const struct test_counter *counter = __table_test_counters_start; counter < __table_test_counters_end;
         counter++) {
        uint64_t after = counter->read();

        if (after != *counter->before && length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%s %lu -> %lu", length > 0 ? ", " : "",
                                       counter->name, *counter->before, after);
    }
    return length == 0;
}

/* One failure names all counters that differ. */
static void compare_counters(void)
{
    char text[FAILURE_TEXT_MAX / 2];

    if (!test_counters_compare(text, sizeof(text)))
        test_fail(__FILE_NAME__, __LINE__, "not as before: %s", text);
}

static void no_bracket(void *context)
{
    (void)context;
}

static void run_between(const struct kernel_test *test, const struct test_bracket *bracket)
{
    failure.count = 0;
    test_counters_note();
    bracket->begin(bracket->context);
    test->run();
    bracket->end(bracket->context);
    compare_counters();
}

/* Returns true when the test passed. */
static bool run(const struct kernel_test *test)
{
    console_printf("test %s ... ", test->name);
    run_between(test, &(struct test_bracket){.begin = no_bracket, .end = no_bracket});
    if (failure.count == 0)
        console_printf("ok\n");
    else if (failure.count == 1)
        console_printf("FAIL %s\n", failure.text);
    else
        console_printf("FAIL %s (and %u more)\n", failure.text, failure.count - 1);
    failed_since_boot += failure.count > 0;
    return failure.count == 0;
}

static bool is_hidden(const struct kernel_test *test)
{
    return strncmp(test->name, TEST_HIDDEN_PREFIX, strlen(TEST_HIDDEN_PREFIX)) == 0 ||
           strncmp(test->name, TEST_EXACT_PREFIX, strlen(TEST_EXACT_PREFIX)) == 0;
}

static const struct kernel_test *find(const char *name)
{
    for (const struct kernel_test *test = __table_tests_start; test < __table_tests_end; test++) {
        if (strcmp(test->name, name) == 0)
            return test;
    }
    return NULL;
}

int test_run_between(const char *name, const struct test_bracket *bracket, const char **text)
{
    const struct kernel_test *test = find(name);

    if (!test)
        return -ENOENT;
    run_between(test, bracket);
    *text = failure.count > 0 ? failure.text : NULL;
    return 0;
}

/* A name that is a test's own selects that one alone, also where other names begin with it. */
static bool is_selected_by(const struct kernel_test *test, const char *name)
{
    if (find(name))
        return strcmp(test->name, name) == 0;
    return !is_hidden(test) && strncmp(test->name, name, strlen(name)) == 0;
}

static bool is_selected(const struct kernel_test *test, int nr_names, char **names)
{
    if (nr_names == 0)
        return !is_hidden(test);
    for (int i = 0; i < nr_names; i++) {
        if (is_selected_by(test, names[i]))
            return true;
    }
    return false;
}

static bool selects_something(const char *name)
{
    for (const struct kernel_test *test = __table_tests_start; test < __table_tests_end; test++) {
        if (is_selected_by(test, name))
            return true;
    }
    return false;
}

/* The table is in link order; tests run in the order of their names. */
static const struct kernel_test *next_by_name(const struct kernel_test *before)
{
    const struct kernel_test *next = NULL;

    for (const struct kernel_test *test = __table_tests_start; test < __table_tests_end; test++) {
        if ((!before || strcmp(test->name, before->name) > 0) && (!next || strcmp(test->name, next->name) < 0))
            next = test;
    }
    return next;
}

const char *test_name(unsigned n)
{
    const struct kernel_test *test = NULL;

    do {
        test = next_by_name(test);
    } while (test && (is_hidden(test) || n-- > 0));
    return test ? test->name : NULL;
}

int test_run(int nr_names, char **names, struct test_totals *totals)
{
    struct test_totals counted = {0};

    for (int i = 0; i < nr_names; i++) {
        if (!selects_something(names[i])) {
            return command_error(-ENOENT, "no test is named '%s', or begins so", names[i]);
        }
    }
    for (const struct kernel_test *test = next_by_name(NULL); test; test = next_by_name(test)) {
        if (!is_selected(test, nr_names, names))
            continue;
        if (run(test))
            counted.passed++;
        else
            counted.failed++;
    }
    console_printf("%u passed, %u failed\n", counted.passed, counted.failed);
    *totals = counted;
    return 0;
}

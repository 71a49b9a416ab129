/* The lock checker's findings in words: a fault report with both stacks of every order that is part of it. */
#include <sync/lockdep_report.h>

#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/backtrace.h>
#include <debug/known_stacks.h>
#include <debug/log.h>
#include <debug/report.h>
#include <debug/symbols.h>
#include <debug/test.h>
#include <lib/format.h>

#define WORDS_MAX 400
#define NS_PER_MS 1000000u

static enum lockdep_action action = LOCKDEP_PANIC; /* [I] after boot */
static uint64_t nr_findings;                       /* [a] */
static lockdep_observer test_observer;             /* [I] but while a test runs */

void lockdep_set_action(enum lockdep_action new_action)
{
    action = new_action;
}

uint64_t lockdep_nr_findings(void)
{
    return __atomic_load_n(&nr_findings, __ATOMIC_RELAXED);
}

TEST_COUNTER(lockdep, "findings of the lock checker", NULL, lockdep_nr_findings);

void lockdep_set_observer(lockdep_observer observer)
{
    WRITE_ONCE(test_observer, observer);
}

bool lockdep_find_stack(uint64_t address, uint64_t *low, uint64_t *high)
{
    struct known_stack stack;

    if (!known_stack_find(address, &stack))
        return false;
    *low = stack.low;
    *high = stack.high;
    return true;
}

void lockdep_tell_full(const char *why)
{
    log_warn("lockdep: %s: not every order is known from here on", why);
}

void lockdep_name_function(char *name, size_t size, const char *kind, uintptr_t function)
{
    struct symbol_location location;

    if (symbol_lookup(function, &location) == 0)
        snprintf(name, size, "%s %s()", kind, location.function);
    else
        snprintf(name, size, "%s 0x%lx", kind, (unsigned long)function);
}

static const char *const usage_words[LOCK_NR_USAGES] = {
    [LOCK_TAKEN_IN_INTERRUPT] = "taken in an interrupt",
    [LOCK_TAKEN_IN_DEFERRED] = "taken in deferred work",
    [LOCK_OPEN_IN_THREAD] = "held elsewhere with interrupts on",
    [LOCK_OPEN_IN_DEFERRED] = "held in deferred work with interrupts on",
};

static size_t append(char *words, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static size_t append(char *words, size_t at, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(words + at, WORDS_MAX - at, format, arguments);
    va_end(arguments);
    at += (size_t)length;
    return at < WORDS_MAX ? at : WORDS_MAX - 1;
}

static void say_circle(char *words, const struct lock_finding *f)
{
    size_t at = append(words, 0, "lock order: circle of %u: '%s'", f->nr_path + 1, f->taken->name);

    for (unsigned i = 0; i < f->nr_path && i < LOCK_PATH_MAX; i++)
        at = append(words, at, " -> '%s'", f->path[i]->to->name);
    append(words, at, "%s -> '%s'", f->nr_path > LOCK_PATH_MAX ? " ..." : "", f->taken->name);
}

static void say_interrupt(char *words, const struct lock_finding *f)
{
    if (f->safe == f->open)
        append(words, 0, "lock and interrupts: '%s' is %s, and %s", f->safe->name, usage_words[f->safe_usage],
               usage_words[f->open_usage]);
    else
        append(words, 0, "lock and interrupts: '%s' is %s, and held while '%s' is taken, which is %s", f->safe->name,
               usage_words[f->safe_usage], f->open->name, usage_words[f->open_usage]);
}

static void say(char *words, const struct lock_finding *f)
{
    if (f->kind == LOCK_FINDING_CIRCLE)
        say_circle(words, f);
    else if (f->kind == LOCK_FINDING_RANK)
        append(words, 0, "lock order: '%s' of rank %u wanted while '%s' of rank %u is held", f->taken->name,
               f->taken->rank, f->held->name, f->held->rank);
    else if (f->kind == LOCK_FINDING_ONE_CLASS)
        append(words, 0, "lock order: a second lock '%s' wanted, not by number", f->taken->name);
    else
        say_interrupt(words, f);
}

/* A function runs where a lock is held, and is waited for where one is wanted. */
static const char *held_word(const struct lock_class *class)
{
    return class->function ? "running" : "held";
}

static const char *begun_word(const struct lock_class *class)
{
    return class->function ? "begun" : "taken";
}

static const char *taken_word(const struct lock_class *class)
{
    return class->function ? "waited for" : "taken";
}

static const char *wanted_word(const struct lock_class *class)
{
    return class->function ? "waited for" : "wanted";
}

static void write_stack(const char *name, const char *what, const struct lock_stack *stack)
{
    char where[160];

    report_line(" '%s' %s at:", name, what);
    if (!stack)
        report_line("  not known: the checker's memory ran out");
    for (uint32_t i = 0; stack && i < stack->nr_frames; i++) {
        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)stack->frames[i], true);
        report_line("  %s", where);
    }
}

static void write_edge(unsigned number, unsigned count, const struct lock_edge *edge)
{
    report_line("order %u of %u: '%s' %s, '%s' %s, as seen before", number, count, edge->from->name,
                held_word(edge->from), edge->to->name, taken_word(edge->to));
    write_stack(edge->from->name, begun_word(edge->from), edge->from_stack);
    write_stack(edge->to->name, taken_word(edge->to), edge->to_stack);
}

static void write_path(const struct lock_finding *f, unsigned first, unsigned count)
{
    unsigned known = f->nr_path < LOCK_PATH_MAX ? f->nr_path : LOCK_PATH_MAX;

    for (unsigned i = 0; i < known; i++)
        write_edge(first + i, count, f->path[i]);
    if (known < f->nr_path)
        report_line("order: %u more are not shown", f->nr_path - known);
}

static void write_orders(const struct lock_finding *f)
{
    unsigned count = f->kind == LOCK_FINDING_CIRCLE ? f->nr_path + 1 : 1;

    report_line("order 1 of %u: '%s' %s, '%s' %s, now", count, f->held->name, held_word(f->held), f->taken->name,
                wanted_word(f->taken));
    write_stack(f->held->name, begun_word(f->held), f->held_stack);
    write_stack(f->taken->name, wanted_word(f->taken), f->taken_stack);
    if (f->kind == LOCK_FINDING_CIRCLE)
        write_path(f, 2, count);
}

static void write_usages(const struct lock_finding *f)
{
    report_line("usage 1 of 2: '%s' is %s", f->safe->name, usage_words[f->safe_usage]);
    write_stack(f->safe->name, "taken", f->safe->usage_stacks[f->safe_usage]);
    report_line("usage 2 of 2: '%s' is %s", f->open->name, usage_words[f->open_usage]);
    write_stack(f->open->name, "taken", f->open->usage_stacks[f->open_usage]);
    write_path(f, 1, f->nr_path);
    report_line("advice: take '%s' with an irqsave form everywhere", f->open->name);
}

static void write_details(const void *argument)
{
    const struct lock_finding *f = argument;

    if (f->kind == LOCK_FINDING_INTERRUPT)
        write_usages(f);
    else
        write_orders(f);
}

/* The caller's registers, as far as they are still known. */
static void make_callers_frame(struct trap_frame *frame, const struct lockdep_caller *caller)
{
    capture_registers(frame);
    frame->rip = (uint64_t)(uintptr_t)caller->return_address;
    frame->rbp = caller->frame[0];
    frame->rsp = (uint64_t)(uintptr_t)(caller->frame + 2);
}

static void warn_of(const char *words, const struct lockdep_caller *caller, void (*details)(const void *),
                    const void *argument)
{
    struct trap_frame frame;

    make_callers_frame(&frame, caller);
    report_notice(&(struct report){
        .frame = &frame, .cr2 = read_cr2(), .class_words = words, .details = details, .details_argument = argument});
}

static void write_held_long(const void *argument)
{
    const struct lock_class *class = argument;

    report_line("hold 1 of 1: '%s' is given back after %lu ms", class->name,
                latency_ticks_to_ns(class->statistics.longest_held) / NS_PER_MS);
    write_stack(class->name, "taken", class->statistics.longest_held_stack);
}

void lockdep_report_held_long(const struct lock_class *class, const struct lockdep_caller *caller)
{
    char words[WORDS_MAX];

    append(words, 0, "held too long: lock '%s', %lu ms", class->name,
           latency_ticks_to_ns(class->statistics.longest_held) / NS_PER_MS);
    warn_of(words, caller, write_held_long, class);
}

static void write_begun(const void *begun)
{
    char where[160];

    format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)begun, true);
    report_line("since: %s", where);
}

void lockdep_report_long(enum latency_kind kind, uint64_t ticks, const void *begun, const struct lockdep_caller *caller)
{
    char words[WORDS_MAX];

    append(words, 0, "off too long: %s, %lu ms", kind == LATENCY_INTERRUPTS_OFF ? "interrupts" : "preemption",
           latency_ticks_to_ns(ticks) / NS_PER_MS);
    warn_of(words, caller, write_begun, begun);
}

void lockdep_report(const struct lock_finding *finding, const struct lockdep_caller *caller)
{
    lockdep_observer observer = READ_ONCE(test_observer);
    char words[WORDS_MAX];
    struct trap_frame frame;

    if (observer) {
        observer(finding);
        return;
    }
    __atomic_fetch_add(&nr_findings, 1, __ATOMIC_RELAXED);
    say(words, finding);
    make_callers_frame(&frame, caller);
    if (action == LOCKDEP_PANIC)
        report_fatal(&(struct report){.frame = &frame,
                                      .cr2 = read_cr2(),
                                      .class_words = words,
                                      .details = write_details,
                                      .details_argument = finding});
    warn_of(words, caller, write_details, finding);
}

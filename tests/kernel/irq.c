/* Interrupts from the controller, taken for real. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/trap_frame.h>
#include <debug/console.h>
#include <debug/log.h>
#include <debug/test.h>
#include <dev/work.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <irq/irq.h>
#include <lib/string.h>
#include <time/clock.h>
#include <time/timer.h>
#include <trap/trap.h>

#include "single_step.h"

static volatile unsigned nr_calls;
static volatile bool irqs_were_on;

static void note_deferred(struct deferred *deferred)
{
    (void)deferred;
    irqs_were_on = irqs_are_enabled();
    nr_calls++;
}

static struct deferred work = DEFERRED_INITIALIZER(note_deferred);

static enum irq_result claim_it(void *context)
{
    (void)context;
    nr_calls++;
    return IRQ_HANDLED;
}

static enum irq_result queue_twice(void *context)
{
    (void)context;
    deferred_queue(&work);
    deferred_queue(&work);
    return IRQ_HANDLED;
}

static enum irq_result disown(void *context)
{
    (void)context;
    nr_calls++;
    return IRQ_NOT_MINE;
}

/* Delivered as soon as interrupts are on; a controller takes a moment. */
static void fire(unsigned vector)
{
    (void)irq_controller()->send_to_self(vector);
    for (unsigned i = 0; i < 1000; i++)
        cpu_relax();
}

/* Each vector that has no owner is counted once by the trap layer, or refused by the controller: below 16, which no
 * APIC may deliver. Nothing is in service afterwards, or the lower ones behind it would not come. */
KERNEL_TEST(irq_all_vectors, "irq/all_256_vectors_fired_at_oneself_are_named")
{
    char name[IRQ_NAME_MAX];

    if (!irq_controller())
        return;
    for (unsigned vector = NR_VECTORS; vector-- > 16;) {
        uint32_t before = trap_unclaimed_count(vector);
        bool has_owner = irq_vector_name(vector, name);

        fire(vector);
        EXPECT_EQ(trap_unclaimed_count(vector), before + (has_owner ? 0 : 1));
        EXPECT(!irq_controller()->is_in_service(vector));
    }
    for (unsigned vector = 16; vector-- > 1;) {
        uint32_t before = trap_unclaimed_count(vector);

        EXPECT(irq_controller()->send_to_self(vector) == -EINVAL || trap_unclaimed_count(vector) == before + 1);
        EXPECT(!irq_controller()->is_in_service(vector));
    }
    EXPECT(irq_controller()->send_to_self(0) == -EINVAL || trap_unclaimed_count(0) == 0);
}

/* Other CPUs may have the same vector for others. */
static bool is_test(const struct irq_statistics *statistics, const struct msi_message *message)
{
    return statistics->vector == (message->data & 0xff) && strcmp(statistics->name, "test") == 0;
}

static uint64_t count_of(const struct msi_message *message)
{
    struct irq_statistics statistics;

    for (unsigned n = 0; irq_statistics(n, &statistics); n++)
        if (is_test(&statistics, message))
            return statistics.handled + statistics.unclaimed;
    return 0;
}

/* At whatever CPU it was assigned to; it was taken when this returns. */
static void raise_and_wait(struct irq *irq, const struct msi_message *message)
{
    uint64_t before = count_of(message), begin_ns = clock_now_ns();

    EXPECT_EQ(irq_raise(irq), 0);
    while (count_of(message) == before && clock_now_ns() - begin_ns < NS_PER_S)
        cpu_relax();
}

KERNEL_TEST(irq_message, "irq/a_message_runs_its_handler_and_ends")
{
    struct msi_message message;
    struct irq *irq;

    if (!irq_controller())
        return;
    EXPECT_EQ(irq_request_msi(claim_it, NULL, "test", &message, &irq), 0);
    nr_calls = 0;
    raise_and_wait(irq, &message);
    raise_and_wait(irq, &message);
    EXPECT_EQ(nr_calls, 2);
    EXPECT_EQ(count_of(&message), 2);
    irq_release(irq);
    EXPECT_EQ(count_of(&message), 0);
}

KERNEL_TEST(irq_deferred, "irq/deferred_work_runs_once_with_interrupts_on")
{
    struct msi_message message;
    struct irq *irq;

    if (!irq_controller())
        return;
    EXPECT_EQ(irq_request_msi(queue_twice, NULL, "test", &message, &irq), 0);
    nr_calls = 0;
    irqs_were_on = false;
    raise_and_wait(irq, &message);
    irq_release(irq);
    deferred_flush(&work);
    EXPECT_EQ(nr_calls, 1);
    EXPECT(irqs_were_on);
}

/* Queued where no interrupt follows, and again by itself. */
static void queue_again(struct deferred *deferred)
{
    irqs_were_on = irqs_are_enabled();
    if (++nr_calls < 3)
        deferred_queue(deferred);
}

KERNEL_TEST(irq_deferred_flush, "irq/flushing_deferred_work_runs_it_to_its_end")
{
    struct deferred again = DEFERRED_INITIALIZER(queue_again);
    uint64_t flags = irq_save();

    nr_calls = 0;
    deferred_queue(&again);
    irq_restore(flags);
    deferred_flush(&again);
    EXPECT_EQ(nr_calls, 3);
    EXPECT(irqs_were_on && irqs_are_enabled());
    EXPECT(!again.is_pending);
    deferred_flush(&again);
    EXPECT_EQ(nr_calls, 3);
}

static struct deferred stepped = DEFERRED_INITIALIZER(note_deferred);
static bool is_left_out; /* pending, and in no queue */
static unsigned nr_steps;

static bool on_step(struct trap_frame *frame)
{
    bool can_be_preempted = (frame->rflags & RFLAGS_IF) && preempt_depth() == 0;

    nr_steps++;
    is_left_out |= can_be_preempted && __atomic_load_n(&stepped.is_pending, __ATOMIC_RELAXED) && !stepped.link.next;
    return true;
}

/* Or who queues it meanwhile would wait for that thread to have its CPU back. */
KERNEL_TEST(irq_deferred_step, "irq/a_thread_that_queues_deferred_work_is_not_preempted_half_way")
{
    stepped.link.next = NULL;
    nr_steps = nr_calls = 0;
    EXPECT_EQ(trap_set_exception_handler(VECTOR_DEBUG, on_step), 0);
    set_trap_flag();
    deferred_queue(&stepped);
    clear_trap_flag();
    EXPECT_EQ(trap_set_exception_handler(VECTOR_DEBUG, NULL), 0);
    deferred_flush(&stepped);
    EXPECT(nr_steps > 0);
    EXPECT_EQ(nr_calls, 1);
    EXPECT(!is_left_out);
}

/* The message's work is queued by an interrupt of the work that runs: it waits for that to end. */
static struct msi_message nested_message;
static volatile unsigned calls_before_end;

static void interrupt_itself(struct deferred *deferred)
{
    (void)deferred;
    fire(nested_message.data & 0xff);
    calls_before_end = nr_calls;
}

KERNEL_TEST(irq_deferred_nests, "irq/deferred_work_of_one_cpu_runs_one_after_the_other")
{
    struct deferred outer = DEFERRED_INITIALIZER(interrupt_itself);
    struct irq *irq;
    int error;

    if (!irq_controller())
        return;
    preempt_disable(); /* all of it on one CPU */
    error = irq_request_msi_to(this_cpu_read(percpu.cpu_number), queue_twice, NULL, "test", &nested_message, &irq);
    nr_calls = 0;
    if (!error) {
        deferred_queue(&outer);
        deferred_flush(&outer);
        irq_release(irq);
    }
    preempt_enable();
    EXPECT_EQ(error, 0);
    EXPECT_EQ(calls_before_end, 0);
    EXPECT_EQ(nr_calls, 1);
}

KERNEL_TEST(irq_unclaimed, "irq/an_interrupt_its_handler_disowns_is_counted")
{
    struct irq_statistics statistics = {0};
    struct msi_message message;
    struct irq *irq;

    if (!irq_controller())
        return;
    EXPECT_EQ(irq_request_msi(disown, NULL, "test", &message, &irq), 0);
    raise_and_wait(irq, &message);
    for (unsigned n = 0; irq_statistics(n, &statistics) && !is_test(&statistics, &message); n++)
        ;
    irq_release(irq);
    EXPECT_EQ(statistics.unclaimed, 1);
    EXPECT_EQ(statistics.handled, 0);
}

static unsigned nr_told, nr_told_locked; /* [console lock] */

static void look_for_locks(struct console *console, const char *bytes, size_t length)
{
    char line[LOG_TEXT_MAX + 64];

    (void)console;
    strlcpy(line, bytes, length < sizeof(line) ? length + 1 : sizeof(line));
    if (!strstr(line, "(test): no handler owns up"))
        return;
    nr_told_locked += this_cpu_read(percpu.held_locks) != NULL;
    __atomic_store_n(&nr_told, nr_told + 1, __ATOMIC_RELEASE);
}

/* It stays registered, silent between tests. */
static void set_listening(bool is_on)
{
    static struct console listener = {.name = "listener", .write = look_for_locks};
    static bool is_registered;
    static enum log_level level_before;

    listener.is_prompt_only = listener.is_silent = !is_on;
    if (is_on)
        level_before = log_set_console_level(LOG_INFO);
    else
        (void)log_set_console_level(level_before);
    if (!is_registered)
        console_register(&listener);
    is_registered = true;
}

/* A console is slow: with the line's lock who releases it would wait for that, with the table's, and so would all. */
KERNEL_TEST(irq_told, "irq/what_is_said_of_a_line_is_said_without_its_lock")
{
    uint64_t end_ns = clock_now_ns() + NS_PER_S;
    struct msi_message message;
    struct irq *irq;

    if (!irq_controller())
        return;
    set_listening(true);
    EXPECT_EQ(irq_request_msi(disown, NULL, "test", &message, &irq), 0);
    nr_told = nr_told_locked = 0;
    raise_and_wait(irq, &message);
    while (__atomic_load_n(&nr_told, __ATOMIC_ACQUIRE) == 0 && clock_now_ns() < end_ns)
        cpu_relax();
    irq_release(irq);
    set_listening(false);
    EXPECT_EQ(nr_told, 1);
    EXPECT_EQ(nr_told_locked, 0);
}

/* GSI 0 is nobody's on a PC (the PIT is at 2): free to be assigned, level-triggered, masked by the test at once. */
KERNEL_TEST(irq_exclusive, "irq/a_second_assignment_of_an_input_is_busy")
{
    struct irq *first, *second;

    if (!irq_controller())
        return;
    EXPECT_EQ(irq_request_gsi(0, IRQ_EDGE, IRQ_ACTIVE_HIGH, 0, claim_it, NULL, "test", &first), 0);
    EXPECT_EQ(irq_request_gsi(0, IRQ_EDGE, IRQ_ACTIVE_HIGH, 0, claim_it, NULL, "test", &second), (uint64_t)-EBUSY);
    EXPECT_EQ(irq_request_gsi(0, IRQ_EDGE, IRQ_ACTIVE_HIGH, IRQ_SHARED, claim_it, NULL, "test", &second),
              (uint64_t)-EBUSY);
    irq_release(first);
    EXPECT_EQ(irq_request_gsi(0, IRQ_LEVEL, IRQ_ACTIVE_HIGH, IRQ_SHARED, claim_it, NULL, "test", &first), 0);
    EXPECT_EQ(irq_request_gsi(0, IRQ_LEVEL, IRQ_ACTIVE_LOW, IRQ_SHARED, claim_it, NULL, "test", &second),
              (uint64_t)-EBUSY);
    EXPECT_EQ(irq_request_gsi(0, IRQ_LEVEL, IRQ_ACTIVE_HIGH, 0, claim_it, NULL, "test", &second), (uint64_t)-EBUSY);
    EXPECT_EQ(irq_request_gsi(0, IRQ_LEVEL, IRQ_ACTIVE_HIGH, IRQ_SHARED, claim_it, NULL, "test", &second), 0);
    irq_release(second);
    irq_release(first);
    EXPECT_EQ(irq_request_gsi(100000, IRQ_EDGE, IRQ_ACTIVE_HIGH, 0, claim_it, NULL, "test", &first), (uint64_t)-ENODEV);
}

static bool has_run(const void *context)
{
    (void)context;
    return nr_calls > 0;
}

static void nothing(struct timer *timer)
{
    (void)timer;
}

/* With an event source the timer's interrupt runs it; without one nothing but who waits can. */
KERNEL_TEST(irq_deferred_by_thread, "irq/deferred_work_of_a_thread_runs_while_it_waits")
{
    uint64_t end_ns = clock_now_ns() + NS_PER_S;
    static struct timer timer = {.function = nothing};

    nr_calls = 0;
    deferred_queue(&work);
    sleep_ns(NS_PER_MS);
    EXPECT_EQ(nr_calls, 1);
    EXPECT(irqs_were_on);
    nr_calls = 0;
    deferred_queue(&work);
    while (!has_run(NULL) && clock_now_ns() < end_ns) {
        timer_set(&timer, clock_now_ns() + NS_PER_MS);
        work_wait(has_run, NULL);
    }
    (void)timer_cancel(&timer);
    EXPECT_EQ(nr_calls, 1);
}

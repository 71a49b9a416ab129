/* System requests, and places to be stuck in: the hidden tests never end, and the scenarios of system_request.py look
 * at them and get out. */
#include <cpu/interrupts.h>
#include <debug/console.h>
#include <debug/sysrq.h>
#include <debug/test.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <irq/irq.h>
#include <sync/spinlock.h>

static unsigned nr_runs;

static void count_run(void)
{
    nr_runs++;
    if (nr_runs == 1) {
        sysrq_ask('z'); /* while it runs: once more, and not on top of itself */
        sysrq_run_asked();
    }
}

SYSRQ(test_count, .letter = 'z', .summary = "for tests", .run = count_run);

/* Interrupts off: one that came between would do what is asked on its way out. */
KERNEL_TEST(sysrq_once, "sysrq/once_for_each_time_asked_and_never_nested")
{
    uint64_t flags = irq_save();
    bool was_asked;

    nr_runs = 0;
    sysrq_run_asked();
    EXPECT_EQ(nr_runs, 0u);
    sysrq_ask('z');
    sysrq_ask('z');
    was_asked = sysrq_is_asked();
    sysrq_run_asked();
    irq_restore(flags);
    EXPECT(was_asked);
    EXPECT_EQ(nr_runs, 2u);
    EXPECT(!sysrq_is_asked());
}

static NORETURN void stay(void)
{
    console_printf("stuck\n");
    for (;;)
        cpu_relax();
}

KERNEL_TEST(stuck_in_thread, TEST_HIDDEN_PREFIX "stuck_in_thread")
{
    stay();
}

static struct spinlock held = SPINLOCK_INITIALIZER("stuck");

KERNEL_TEST(stuck_with_lock, TEST_HIDDEN_PREFIX "stuck_with_lock")
{
    spinlock_lock(&held);
    stay();
}

static void never_end(struct deferred *deferred)
{
    (void)deferred;
    stay();
}

static struct deferred endless = DEFERRED_INITIALIZER(never_end);

static enum irq_result queue_endless(void *context)
{
    (void)context;
    deferred_queue(&endless);
    return IRQ_HANDLED;
}

KERNEL_TEST(stuck_in_deferred_work, TEST_HIDDEN_PREFIX "stuck_in_deferred_work")
{
    struct irq *irq;
    uint8_t vector;
    int error = irq_request_local(0, 0, queue_endless, NULL, "stuck", &vector, &irq);

    EXPECT_EQ(error, 0);
    if (!error && irq_controller()->send_to_self(vector) == 0)
        for (;;)
            cpu_relax();
}

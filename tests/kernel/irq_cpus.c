/* Interrupts that are released or moved on one CPU while others raise them. They are raised as a device or an IOAPIC
 * would, by a message with the line's vector; one that finds nobody any more is counted by the trap layer. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/test.h>
#include <irq/chip.h>
#include <irq/ipi.h>
#include <irq/irq.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/timer.h>

#define RAISERS     3u
#define ROUNDS      30u
#define MOVES       60u
#define PATIENCE_NS (10 * NS_PER_S)

/* Where the line is now; raisers see the old place for a moment. */
static struct {
    uint64_t place;         /* [a] CPU << 8 | vector; 0: nowhere */
    uint32_t is_over;       /* [a] */
    uint32_t nr_inside;     /* [a] handlers that run */
    uint32_t nr_calls;      /* [a] */
    uint32_t nr_calls_late; /* [a] after its release */
    uint32_t nr_at_once;    /* [a] two handlers of one line */
    uint32_t is_claimed;    /* [a] */
} line;                     /* [a] as its fields say */

static struct thread *raisers[RAISERS]; /* [prompt] */

static enum irq_result note_call(void *context)
{
    (void)context;
    if (__atomic_fetch_add(&line.nr_inside, 1, __ATOMIC_ACQ_REL) != 0)
        __atomic_fetch_add(&line.nr_at_once, 1, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&line.is_claimed, __ATOMIC_ACQUIRE))
        __atomic_fetch_add(&line.nr_calls_late, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 50; i++)
        cpu_relax();
    __atomic_fetch_add(&line.nr_calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&line.nr_inside, 1, __ATOMIC_ACQ_REL);
    return IRQ_HANDLED;
}

static int raise_on(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&line.is_over, __ATOMIC_ACQUIRE)) {
        uint64_t place = __atomic_load_n(&line.place, __ATOMIC_ACQUIRE);

        if (place != 0)
            irq_ipi_send(irq_controller_id((uint32_t)(place >> 8)), IRQ_IPI_VECTOR, (uint8_t)place);
        sleep_ns(100 * NS_PER_US);
    }
    return 0;
}

static int start_raisers(void)
{
    line.is_over = line.nr_calls = line.nr_calls_late = line.nr_at_once = line.nr_inside = 0;
    line.place = 0;
    for (unsigned i = 0; i < RAISERS; i++) {
        struct cpu_mask only = {0};
        int error;

        raisers[i] = NULL;
        cpu_mask_set(&only, i % smp_nr_online());
        error =
            thread_create(&raisers[i], &(struct thread_options){.name = "raiser", .affinity = &only}, raise_on, NULL);
        if (error)
            return error;
    }
    return 0;
}

static void stop_raisers(void)
{
    __atomic_store_n(&line.is_over, 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < RAISERS; i++)
        if (raisers[i])
            (void)thread_join(raisers[i], NULL);
}

static uint32_t nr_calls(void)
{
    return __atomic_load_n(&line.nr_calls, __ATOMIC_RELAXED);
}

/* False where nothing comes. */
static bool wait_for_calls(uint32_t more)
{
    uint32_t wanted = nr_calls() + more;
    uint64_t end_ns = clock_now_ns() + PATIENCE_NS;

    while (nr_calls() < wanted && clock_now_ns() < end_ns)
        thread_yield();
    return nr_calls() >= wanted;
}

static void set_place(uint32_t cpu, unsigned vector)
{
    __atomic_store_n(&line.place, (uint64_t)cpu << 8 | vector, __ATOMIC_RELEASE);
}

/* One claim on a CPU's message, raised from everywhere, and released from this CPU. */
static bool claim_and_release(uint32_t cpu)
{
    struct msi_message message;
    struct irq *irq;
    bool has_come;

    __atomic_store_n(&line.is_claimed, 1, __ATOMIC_RELEASE);
    if (irq_request_msi_to(cpu, note_call, NULL, "test", &message, &irq) != 0)
        return false;
    set_place(cpu, message.data & 0xff);
    has_come = wait_for_calls(3);
    irq_release(irq);
    __atomic_store_n(&line.is_claimed, 0, __ATOMIC_RELEASE); /* from here on it must not run */
    __atomic_store_n(&line.place, 0, __ATOMIC_RELEASE);
    return has_come;
}

KERNEL_TEST(irq_released_elsewhere, "irq/released_on_one_cpu_while_it_comes_on_another")
{
    bool have_all_come = true;
    int error;

    if (!irq_controller() || !timer_will_interrupt())
        return;
    error = start_raisers();
    for (unsigned i = 0; i < ROUNDS && error == 0; i++) {
        uint32_t cpu = i % smp_nr_online();

        if (irq_controller()->can_send_to(smp_apic_id(cpu)))
            have_all_come &= claim_and_release(cpu);
    }
    stop_raisers();
    EXPECT_EQ(error, 0);
    EXPECT(have_all_come);
    EXPECT_EQ(__atomic_load_n(&line.nr_calls_late, __ATOMIC_RELAXED), 0);
    EXPECT_EQ(__atomic_load_n(&line.nr_at_once, __ATOMIC_RELAXED), 0);
}

/* The claim's own row. */
static bool find_place(struct irq_statistics *statistics)
{
    for (unsigned n = 0; irq_statistics(n, statistics); n++)
        if (statistics->has_gsi && statistics->gsi == 0)
            return true;
    return false;
}

static bool move_on(struct irq *irq, uint32_t cpu)
{
    struct irq_statistics statistics;

    if (irq_move(irq, cpu) != 0 || !find_place(&statistics) || statistics.cpu != cpu)
        return false;
    set_place(cpu, statistics.vector);
    return wait_for_calls(2);
}

/* GSI 0 is nobody's on a PC: what comes is the raisers'. */
KERNEL_TEST(irq_moved, "irq/moved_from_cpu_to_cpu_while_it_comes")
{
    struct irq *irq;
    bool have_all_come = true;
    int error;

    if (!irq_controller() || !timer_will_interrupt())
        return;
    error = start_raisers();
    __atomic_store_n(&line.is_claimed, 1, __ATOMIC_RELEASE);
    if (error == 0)
        error = irq_request_gsi(0, IRQ_EDGE, IRQ_ACTIVE_HIGH, 0, note_call, NULL, "test", &irq);
    for (unsigned i = 0; i < MOVES && error == 0; i++) {
        uint32_t cpu = i % smp_nr_online();

        if (irq_controller()->can_send_to(smp_apic_id(cpu)))
            have_all_come &= move_on(irq, cpu);
    }
    if (error == 0)
        irq_release(irq);
    __atomic_store_n(&line.is_claimed, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&line.place, 0, __ATOMIC_RELEASE);
    stop_raisers();
    EXPECT_EQ(error, 0);
    EXPECT(have_all_come);
    EXPECT_EQ(__atomic_load_n(&line.nr_calls_late, __ATOMIC_RELAXED), 0);
    EXPECT_EQ(__atomic_load_n(&line.nr_at_once, __ATOMIC_RELAXED), 0);
}

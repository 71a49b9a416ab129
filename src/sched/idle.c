/* The idle threads, and how CPUs come to have threads at all. */
#include <base/assert.h>
#include <base/counter.h>
#include <base/errno.h>
#include <base/layout.h>
#include <boot/image.h>
#include <cpu/interrupts.h>
#include <debug/idle.h>
#include <debug/report_hooks.h>
#include <lib/format.h>
#include <mm/kmalloc.h>
#include <mm/stack.h>
#include <mm/tlb_idle.h>
#include <sched/sched.h>
#include <smp/ipi.h>
#include <time/clock.h>
#include <time/timer.h>

#include "cpu_queue.h"
#include "spread.h"
#include "stack_cache.h"
#include "thread_counters.h"
#include "watch_calls.h"

#define IDLE_WORK_EVERY_NS (10 * NS_PER_MS)

static struct thread boot_thread; /* [its own lock] sched/thread.h */

/* Ends with interrupts off. From saying so to the halt nothing is touched that anybody could map anew: the stack, the
 * per-CPU area and the image stay. */
static void halt_idle(void)
{
    tlb_say_idle();
    cpu_halt();
    irq_disable();
    tlb_wake();
}

/* Who is woken in an interrupt that comes before the halt has run by then, and who is woken by idle work likewise: so
 * with interrupts off and nothing asked for there is nobody. */
static void wait_for_work(struct cpu_queue *queue)
{
    irq_disable();
    counter_increment(&queue->nr_looks);
    if (!preempt_is_requested())
        spread_note_idle(queue);
    if (!preempt_is_requested() && timer_will_interrupt()) {
        slice_disarm(queue);
        watch_halts(queue);
        timer_settle();
        halt_idle();
        WRITE_ONCE(queue->is_halted, false);
    }
    irq_enable();
    cpu_relax();
    preempt_check();
}

/* Idle work may come at any rate: a CPU that waits for a disk again and again is not to do it each time. Where nothing
 * can interrupt at a moment, it is what runs the timers. */
static bool is_time_for_idle_work(struct cpu_queue *queue)
{
    uint64_t now = sched_now_ns();

    if (timer_will_interrupt() && now - queue->idle_work_ns < IDLE_WORK_EVERY_NS)
        return false;
    queue->idle_work_ns = now;
    return true;
}

bool sched_halt_here(void)
{
    if (preempt_is_requested() || run_queue_has_waiting(&this_cpu_queue()->queue) ||
        thread_current()->leaves != THREAD_STAYS || !timer_will_interrupt())
        return false;
    halt_idle();
    return true;
}

void idle_loop(void)
{
    for (;;) {
        if (is_time_for_idle_work(this_cpu_queue()))
            idle_run();
        wait_for_work(this_cpu_queue()); /* an idle thread stays on its CPU */
    }
}

static int run_idle_thread(void *argument)
{
    (void)argument;
    idle_loop();
}

bool sched_any_cpu_of(const struct cpu_mask *cpus)
{
    uint32_t cpu;

    cpu_mask_for_each(cpu, cpus) if (cpu < percpu_nr_cpus() &&
                                     __atomic_load_n(&cpu_queue_of(cpu)->is_running, __ATOMIC_ACQUIRE)) return true;
    return false;
}

static struct thread *make_idle_thread(uint32_t cpu)
{
    struct thread *idle = kmalloc(sizeof(*idle), ALLOC_NORMAL);
    char name[THREAD_NAME_MAX];

    if (!idle)
        return NULL;
    snprintf(name, sizeof(name), "idle %u", cpu);
    thread_prepare(idle, &(struct thread_options){.name = name, .flags = THREAD_IS_IDLE});
    idle->function = run_idle_thread;
    idle->cpu = cpu;
    return idle;
}

static void init_queue(struct cpu_queue *queue, uint32_t cpu, struct thread *idle)
{
    spinlock_init(&queue->lock, "run queue");
    lockdep_set_number(&queue->lock.lockdep, cpu + 1);
    run_queue_init(&queue->queue, cpu);
    slice_init(queue);
    queue->idle = idle;
}

int sched_prepare_cpu(uint32_t cpu)
{
    struct thread *idle = make_idle_thread(cpu);

    if (!idle)
        return -ENOMEM;
    thread_stacks_init_cpu(cpu);
    init_queue(cpu_queue_of(cpu), cpu, idle);
    return 0;
}

void sched_run_cpu(void)
{
    struct cpu_queue *queue = this_cpu_queue();
    struct thread *idle = queue->idle;
    struct stack_info stack;

    if (stack_of_address(__builtin_frame_address(0), &stack))
        idle->stack = (void *)(uintptr_t)stack.base;
    idle->canary = this_cpu_read(percpu.stack_canary);
    thread_list_add(idle);
    WRITE_ONCE(queue->idle_since, sched_now_ns());
    this_cpu_write(percpu.current, idle);
    spread_add_cpu(queue);
    irq_enable();
    idle_loop();
}

/* The code that runs is the boot thread from here on. */
INIT static void become_boot_thread(struct cpu_queue *queue)
{
    uint64_t flags = irq_save(), now = sched_now_ns();

    thread_prepare(&boot_thread, &(struct thread_options){.name = "boot"});
    boot_thread.canary = this_cpu_read(percpu.stack_canary);
    boot_thread.stack = boot_stack;
    thread_list_add(&boot_thread);
    spinlock_lock_irq_off(&queue->lock);
    (void)run_queue_add(&queue->queue, &boot_thread.entity, now, ARRIVAL_NEW);
    (void)run_queue_next(&queue->queue, now, STAYS);
    spread_add_cpu(queue);
    this_cpu_write(percpu.current, &boot_thread);
    lockdep_switch(&boot_thread.lockdep);
    spinlock_unlock_irq_off(&queue->lock);
    irq_restore(flags);
}

/* The reschedule interrupt: the rest is done on its way out. */
static void look_whom_to_run(void)
{
    preempt_request();
}

INIT int sched_init(void)
{
    struct cpu_queue *queue = this_cpu_queue();
    struct thread *idle;
    int error = thread_cache_init();

    if (error)
        return error;
    thread_stacks_init_cpu(0);
    idle = make_idle_thread(0);
    if (!idle)
        return -ENOMEM;
    idle->stack = thread_stack_get();
    if (!idle->stack) {
        kfree(idle);
        return -ENOMEM;
    }
    thread_prepare_stack(idle);
    init_queue(queue, 0, idle);
    become_boot_thread(queue);
    thread_list_add(idle);
    thread_sign_stack(idle);
    report_set_thread_format(thread_format_current);
    ipi_set_reschedule(look_whom_to_run);
    return 0;
}

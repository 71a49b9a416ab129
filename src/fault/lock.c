/* Locks taken in the wrong order or context. Each is found the first time, though nothing hangs yet: nobody else is
 * there who would hold the other lock. What only the lock checker finds goes on where there is none. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/preempt.h>
#include <irq/chip.h>
#include <irq/irq.h>
#include <lib/format.h>
#include <mm/vmalloc.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/timer.h>

#include "fault.h"

static struct spinlock first = SPINLOCK_INITIALIZER("provoked first");
static struct spinlock second = SPINLOCK_INITIALIZER("provoked second");

static NOINLINE void fault_take_again(struct spinlock *lock)
{
    spinlock_lock(lock);
}

FAULT(lock_recursion, 35, "a lock taken twice by one CPU, with both places")
{
    spinlock_lock(&first);
    fault_take_again(&first);
    return 0;
}

static NOINLINE void fault_take_both(struct spinlock *one, struct spinlock *other)
{
    uint64_t flags = spinlock_lock_irqsave(one);

    spinlock_lock(other);
    spinlock_unlock(other);
    spinlock_unlock_irqrestore(one, flags);
}

FAULT(lock_order, 36, "two locks taken in both orders, with all four places")
{
    fault_take_both(&first, &second);
    fault_take_both(&second, &first);
    return 0;
}

static struct spinlock third = SPINLOCK_INITIALIZER("provoked third");

FAULT(lock_order_of_three, 36, "three locks, each taken while one of the others is held")
{
    fault_take_both(&first, &second);
    fault_take_both(&second, &third);
    fault_take_both(&third, &first);
    return 0;
}

static void take_first_in_timer(struct timer *timer)
{
    uint64_t flags = spinlock_lock_irqsave(&first);

    (void)timer;
    spinlock_unlock_irqrestore(&first, flags);
}

static NOINLINE void fault_cancel_with_lock(struct timer *timer)
{
    uint64_t flags = spinlock_lock_irqsave(&first);

    (void)timer_cancel(timer);
    spinlock_unlock_irqrestore(&first, flags);
}

FAULT(wait_for_timer, 36, "a timer is cancelled, and so waited for, with a lock held that its function takes")
{
    static struct timer timer;

    timer_init(&timer, take_first_in_timer);
    timer_set(&timer, clock_now_ns());
    sleep_ns(NS_PER_MS);
    fault_cancel_with_lock(&timer);
    return 0;
}

static NOINLINE void fault_take_one(struct spinlock *lock)
{
    spinlock_lock(lock);
    spinlock_unlock(lock);
}

static enum irq_result take_in_interrupt(void *lock)
{
    fault_take_one(lock);
    return IRQ_HANDLED;
}

/* An interrupt of this CPU, now. */
static int fault_interrupt(irq_handler handler, void *context)
{
    struct irq *irq;
    uint8_t vector;
    int error = irq_request_local(0, 0, handler, context, "provoked", &vector, &irq);

    if (error)
        return error;
    error = irq_controller()->send_to_self(vector);
    sleep_ns(NS_PER_MS);
    irq_release(irq);
    return error;
}

FAULT(lock_in_interrupt, 36, "a lock taken in an interrupt, and elsewhere with interrupts on")
{
    fault_take_one(&first);
    return fault_interrupt(take_in_interrupt, &first);
}

FAULT(lock_behind_interrupt, 36, "a lock of an interrupt, held while one is taken that is taken with interrupts on")
{
    int error = fault_interrupt(take_in_interrupt, &first);

    if (error)
        return error;
    fault_take_one(&second);
    fault_take_both(&first, &second);
    return 0;
}

static NOINLINE void fault_sleep(void)
{
    assert_may_sleep();
    sleep_ns(NS_PER_MS);
}

FAULT(sleep_in_atomic, 37, "sleeping while a spinlock is held, with the lock and its place")
{
    spinlock_lock(&first);
    fault_sleep();
    spinlock_unlock(&first);
    return 0;
}

FAULT(sleep_without_preemption, 37, "sleeping with preemption off, with the place that turned it off")
{
    preempt_disable();
    fault_sleep();
    preempt_enable();
    return 0;
}

FAULT(sleep_without_interrupts, 37, "sleeping with interrupts off, with the place that turned them off")
{
    uint64_t flags = irq_save();

    fault_sleep();
    irq_restore(flags);
    return 0;
}

#define NR_CLASSES 1500u

/* A name is a class of its own. */
static void take_named(unsigned number)
{
    static struct spinlock named;
    char name[24];
    uint64_t flags;

    snprintf(name, sizeof(name), "provoked %u", number);
    spinlock_init(&named, name);
    flags = spinlock_lock_irqsave(&named);
    spinlock_unlock_irqrestore(&named, flags);
}

FAULT(lock_classes, 36, "more lock classes than the checker has memory for at first: it gets more while a CPU is idle")
{
    for (unsigned i = 0; i < NR_CLASSES; i++) {
        take_named(i);
        if (i % 32 == 0)
            sleep_ns(20 * (uint64_t)NS_PER_MS);
    }
    return 0;
}

FAULT(lock_classes_at_once, 36, "as many at once, with no time to get more: the checker says so, once, and goes on")
{
    preempt_disable();
    for (unsigned i = 0; i < NR_CLASSES; i++)
        take_named(NR_CLASSES + i);
    preempt_enable();
    sleep_ns(100 * (uint64_t)NS_PER_MS);
    return 0;
}

static NOINLINE void *fault_allocate(void)
{
    return vmalloc(1, 0);
}

static enum irq_result allocate_in_interrupt(void *context)
{
    (void)context;
    vfree(fault_allocate());
    return IRQ_HANDLED;
}

FAULT(allocate_in_interrupt, 37, "address space allocated in an interrupt, with advice")
{
    return fault_interrupt(allocate_in_interrupt, NULL);
}

#define TOO_LONG_NS (1200 * (uint64_t)NS_PER_MS)

static NOINLINE void fault_stay(void)
{
    for (uint64_t end = clock_now_ns() + TOO_LONG_NS; clock_now_ns() < end;)
        cpu_relax();
}

FAULT(lock_held_too_long, 38, "a spinlock held, and preemption off, for over a second: warnings with both places")
{
    spinlock_lock(&first);
    fault_stay();
    spinlock_unlock(&first);
    return 0;
}

FAULT(interrupts_off_too_long, 38, "interrupts off for over a second: a warning with both places")
{
    uint64_t flags = irq_save();

    fault_stay();
    irq_restore(flags);
    return 0;
}

#include "spread.h"

#include <base/counter.h>
#include <cpu/interrupts.h>
#include <sched/sched.h>
#include <smp/cpu.h>

#include "placement.h"

static struct cpu_mask taking;     /* [a] CPUs that take threads; none leaves */
static struct cpu_mask idle;       /* [a] of them, those with nothing to do: a hint, for it may change at any moment */
static struct cpu_mask fifo_waits; /* [a] CPUs in whose queues FIFO threads may wait; changed under the queue's lock */
bool spread_is_on_;                /* [I] when boot turns it on, before a second CPU takes threads */

void sched_spread_threads(void)
{
    WRITE_ONCE(spread_is_on_, smp_nr_online() > 1);
}

static struct run_queue *queue_of(uint32_t cpu)
{
    return &cpu_queue_of(cpu)->queue;
}

static uint32_t core_of(uint32_t cpu)
{
    struct cpu_place place = smp_place(cpu);

    return place.package << 16 | place.core;
}

static const struct placement_view view = {.cpus = &taking, .idle = &idle, .queue = queue_of, .core = core_of};

/* Under the lock of the thread's queue, which keeps its affinity as it is. */
static bool may_run(const struct sched_entity *entity, uint32_t cpu)
{
    const struct thread *thread = CONTAINER_OF((struct sched_entity *)entity, struct thread, entity);

    return cpu_mask_has(&thread->affinity, cpu);
}

void spread_add_cpu(struct cpu_queue *queue)
{
    __atomic_store_n(&queue->is_running, true, __ATOMIC_RELEASE); /* pairs with the acquires of those who look */
    (void)cpu_mask_set_atomic(&taking, queue->queue.cpu);
}

void spread_note_idle(const struct cpu_queue *queue)
{
    if (!cpu_mask_has(&idle, queue->queue.cpu))
        (void)cpu_mask_set_atomic(&idle, queue->queue.cpu);
}

void spread_note_busy(const struct cpu_queue *queue)
{
    if (cpu_mask_has(&idle, queue->queue.cpu))
        (void)cpu_mask_clear_atomic(&idle, queue->queue.cpu);
}

uint32_t spread_choose_among_(const struct cpu_queue *queue, const struct thread *thread)
{
    uint32_t previous = queue->queue.cpu;
    uint32_t cpu = placement_choose(&view, &thread->entity, previous, &thread->affinity);

    return cpu == CPU_MAX ? previous : cpu; /* no CPU of its set runs any more */
}

/* An entity has changed queues, of which both locks are held (T1). */
static void note_moved(struct cpu_queue *to, struct sched_entity *entity)
{
    __atomic_store_n(&thread_of_entity(entity)->cpu, to->queue.cpu, __ATOMIC_RELAXED);
    counter_increment(&to->nr_arrivals);
}

/* The second lock is only tried for (T5): who has it is switching, and may be on its way to take threads itself. */
static bool steal_from(struct cpu_queue *from, struct cpu_queue *queue, uint64_t now, bool *is_missed)
{
    struct sched_entity *entity;

    if (!spinlock_try_lock(&from->lock)) {
        *is_missed = true;
        return false;
    }
    entity = steal_move(&from->queue, &queue->queue, now, may_run);
    if (entity != NULL)
        note_moved(queue, entity);
    spinlock_unlock(&from->lock);
    return entity != NULL;
}

/* Where the most wait all may have to stay there: then it is the next one's turn. Where a lock was not to be had this
 * CPU does not halt before it has looked again. */
static NOINLINE bool steal_from_any(struct cpu_queue *queue, uint64_t now)
{
    uint32_t cpu = steal_choose(&view, queue->queue.cpu, &taking);
    bool is_missed = false;
    struct cpu_mask among;

    cpu_mask_and(&among, &taking, &taking);
    while (cpu != CPU_MAX && !steal_from(cpu_queue_of(cpu), queue, now, &is_missed)) {
        cpu_mask_clear(&among, cpu);
        cpu = steal_choose(&view, queue->queue.cpu, &among);
    }
    if (cpu == CPU_MAX && is_missed) {
        preempt_request();
        cpu_relax(); /* it comes back until that CPU has got on, which it may need this one's time for */
    }
    return cpu != CPU_MAX;
}

bool spread_steal(struct cpu_queue *queue, uint64_t now)
{
    return READ_ONCE(spread_is_on_) && steal_from_any(queue, now);
}

/* A FIFO thread that begins to wait, and a CPU that goes on with somebody less urgent, must not miss each other. Who
 * looks for a CPU has said before that somebody waits (an atomic operation); who looks for threads has said before how
 * urgent who runs is. So one of them sees the other. */
static uint32_t choose_push(struct cpu_queue *from)
{
    uint32_t cpu;

    spinlock_lock_irq_off(&from->lock);
    if (from->queue.fifo.nr == 0)
        (void)cpu_mask_clear_atomic(&fifo_waits, from->queue.cpu);
    else
        (void)cpu_mask_set_atomic(&fifo_waits, from->queue.cpu);
    cpu = push_choose(&view, &from->queue, may_run);
    spinlock_unlock_irq_off(&from->lock);
    return cpu;
}

/* Two CPUs may do this at once, each to the other: in the order of T5 both locks can be waited for. */
static void push_to(struct cpu_queue *from, struct cpu_queue *to)
{
    bool is_upwards = from->queue.cpu < to->queue.cpu;
    struct cpu_queue *first = is_upwards ? from : to, *second = is_upwards ? to : from;
    struct sched_entity *entity;

    spinlock_lock_irq_off(&first->lock);
    spinlock_lock_irq_off(&second->lock);
    entity = push_move(&from->queue, &to->queue, sched_now_ns(), may_run);
    if (entity != NULL) {
        note_moved(to, entity);
        spread_note_busy(to);
    }
    spinlock_unlock_irq_off(&second->lock);
    spinlock_unlock_irq_off(&first->lock);
    if (entity != NULL)
        cpu_queue_tell(to, EFFECT_PREEMPT);
}

/* Where a move fails, others have changed what it was chosen by. */
void spread_push(struct cpu_queue *queue)
{
    uint32_t cpu;

    if (!READ_ONCE(spread_is_on_))
        return;
    while ((cpu = choose_push(queue)) != CPU_MAX)
        push_to(queue, cpu_queue_of(cpu));
}

void spread_push_all(struct cpu_queue *queue)
{
    uint32_t cpu;

    if (READ_ONCE(queue->queue.fifo.nr) != 0)
        spread_push(queue);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with the atomic operations in choose_push */
    cpu_mask_for_each(cpu, &fifo_waits)
    {
        if (cpu != queue->queue.cpu)
            spread_push(cpu_queue_of(cpu));
    }
}

struct cpu_queue *spread_balance(struct cpu_queue *queue, uint64_t now, enum run_queue_effect *effect)
{
    uint32_t cpu = READ_ONCE(spread_is_on_) ? balance_choose(&view, &queue->queue) : CPU_MAX;
    struct sched_entity *entity;
    struct cpu_queue *to;

    if (cpu == CPU_MAX)
        return NULL;
    to = cpu_queue_of(cpu);
    if (!spinlock_try_lock(&to->lock))
        return NULL;
    entity = balance_move(&queue->queue, &to->queue, now, may_run, effect);
    if (entity != NULL) {
        note_moved(to, entity);
        spread_note_busy(to);
    }
    spinlock_unlock(&to->lock);
    return entity != NULL ? to : NULL;
}

#include "sched_simulator.h"

#include "support/random.h"

#include <string.h>

#include "../../src/sched/fair.h"
#include "../../src/sched/fifo.h"
#include "../../src/sched/hand_over.h"

const char *sim_wrong;

static struct sim *current; /* the policy's call backs have no argument */

static struct run_queue *queue_of(uint32_t cpu)
{
    return &current->queues[cpu];
}

/* Two hardware threads a core. */
static uint32_t core_of(uint32_t cpu)
{
    return cpu / 2;
}

static struct sim_thread *thread_of(const struct sched_entity *entity)
{
    return CONTAINER_OF((struct sched_entity *)entity, struct sim_thread, entity);
}

static bool may_run(const struct sched_entity *entity, uint32_t cpu)
{
    return cpu_mask_has(&thread_of(entity)->allowed, cpu);
}

static struct placement_view view(struct sim *sim)
{
    current = sim;
    return (struct placement_view){.cpus = &sim->cpus, .idle = &sim->idle, .queue = queue_of, .core = core_of};
}

static void wrong(const char *what)
{
    if (sim_wrong == NULL)
        sim_wrong = what;
}

void sim_init(struct sim *sim, uint32_t nr_cpus, uint64_t seed)
{
    memset(sim, 0, sizeof(*sim));
    sim->nr_cpus = nr_cpus;
    sim->seed = seed;
    sim->jitter_ns = 20000;
    cpu_mask_set_first(&sim->cpus, nr_cpus);
    sim->idle = sim->cpus;
    for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
        run_queue_init(&sim->queues[cpu], cpu);
        sim->looks_at[cpu] = UINT64_MAX;
    }
    sim_wrong = NULL;
}

static bool is_told(const struct sim *sim, uint32_t cpu)
{
    return sim->looks_at[cpu] != UINT64_MAX;
}

/* None waits on one CPU while another one that it may use runs somebody less urgent, once all have looked. */
static void check_fifo_across_cpus(const struct sim *sim)
{
    for (uint32_t cpu = 0; cpu < sim->nr_cpus; cpu++) {
        if (is_told(sim, cpu))
            return;
    }
    for (uint32_t i = 0; i < sim->nr_threads; i++) {
        const struct sim_thread *thread = &sim->threads[i];

        if (thread->entity.state != ENTITY_QUEUED || thread->entity.class != SCHED_FIFO)
            continue;
        for (uint32_t cpu = 0; cpu < sim->nr_cpus; cpu++) {
            if (cpu_mask_has(&thread->allowed, cpu) && sim->queues[cpu].urgency < sched_urgency(&thread->entity))
                wrong("a FIFO thread waits while another CPU runs a less urgent one");
        }
    }
}

/* Every thread is where its state says, once, and the most urgent FIFO thread runs. */
static void check(struct sim *sim)
{
    uint32_t runnable = 0, found = 0;

    for (uint32_t i = 0; i < sim->nr_threads; i++) {
        const struct sim_thread *thread = &sim->threads[i];

        runnable += thread->entity.state != ENTITY_OUT;
        if ((thread->entity.state == ENTITY_OUT) != (thread->wake_at_ns != UINT64_MAX))
            wrong("a thread is lost, or runs while it waits");
        if (thread->entity.state != ENTITY_OUT && thread->entity.queue != &sim->queues[thread->cpu])
            wrong("a thread is in another CPU's queue");
    }
    for (uint32_t cpu = 0; cpu < sim->nr_cpus; cpu++) {
        const struct run_queue *queue = &sim->queues[cpu];
        const char *broken = run_queue_check(queue);

        if (broken != NULL)
            wrong(broken);
        found += run_queue_length(queue);
        if (is_told(sim, cpu))
            continue;
        if (queue->running == NULL && run_queue_has_waiting(queue))
            wrong("a CPU is idle with somebody in its queue");
        if (queue->fifo.nr != 0 &&
            (queue->running->class != SCHED_FIFO || queue->running->priority < fifo_highest(&queue->fifo)))
            wrong("a FIFO thread waits for a less urgent one");
    }
    check_fifo_across_cpus(sim);
    if (found != runnable)
        wrong("the queues hold another number of threads than are runnable");
}

/* The lag of those queued, against the bound of the theory. */
static void note_lags(struct sim *sim, const struct run_queue *queue)
{
    uint64_t average = fair_average(&queue->fair, queue->running);

    for (uint32_t i = 0; i < sim->nr_threads; i++) {
        const struct sched_entity *entity = &sim->threads[i].entity;
        int64_t lag;

        if (entity->queue != queue || entity->state == ENTITY_OUT || entity->class != SCHED_FAIR)
            continue;
        lag = virtual_difference(average, entity->vruntime) * (int64_t)entity->weight / (256 * 1024);
        lag = lag < 0 ? -lag : lag;
        sim->lag_max_ns = lag > sim->lag_max_ns ? lag : sim->lag_max_ns;
    }
}

/* The machine's own count, by which the policy's is judged. */
static void tally(struct sim *sim, uint32_t cpu)
{
    struct run_queue *queue = &sim->queues[cpu];
    uint64_t ran = sim->now - sim->ran_since[cpu];
    struct sim_thread *thread;

    sim->ran_since[cpu] = sim->now;
    if (queue->running == NULL) {
        sim->idle_ns += ran;
        return;
    }
    thread = thread_of(queue->running);
    thread->cpu_time_ns += ran;
    thread->run_left_ns -= thread->run_max_ns == 0 ? 0 : ran < thread->run_left_ns ? ran : thread->run_left_ns;
    thread->last_ran_ns = sim->now;
}

static void steal(struct sim *sim, uint32_t cpu)
{
    struct placement_view cpus = view(sim);
    struct cpu_mask among = *cpus.cpus;
    struct sched_entity *entity = NULL;
    uint32_t from;

    while (entity == NULL && (from = steal_choose(&cpus, cpu, &among)) != CPU_MAX) {
        entity = steal_move(&sim->queues[from], &sim->queues[cpu], sim->now, may_run);
        cpu_mask_clear(&among, from);
    }
    if (entity != NULL) {
        thread_of(entity)->cpu = cpu;
        sim->nr_moves++;
    }
}

static void note_started(struct sim *sim, struct sched_entity *entity)
{
    struct sim_thread *thread = thread_of(entity);
    uint64_t since = thread->runnable_ns > thread->last_ran_ns ? thread->runnable_ns : thread->last_ran_ns;

    if (sim->now - since > thread->longest_wait_ns)
        thread->longest_wait_ns = sim->now - since;
    sim->nr_switches++;
}

static void switch_on(struct sim *sim, uint32_t cpu, enum run_queue_departure departure);

static void tell(struct sim *sim, uint32_t cpu)
{
    uint64_t at;

    if (sim->tell_max_ns == 0) {
        switch_on(sim, cpu, STAYS);
        return;
    }
    at = sim->now + random_below(&sim->seed, sim->tell_max_ns);
    if (at < sim->looks_at[cpu])
        sim->looks_at[cpu] = at;
}

static void push(struct sim *sim, uint32_t cpu)
{
    struct placement_view cpus = view(sim);
    uint32_t to;

    while ((to = push_choose(&cpus, &sim->queues[cpu], may_run)) != CPU_MAX) {
        struct sched_entity *entity;

        tally(sim, to);
        entity = push_move(&sim->queues[cpu], &sim->queues[to], sim->now, may_run);
        if (entity == NULL) {
            wrong("who was to be pushed was not");
            return;
        }
        thread_of(entity)->cpu = to;
        sim->nr_moves++;
        sim->nr_pushes++;
        tell(sim, to);
    }
}

static void push_all(struct sim *sim, uint32_t cpu)
{
    if (!sim->queues[cpu].must_push)
        return;
    sim->queues[cpu].must_push = false;
    for (uint32_t from = 0; from < sim->nr_cpus; from++)
        push(sim, from);
}

static void switch_on(struct sim *sim, uint32_t cpu, enum run_queue_departure departure)
{
    struct run_queue *queue = &sim->queues[cpu];
    struct sched_entity *previous = queue->running, *next;

    sim->looks_at[cpu] = UINT64_MAX;
    tally(sim, cpu);
    if (departure == WAITS && queue->handed != NULL) {
        sim->nr_hand_overs++;
        next = queue->handed;
        run_queue_hand_over(queue, next, sim->now);
    } else {
        next = run_queue_next(queue, sim->now, departure);
    }
    if (next == NULL) {
        steal(sim, cpu);
        next = run_queue_next(queue, sim->now, STAYS);
    }
    if (next == NULL)
        cpu_mask_set(&sim->idle, cpu);
    else
        cpu_mask_clear(&sim->idle, cpu);
    if (queue->takes_key == HAND_TAKES_NOBODY)
        run_queue_expect_slice_end(queue, sim->now); /* the simulator asks for the slice's end in each step */
    if (next != NULL && next != previous)
        note_started(sim, next);
    push_all(sim, cpu);
}

static void add(struct sim *sim, struct sim_thread *thread, enum run_queue_arrival arrival)
{
    struct placement_view cpus = view(sim);
    uint32_t cpu = placement_choose(&cpus, &thread->entity, thread->cpu, &thread->allowed);
    bool is_back = arrival == ARRIVAL_WOKEN && cpu == thread->cpu;
    enum run_queue_effect effect;

    thread->cpu = cpu;
    thread->wake_at_ns = UINT64_MAX;
    thread->runnable_ns = sim->now;
    tally(sim, cpu);
    if (is_back && run_queue_try_hand_over(&sim->queues[cpu], &thread->entity))
        return;
    effect = run_queue_add(&sim->queues[cpu], &thread->entity, sim->now, arrival);
    if (effect == EFFECT_PREEMPT)
        tell(sim, cpu);
    else if (effect == EFFECT_BEHIND)
        push(sim, cpu);
}

struct sim_thread *sim_add(struct sim *sim, const struct sched_policy *policy, uint32_t cpu)
{
    struct sim_thread *thread = &sim->threads[sim->nr_threads++];

    thread->cpu = cpu;
    thread->allowed = sim->cpus;
    sched_entity_init(&thread->entity, policy);
    add(sim, thread, ARRIVAL_NEW);
    return thread;
}

void sim_set_policy(struct sim *sim, struct sim_thread *thread, const struct sched_policy *policy)
{
    uint32_t cpu = thread->cpu;
    enum run_queue_effect effect;

    tally(sim, cpu);
    effect = run_queue_set_policy(&sim->queues[cpu], &thread->entity, policy, sim->now);
    if (effect == EFFECT_PREEMPT)
        tell(sim, cpu);
    else if (effect == EFFECT_BEHIND)
        push(sim, cpu);
    push_all(sim, cpu);
}

void sim_set_affinity(struct sim *sim, struct sim_thread *thread, const struct cpu_mask *allowed)
{
    struct run_queue *queue = &sim->queues[thread->cpu];

    if (thread->entity.state == ENTITY_RUNNING)
        return;
    thread->allowed = *allowed;
    if (thread->entity.state == ENTITY_OUT)
        return;
    if (cpu_mask_has(allowed, thread->cpu)) {
        push(sim, thread->cpu);
        return;
    }
    tally(sim, thread->cpu);
    run_queue_remove(queue, &thread->entity, sim->now);
    add(sim, thread, ARRIVAL_MIGRATED);
}

static void balance(struct sim *sim, uint32_t cpu)
{
    struct placement_view cpus = view(sim);
    uint32_t to = balance_choose(&cpus, &sim->queues[cpu]);
    enum run_queue_effect effect;
    struct sched_entity *entity;

    if (to == CPU_MAX)
        return;
    tally(sim, to);
    entity = balance_move(&sim->queues[cpu], &sim->queues[to], sim->now, may_run, &effect);
    if (entity == NULL)
        return;
    sim->nr_moves++;
    thread_of(entity)->cpu = to;
    if (effect == EFFECT_PREEMPT)
        tell(sim, to);
}

static void stop_running(struct sim *sim, uint32_t cpu)
{
    struct sim_thread *thread = thread_of(sim->queues[cpu].running);

    thread->run_left_ns = 1 + random_below(&sim->seed, thread->run_max_ns);
    if (thread->yields) {
        switch_on(sim, cpu, YIELDS);
        return;
    }
    thread->wake_at_ns = sim->now + 1 + random_below(&sim->seed, thread->wait_max_ns);
    switch_on(sim, cpu, WAITS);
}

/* What is due on this CPU. */
static void serve_cpu(struct sim *sim, uint32_t cpu)
{
    struct run_queue *queue = &sim->queues[cpu];

    tally(sim, cpu);
    if (queue->running == NULL)
        return;
    if (thread_of(queue->running)->run_max_ns != 0 && thread_of(queue->running)->run_left_ns == 0) {
        stop_running(sim, cpu);
    } else if (run_queue_account(queue, sim->now)) {
        note_lags(sim, queue);
        balance(sim, cpu);
        switch_on(sim, cpu, STAYS);
    }
}

static uint64_t next_on_cpu(struct sim *sim, uint32_t cpu)
{
    const struct run_queue *queue = &sim->queues[cpu];
    uint64_t end = run_queue_slice_end(queue), stop;

    if (queue->running == NULL)
        return UINT64_MAX;
    if (end != UINT64_MAX)
        end += random_below(&sim->seed, sim->jitter_ns + 1);
    if (thread_of(queue->running)->run_max_ns == 0)
        return end;
    stop = sim->ran_since[cpu] + thread_of(queue->running)->run_left_ns;
    return stop < end ? stop : end;
}

static void step(struct sim *sim, uint64_t end)
{
    struct sim_thread *wakes = NULL;
    uint64_t due = end;
    uint32_t cpu_due = CPU_MAX, looks = CPU_MAX;

    for (uint32_t cpu = 0; cpu < sim->nr_cpus; cpu++) {
        uint64_t at = next_on_cpu(sim, cpu);

        if (at < due) {
            due = at;
            cpu_due = cpu;
        }
    }
    for (uint32_t cpu = 0; cpu < sim->nr_cpus; cpu++) {
        if (sim->looks_at[cpu] < due) {
            due = sim->looks_at[cpu];
            looks = cpu;
        }
    }
    for (uint32_t i = 0; i < sim->nr_threads; i++) {
        if (sim->threads[i].wake_at_ns < due) {
            due = sim->threads[i].wake_at_ns;
            wakes = &sim->threads[i];
        }
    }
    sim->now = due > sim->now ? due : sim->now;
    if (wakes != NULL)
        add(sim, wakes, ARRIVAL_WOKEN);
    else if (looks != CPU_MAX)
        switch_on(sim, looks, STAYS);
    else if (cpu_due != CPU_MAX)
        serve_cpu(sim, cpu_due);
}

void sim_run(struct sim *sim, uint64_t length_ns)
{
    uint64_t end = sim->now + length_ns;

    while (sim->now < end && sim_wrong == NULL) {
        step(sim, end);
        check(sim);
    }
    for (uint32_t cpu = 0; cpu < sim->nr_cpus; cpu++) {
        tally(sim, cpu);
        (void)run_queue_account(&sim->queues[cpu], sim->now);
    }
    for (uint32_t i = 0; i < sim->nr_threads; i++) {
        if (sim->threads[i].entity.run_time_ns != sim->threads[i].cpu_time_ns)
            wrong("a thread's CPU time is not what it got");
    }
}

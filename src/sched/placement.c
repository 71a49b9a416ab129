#include "placement.h"

#include "fair.h"
#include "fifo.h"

/* How many of those who wait are looked at for one that may move. */
#define CANDIDATES_MAX 16

/* How much a thread may be owed when it changes CPUs. As a rule it is hardly more than BALANCE_SLICES; more comes from
 * a CPU that stood still while others did not, as virtual ones do on a host that is busy. It is also how long it can
 * keep others from running on its new CPU. */
#define CLAIM_SLICES_MAX 16

static uint64_t load_of(const struct placement_view *view, uint32_t cpu)
{
    return READ_ONCE(view->queue(cpu)->load);
}

/* Whether all CPUs of this one's core are idle. */
static bool is_core_idle(const struct placement_view *view, uint32_t cpu)
{
    uint32_t core = view->core(cpu), other;

    cpu_mask_for_each(other, view->cpus)
    {
        if (view->core(other) == core && !cpu_mask_has(view->idle, other))
            return false;
    }
    return true;
}

/* An idle CPU: the one it was on, else the next in number after it whose core is idle, else the next; CPU_MAX. */
static uint32_t find_idle(const struct placement_view *view, uint32_t previous, const struct cpu_mask *allowed)
{
    uint32_t found = CPU_MAX, cpu;
    struct cpu_mask idle;

    cpu_mask_and(&idle, allowed, view->idle);
    if (cpu_mask_has(&idle, previous))
        return previous;
    for (uint32_t round = 0; round < 2; round++) {
        uint32_t from = round == 0 ? previous + 1 : 0, end = round == 0 ? CPU_MAX : previous;

        for (cpu = cpu_mask_next(&idle, from); cpu < end; cpu = cpu_mask_next(&idle, cpu + 1)) {
            if (view->core == NULL || is_core_idle(view, cpu))
                return cpu;
            if (found == CPU_MAX)
                found = cpu;
        }
    }
    return found;
}

/* Of who runs there, or is about to. */
static uint32_t urgency_of(const struct run_queue *queue)
{
    uint32_t running = READ_ONCE(queue->urgency), waiting = fifo_highest(&queue->fifo);

    return waiting != 0 && URGENCY_FAIR + waiting > running ? URGENCY_FAIR + waiting : running;
}

/* The CPU with the least urgent one; among those with the least load; previous before others. */
static uint32_t find_least(const struct placement_view *view, uint32_t previous, const struct cpu_mask *allowed,
                           bool is_by_urgency)
{
    uint32_t best = CPU_MAX, best_urgency = 0, cpu;
    uint64_t best_load = 0;

    if (cpu_mask_has(allowed, previous)) {
        best = previous;
        best_load = load_of(view, previous);
        best_urgency = is_by_urgency ? urgency_of(view->queue(previous)) : 0;
    }
    cpu_mask_for_each(cpu, allowed)
    {
        uint64_t load = load_of(view, cpu);
        uint32_t urgency = is_by_urgency ? urgency_of(view->queue(cpu)) : 0;

        if (best == CPU_MAX || urgency < best_urgency || (urgency == best_urgency && load < best_load)) {
            best = cpu;
            best_load = load;
            best_urgency = urgency;
        }
    }
    return best;
}

uint32_t placement_choose(const struct placement_view *view, const struct sched_entity *entity, uint32_t previous,
                          const struct cpu_mask *allowed)
{
    struct cpu_mask usable;
    uint32_t cpu;

    cpu_mask_and(&usable, allowed, view->cpus);
    cpu = find_idle(view, previous, &usable);
    if (cpu != CPU_MAX)
        return cpu;
    if (entity->class == SCHED_FIFO) {
        bool is_previous_fair = cpu_mask_has(&usable, previous) && urgency_of(view->queue(previous)) <= URGENCY_FAIR;

        return is_previous_fair ? previous : find_least(view, previous, &usable, true);
    }
    return find_least(view, previous, &usable, false);
}

uint32_t steal_choose(const struct placement_view *view, uint32_t idle_cpu, const struct cpu_mask *among)
{
    uint32_t best = CPU_MAX, most = 0, cpu;

    cpu_mask_for_each(cpu, among)
    {
        const struct run_queue *queue = view->queue(cpu);
        uint32_t waiting = READ_ONCE(queue->fair.nr) + READ_ONCE(queue->fifo.nr) + (READ_ONCE(queue->handed) != NULL);

        if (cpu != idle_cpu && waiting > most) {
            best = cpu;
            most = waiting;
        }
    }
    return best;
}

static struct sched_entity *find_fifo(const struct run_queue *from, uint32_t to, placement_filter may_run)
{
    unsigned looked_at = 0;

    if (from->fifo.nr == 0)
        return NULL;
    for (unsigned priority = FIFO_PRIORITY_MAX; priority >= FIFO_PRIORITY_MIN; priority--) {
        struct sched_entity *entity;

        list_for_each_entry (entity, &from->fifo.list[priority], link) {
            if (may_run(entity, to))
                return entity;
            if (++looked_at >= CANDIDATES_MAX)
                return NULL;
        }
    }
    return NULL;
}

/* The CPU with the least urgent one, of those the entity may use, if that is less urgent than the entity. */
static uint32_t find_less_urgent(const struct placement_view *view, const struct sched_entity *entity,
                                 placement_filter may_run)
{
    uint32_t best = CPU_MAX, least = sched_urgency(entity), cpu;

    cpu_mask_for_each(cpu, view->cpus)
    {
        uint32_t urgency = urgency_of(view->queue(cpu));

        if (urgency < least && may_run(entity, cpu)) {
            best = cpu;
            least = urgency;
        }
    }
    return best;
}

/* Where the first waiting one is more urgent than who runs, the CPU has been told, and comes here once it has changed
 * to that. */
uint32_t push_choose(const struct placement_view *view, const struct run_queue *queue, placement_filter may_run)
{
    unsigned looked_at = 0;

    if (URGENCY_FAIR + fifo_highest(&queue->fifo) > queue->urgency)
        return CPU_MAX;
    for (unsigned priority = fifo_highest(&queue->fifo); priority >= FIFO_PRIORITY_MIN; priority--) {
        const struct sched_entity *entity;

        list_for_each_entry (entity, &queue->fifo.list[priority], link) {
            uint32_t cpu = find_less_urgent(view, entity, may_run);

            if (cpu != CPU_MAX || ++looked_at >= CANDIDATES_MAX)
                return cpu;
        }
    }
    return CPU_MAX;
}

struct sched_entity *push_move(struct run_queue *from, struct run_queue *to, uint64_t now, placement_filter may_run)
{
    struct sched_entity *entity = find_fifo(from, to->cpu, may_run);

    if (entity == NULL || urgency_of(to) >= sched_urgency(entity))
        return NULL;
    run_queue_remove(from, entity, now);
    (void)run_queue_add(to, entity, now, ARRIVAL_MIGRATED);
    return entity;
}

/* The next fair one by deadline after entity (NULL: the first). */
static struct sched_entity *next_fair(const struct run_queue *queue, const struct sched_entity *entity)
{
    const struct rbtree_node *node;

    if (queue->fair.nr < 2)
        return entity == NULL && queue->fair.nr == 1 ? fair_entity(queue->fair.tree.root) : NULL;
    node = entity == NULL ? rbtree_first(&queue->fair.tree) : rbtree_next(&entity->node);
    return node == NULL ? NULL : fair_entity(node);
}

/* One that has waited for so much virtual time of its own slices, at least. */
static struct sched_entity *find_fair(const struct run_queue *from, uint32_t to, placement_filter may_run,
                                      int64_t ahead)
{
    struct sched_entity *entity = next_fair(from, NULL);

    for (unsigned i = 0; entity != NULL && i < CANDIDATES_MAX; i++, entity = next_fair(from, entity)) {
        if (ahead >= (int64_t)(BALANCE_SLICES * entity->virtual_slice) && may_run(entity, to))
            return entity;
    }
    return NULL;
}

struct sched_entity *steal_move(struct run_queue *from, struct run_queue *to, uint64_t now, placement_filter may_run)
{
    struct sched_entity *entity;
    uint64_t phase;

    run_queue_settle(from, now);
    entity = find_fifo(from, to->cpu, may_run);
    phase = run_queue_phase(from);
    if (entity == NULL)
        entity = find_fair(from, to->cpu, may_run, INT64_MAX);
    if (entity == NULL)
        return NULL;
    run_queue_remove(from, entity, now);
    (void)run_queue_add(to, entity, now, ARRIVAL_MIGRATED);
    if (entity->class == SCHED_FAIR && !from->is_phase_unknown)
        run_queue_set_phase(to, phase);
    return entity;
}

/* The first CPU from `from` on, below end, with less load than this one; CPU_MAX. */
static uint32_t next_with_less(const struct placement_view *view, const struct run_queue *queue, uint32_t from,
                               uint32_t end)
{
    for (uint32_t cpu = cpu_mask_next(view->cpus, from); cpu < end; cpu = cpu_mask_next(view->cpus, cpu + 1)) {
        if (load_of(view, cpu) < queue->load)
            return cpu;
    }
    return CPU_MAX;
}

uint32_t balance_choose(const struct placement_view *view, struct run_queue *queue)
{
    uint32_t cpu;

    if (queue->fair.nr == 0)
        return CPU_MAX;
    cpu = next_with_less(view, queue, queue->balance_next, CPU_MAX);
    if (cpu == CPU_MAX)
        cpu = next_with_less(view, queue, 0, queue->balance_next);
    if (cpu != CPU_MAX)
        queue->balance_next = cpu + 1;
    return cpu;
}

/* How far `to` is ahead, as far as that is known; unknown it is from here on even. A queue that is behind by more than
 * a while is not waited for any longer: it may have been a FIFO thread's. */
static int64_t phase_ahead(struct run_queue *from, struct run_queue *to)
{
    int64_t limit = (int64_t)(CLAIM_SLICES_MAX * next_fair(from, NULL)->virtual_slice);
    uint64_t phase = run_queue_phase(from);

    if (from->is_phase_unknown)
        run_queue_set_phase(from, phase);
    if (to->is_phase_unknown)
        run_queue_set_phase(to, phase);
    if (virtual_difference(run_queue_phase(to), phase) < -limit)
        run_queue_set_phase(to, phase - (uint64_t)limit);
    return virtual_difference(run_queue_phase(to), phase);
}

struct sched_entity *balance_move(struct run_queue *from, struct run_queue *to, uint64_t now, placement_filter may_run,
                                  enum run_queue_effect *effect)
{
    struct sched_entity *entity;
    int64_t ahead, limit;

    (void)run_queue_account(from, now);
    (void)run_queue_account(to, now);
    if (to->load == 0) {
        *effect = EFFECT_PREEMPT;
        return steal_move(from, to, now, may_run);
    }
    if (from->fair.nr == 0 || to->load >= from->load)
        return NULL;
    ahead = phase_ahead(from, to);
    entity = find_fair(from, to->cpu, may_run, ahead);
    if (entity == NULL)
        return NULL;
    /* More than it can be owed is not made good for: from here on `to` is no further ahead. */
    limit = (int64_t)(CLAIM_SLICES_MAX * entity->virtual_slice);
    if (ahead > limit) {
        run_queue_set_phase(to, run_queue_phase(from) + (uint64_t)limit);
        ahead = limit;
    }
    run_queue_remove(from, entity, now);
    *effect = run_queue_add_with_claim(to, entity, now, ahead);
    return entity;
}

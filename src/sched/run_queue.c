/* What both classes have in common, and which goes first. */
#include "run_queue.h"

#include "fair.h"
#include "fifo.h"
#include "hand_over.h"

void sched_entity_init(struct sched_entity *entity, const struct sched_policy *policy)
{
    *entity = (struct sched_entity){.state = ENTITY_OUT, .class = (uint8_t)policy->class};
    entity->priority = (uint8_t)policy->priority;
    fair_set_weight(entity, policy->nice);
}

struct sched_policy sched_entity_policy(const struct sched_entity *entity)
{
    return (struct sched_policy){
        .class = entity->class,
        .nice = entity->nice,
        .priority = entity->priority,
    };
}

void run_queue_init(struct run_queue *queue, uint32_t cpu)
{
    *queue = (struct run_queue){
        .cpu = cpu,
        .balance_next = cpu + 1,
        .is_phase_unknown = true,
        .takes_key = HAND_TAKES_NOBODY,
    };
    fair_init(&queue->fair);
    fifo_init(&queue->fifo);
}

static void charge(struct sched_entity *running, uint64_t now)
{
    uint64_t ran_ns = entity_charge_time(running, now);

    if (running->class == SCHED_FAIR)
        fair_advance(running, ran_ns);
}

bool run_queue_account(struct run_queue *queue, uint64_t now)
{
    struct sched_entity *running = queue->running;

    if (running == NULL)
        return false;
    run_queue_settle(queue, now);
    charge(running, now);
    if (running->class == SCHED_FIFO)
        return fifo_highest(&queue->fifo) > running->priority;
    return queue->fifo.nr != 0 || (queue->fair.nr != 0 && fair_is_served(running));
}

uint64_t run_queue_slice_end(const struct run_queue *queue)
{
    const struct sched_entity *running = queue->running;

    if ((queue->fair.nr == 0 && queue->handed == NULL) || running == NULL || running->class != SCHED_FAIR)
        return UINT64_MAX;
    return fair_slice_end(running);
}

/* What it means for the CPU that entity is queued. had_waiting: the running one was not alone before. */
static enum run_queue_effect effect_of(const struct run_queue *queue, const struct sched_entity *entity,
                                       bool had_waiting)
{
    const struct sched_entity *running = queue->running;

    if (running == NULL)
        return EFFECT_PREEMPT;
    if (entity->class == SCHED_FIFO)
        return sched_urgency(entity) > sched_urgency(running) ? EFFECT_PREEMPT : EFFECT_BEHIND;
    if (running->class == SCHED_FIFO)
        return EFFECT_NONE;
    if (fair_goes_before(&queue->fair, entity, running))
        return EFFECT_PREEMPT;
    return had_waiting ? EFFECT_NONE : EFFECT_TIMER;
}

static uint64_t load_of(const struct sched_entity *entity)
{
    return entity->class == SCHED_FAIR ? entity->weight : nice_weight(NICE_MIN);
}

/* A fair entity comes. Where it finds no other one, running (which may be NULL) or queued, virtual time begins anew. */
static void note_beginning(struct run_queue *queue, const struct sched_entity *running)
{
    if (queue->fair.nr == 0 && (running == NULL || running->class != SCHED_FAIR))
        queue->is_phase_unknown = true;
}

static NOINLINE enum run_queue_effect add_anybody(struct run_queue *queue, struct sched_entity *entity, uint64_t now,
                                                  enum run_queue_arrival arrival, uint64_t claim)
{
    bool had_waiting = queue->fair.nr != 0;

    if (queue->running != NULL)
        charge(queue->running, now);
    if (entity->class == SCHED_FAIR) {
        note_beginning(queue, queue->running);
        fair_place(&queue->fair, entity, queue->running, arrival);
        entity->vruntime -= claim;
        entity->deadline -= claim;
        fair_insert(&queue->fair, entity);
    } else {
        fifo_insert(&queue->fifo, entity, FIFO_END);
    }
    WRITE_ONCE(queue->load, queue->load + load_of(entity));
    entity->queue = queue;
    entity->state = ENTITY_QUEUED;
    return effect_of(queue, entity, had_waiting);
}

/* A fair entity comes to one that runs alone. */
static ALWAYS_INLINE bool is_second(const struct run_queue *queue, const struct sched_entity *entity)
{
    const struct sched_entity *running = queue->running;

    return queue->fair.nr == 0 && entity->class == SCHED_FAIR && running != NULL && running->class == SCHED_FAIR;
}

/* Places it, where that takes little: the running one's equal comes back, which happens all the time where two threads
 * wake each other; or a new one, to which nothing is owed. */
static ALWAYS_INLINE bool place_second(struct run_queue *queue, struct sched_entity *entity, uint64_t now,
                                       enum run_queue_arrival arrival)
{
    struct sched_entity *running = queue->running;

    if (arrival == ARRIVAL_NEW) {
        fair_charge(running, now);
        entity->vruntime = running->vruntime;
        entity->queue = queue;
        fair_renew_slice(entity);
        return true;
    }
    if (UNLIKELY(arrival != ARRIVAL_WOKEN || entity->queue != queue || running->weight != entity->weight))
        return false;
    fair_charge(running, now);
    fair_place_woken_equal(entity, running);
    return true;
}

static NOINLINE enum run_queue_effect add_behind_handed(struct run_queue *queue, struct sched_entity *entity,
                                                        uint64_t now, enum run_queue_arrival arrival)
{
    run_queue_settle(queue, now);
    return add_anybody(queue, entity, now, arrival, 0);
}

enum run_queue_effect run_queue_add(struct run_queue *queue, struct sched_entity *entity, uint64_t now,
                                    enum run_queue_arrival arrival)
{
    struct sched_entity *running = queue->running;

    ASSERT(entity->state == ENTITY_OUT);
    hand_forget(entity);
    if (UNLIKELY(queue->handed != NULL))
        return add_behind_handed(queue, entity, now, arrival);
    queue->takes_key = HAND_TAKES_NOBODY;
    if (UNLIKELY(!is_second(queue, entity) || !place_second(queue, entity, now, arrival)))
        return add_anybody(queue, entity, now, arrival, 0);
    fair_insert_first(&queue->fair, entity);
    WRITE_ONCE(queue->load, queue->load + entity->weight);
    entity->state = ENTITY_QUEUED;
    return fair_goes_before_only(entity, running) ? EFFECT_PREEMPT : EFFECT_TIMER;
}

enum run_queue_effect run_queue_add_with_claim(struct run_queue *queue, struct sched_entity *entity, uint64_t now,
                                               int64_t claim)
{
    hand_forget(entity);
    run_queue_settle(queue, now);
    return add_anybody(queue, entity, now, ARRIVAL_MIGRATED, (uint64_t)claim);
}

/* A waiting FIFO entity leaves its place. Others may wait elsewhere because it was to run here next: from here on they
 * find somebody less urgent. The CPU was told of it, and so comes to run_queue_next. */
static void leave_fifo(struct run_queue *queue, struct sched_entity *entity)
{
    if (sched_urgency(entity) > queue->urgency)
        queue->must_push = true;
    fifo_remove(&queue->fifo, entity);
}

void run_queue_remove(struct run_queue *queue, struct sched_entity *entity, uint64_t now)
{
    ASSERT(entity->state == ENTITY_QUEUED && entity->queue == queue);
    run_queue_settle(queue, now);
    if (queue->running != NULL)
        charge(queue->running, now);
    if (entity->class == SCHED_FAIR) {
        fair_remove(&queue->fair, entity);
        fair_leave(&queue->fair, entity, queue->running);
    } else {
        leave_fifo(queue, entity);
    }
    WRITE_ONCE(queue->load, queue->load - load_of(entity));
    entity->state = ENTITY_OUT;
}

/* Takes the running one from the CPU, as far as its own class is concerned. Returns it where it is fair and would go
 * on. */
static struct sched_entity *put_back(struct run_queue *queue, enum run_queue_departure departure)
{
    struct sched_entity *previous = queue->running;
    bool is_fair = previous->class == SCHED_FAIR;

    if (departure == WAITS) {
        previous->state = ENTITY_OUT;
        WRITE_ONCE(queue->load, queue->load - load_of(previous));
        if (is_fair)
            fair_leave(&queue->fair, previous, NULL);
        hand_note_leaving(queue, previous);
        return NULL;
    }
    previous->state = ENTITY_QUEUED;
    if (is_fair)
        return previous;
    fifo_insert(&queue->fifo, previous, departure == YIELDS ? FIFO_END : FIFO_FRONT);
    return NULL;
}

static struct sched_entity *choose(struct run_queue *queue, struct sched_entity *previous, bool is_yielding)
{
    struct sched_entity *next;

    if (queue->fifo.nr == 0)
        return fair_next(&queue->fair, previous, is_yielding);
    next = fifo_take(&queue->fifo);
    if (previous != NULL)
        fair_insert(&queue->fair, previous);
    return next;
}

static ALWAYS_INLINE struct sched_entity *start(struct run_queue *queue, struct sched_entity *next, uint64_t now)
{
    queue->running = next;
    next->state = ENTITY_RUNNING;
    WRITE_ONCE(next->started_ns, now);
    return next;
}

/* Who runs has changed. From idle and fair ones on nothing can become less urgent. */
static void note_urgency(struct run_queue *queue, uint32_t urgency)
{
    if (queue->fifo.nr != 0 || (queue->urgency > URGENCY_FAIR && queue->urgency > urgency))
        queue->must_push = true;
    WRITE_ONCE(queue->urgency, urgency);
}

static NOINLINE struct sched_entity *next_of_all(struct run_queue *queue, uint64_t now,
                                                 enum run_queue_departure departure)
{
    struct sched_entity *previous = queue->running, *next;

    run_queue_settle(queue, now);
    if (previous != NULL) {
        charge(previous, now);
        previous = put_back(queue, departure);
    }
    next = choose(queue, previous, departure == YIELDS);
    queue->running = NULL;
    note_urgency(queue, next == NULL ? 0 : sched_urgency(next));
    return next == NULL ? NULL : start(queue, next, now);
}

/* Whether there are two, fair and of one weight, the other one queued: so nobody was handed over. */
static ALWAYS_INLINE bool is_of_two_equals(const struct run_queue *queue)
{
    const struct sched_entity *running = queue->running;

    return queue->fair.nr == 1 && queue->fifo.nr == 0 && running != NULL && running->class == SCHED_FAIR &&
           queue->fair.weight == running->weight;
}

NOINLINE void run_queue_settle_handed(struct run_queue *queue, uint64_t now)
{
    struct sched_entity *entity = queue->handed;

    WRITE_ONCE(queue->handed, NULL);
    entity->state = ENTITY_OUT;
    (void)run_queue_add(queue, entity, now, ARRIVAL_WOKEN);
}

/* The running one of two equals waits. */
static NOINLINE struct sched_entity *leave_to_equal(struct run_queue *queue, uint64_t now)
{
    struct sched_entity *previous = queue->running, *next = fair_entity(queue->fair.tree.root);

    fair_charge(previous, now);
    ASSERT(next->state == ENTITY_QUEUED);
    fair_leave_equal(previous, next);
    hand_note_leaving(queue, previous);
    WRITE_ONCE(queue->load, queue->load - previous->weight);
    previous->state = ENTITY_OUT;
    fair_remove_last(&queue->fair, next);
    return start(queue, next, now);
}

/* Where two threads yield to each other this is put_back and choose in one. */
struct sched_entity *run_queue_next(struct run_queue *queue, uint64_t now, enum run_queue_departure departure)
{
    struct sched_entity *previous = queue->running, *next;

    if (UNLIKELY(departure == STAYS || !is_of_two_equals(queue)))
        return next_of_all(queue, now, departure);
    if (departure == WAITS)
        return leave_to_equal(queue, now);
    fair_charge(previous, now);
    next = fair_entity(queue->fair.tree.root);
    ASSERT(next->state == ENTITY_QUEUED);
    fair_give_way(previous, next->vruntime);
    previous->state = ENTITY_QUEUED;
    fair_insert_first(&queue->fair, previous);
    return start(queue, next, now);
}

static void take_out(struct run_queue *queue, struct sched_entity *entity)
{
    const struct sched_entity *running = entity->state == ENTITY_RUNNING ? NULL : queue->running;

    if (entity->class == SCHED_FIFO) {
        if (entity->state == ENTITY_QUEUED)
            leave_fifo(queue, entity);
        return;
    }
    if (entity->state == ENTITY_QUEUED)
        fair_remove(&queue->fair, entity);
    fair_leave(&queue->fair, entity, running);
}

static void put_in(struct run_queue *queue, struct sched_entity *entity, enum fifo_place place)
{
    const struct sched_entity *running = entity->state == ENTITY_RUNNING ? NULL : queue->running;

    if (entity->class == SCHED_FIFO) {
        if (entity->state == ENTITY_QUEUED)
            fifo_insert(&queue->fifo, entity, place);
        return;
    }
    note_beginning(queue, running);
    fair_place(&queue->fair, entity, running, ARRIVAL_MIGRATED);
    if (entity->state == ENTITY_QUEUED)
        fair_insert(&queue->fair, entity);
}

/* What a change of the running entity's policy means for its CPU. */
static enum run_queue_effect effect_on_running(const struct run_queue *queue)
{
    const struct sched_entity *running = queue->running;

    if (running->class == SCHED_FIFO)
        return fifo_highest(&queue->fifo) > running->priority ? EFFECT_PREEMPT : EFFECT_NONE;
    if (queue->fifo.nr != 0)
        return EFFECT_PREEMPT;
    return queue->fair.nr != 0 ? EFFECT_TIMER : EFFECT_NONE;
}

static void write_policy(struct sched_entity *changed, const struct sched_policy *policy)
{
    if (policy->nice != changed->nice)
        fair_change_weight(changed, policy->nice);
    changed->class = (uint8_t)policy->class;
    changed->priority = (uint8_t)policy->priority;
    hand_forget(changed);
}

enum run_queue_effect run_queue_set_policy(struct run_queue *queue, struct sched_entity *entity,
                                           const struct sched_policy *policy, uint64_t now)
{
    bool is_out = entity->state == ENTITY_OUT, had_waiting = false, stays;
    enum fifo_place place = FIFO_END;

    stays = entity->class == SCHED_FIFO && policy->class == SCHED_FIFO && entity->priority == policy->priority;
    if (entity->class == SCHED_FIFO && policy->class == SCHED_FIFO && policy->priority < entity->priority)
        place = FIFO_FRONT;
    if (!is_out) {
        ASSERT(entity->queue == queue);
        run_queue_settle(queue, now);
        if (queue->running != NULL)
            charge(queue->running, now);
        had_waiting = queue->fair.nr != 0;
        WRITE_ONCE(queue->load, queue->load - load_of(entity));
        if (!stays)
            take_out(queue, entity);
    }
    write_policy(entity, policy);
    if (is_out)
        return EFFECT_NONE;
    WRITE_ONCE(queue->load, queue->load + load_of(entity));
    if (entity->state == ENTITY_RUNNING)
        note_urgency(queue, sched_urgency(entity));
    if (stays)
        return EFFECT_NONE;
    put_in(queue, entity, place);
    return entity->state == ENTITY_RUNNING ? effect_on_running(queue) : effect_of(queue, entity, had_waiting);
}

uint64_t run_queue_phase(const struct run_queue *queue)
{
    return fair_average(&queue->fair, queue->running) + queue->phase_offset;
}

void run_queue_set_phase(struct run_queue *queue, uint64_t phase)
{
    queue->phase_offset += phase - run_queue_phase(queue);
    queue->is_phase_unknown = false;
}

static const char *check_handed(const struct run_queue *queue)
{
    const struct sched_entity *running = queue->running, *handed = queue->handed;

    if (handed == NULL && queue->takes_key == HAND_TAKES_NOBODY)
        return NULL;
    if (running == NULL || running->class != SCHED_FAIR || queue->fair.nr + queue->fifo.nr != 0)
        return "the queue takes one that is handed over, and should not";
    if (handed != NULL && (queue->takes_key != HAND_TAKES_NOBODY || handed->state != ENTITY_QUEUED ||
                           handed->class != SCHED_FAIR || handed->weight != running->weight))
        return "one was handed over who has no right to it";
    return NULL;
}

const char *run_queue_check(const struct run_queue *queue)
{
    uint64_t load = (uint64_t)queue->fair.weight + queue->fifo.nr * (uint64_t)nice_weight(NICE_MIN);
    const char *wrong = fair_check(&queue->fair);

    if (wrong == NULL)
        wrong = fifo_check(&queue->fifo);
    if (wrong == NULL && queue->running != NULL &&
        (queue->running->state != ENTITY_RUNNING || queue->running->queue != queue))
        return "the running entity is not marked as such";
    if (queue->running != NULL)
        load += load_of(queue->running);
    if (wrong == NULL)
        wrong = check_handed(queue);
    if (wrong == NULL && load != queue->load)
        wrong = "the load of the run queue is wrong";
    if (wrong == NULL && queue->urgency != (queue->running == NULL ? 0 : sched_urgency(queue->running)))
        wrong = "the urgency of the run queue is wrong";
    return wrong;
}

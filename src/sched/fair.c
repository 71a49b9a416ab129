#include "fair.h"

/* How far `zero` may be from an entity that is queued before it is moved: 2^30 / 256 ns is 4 ms at nice 0. */
#define ZERO_DISTANCE_MAX ((int64_t)1 << 30)

static void summarise(struct rbtree_node *node)
{
    struct sched_entity *entity = fair_entity(node);
    uint64_t least = entity->vruntime;

    for (unsigned side = 0; side < 2; side++) {
        const struct rbtree_node *child = node->child[side];

        if (child != NULL && virtual_difference(fair_entity(child)->least_vruntime, least) < 0)
            least = fair_entity(child)->least_vruntime;
    }
    entity->least_vruntime = least;
}

void fair_init(struct fair_queue *fair)
{
    *fair = (struct fair_queue){.tree = {.summarise = summarise}};
}

void fair_set_weight(struct sched_entity *entity, int nice)
{
    entity->nice = (int8_t)nice;
    entity->weight = nice_weight(nice);
    entity->inverse_weight = (1ull << 42) / entity->weight;
    entity->virtual_slice = SLICE_NS * entity->inverse_weight >> 24;
}

static int64_t weighed(const struct fair_queue *fair, const struct sched_entity *entity)
{
    return virtual_difference(entity->vruntime, fair->zero) * (int64_t)entity->weight;
}

/* Makes the tree of the one entity that is queued. */
static void plant(struct fair_queue *fair)
{
    struct sched_entity *only = fair_entity(fair->tree.root);

    only->node = (struct rbtree_node){.parent = NULL};
    only->least_vruntime = only->vruntime;
    fair->zero = only->vruntime;
    fair->sum = 0;
}

/* Brings zero to the average of the queued ones. */
static void move_zero(struct fair_queue *fair)
{
    int64_t distance = fair->sum / fair->weight;

    fair->zero += (uint64_t)distance;
    fair->sum -= distance * fair->weight;
}

void fair_insert_into_tree(struct fair_queue *fair, struct sched_entity *entity)
{
    struct rbtree_node *parent = NULL, *node = fair->tree.root;
    enum rbtree_side side = RBTREE_LEFT;
    int64_t distance;

    if (fair->nr == 1)
        plant(fair);
    distance = virtual_difference(entity->vruntime, fair->zero);
    if (distance > ZERO_DISTANCE_MAX || distance < -ZERO_DISTANCE_MAX)
        move_zero(fair);
    while (node != NULL) {
        parent = node;
        side = virtual_difference(entity->deadline, fair_entity(node)->deadline) < 0 ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    rbtree_insert(&fair->tree, &entity->node, parent, side);
    fair->sum += weighed(fair, entity);
    fair->weight += entity->weight;
    WRITE_ONCE(fair->nr, fair->nr + 1);
}

void fair_remove_from_tree(struct fair_queue *fair, struct sched_entity *entity)
{
    rbtree_remove(&fair->tree, &entity->node);
    fair->sum -= weighed(fair, entity);
    fair->weight -= entity->weight;
    WRITE_ONCE(fair->nr, fair->nr - 1);
}

/* What running adds to the sums: it is fair, or NULL. */
static const struct sched_entity *fair_only(const struct sched_entity *running)
{
    return running != NULL && running->class == SCHED_FAIR ? running : NULL;
}

static int64_t weight_with(const struct fair_queue *fair, const struct sched_entity *running)
{
    return fair->weight + (running != NULL ? (int64_t)running->weight : 0);
}

/* V of the queued ones and running (NULL: of the queued ones). */
static uint64_t average(const struct fair_queue *fair, const struct sched_entity *running)
{
    int64_t weight = weight_with(fair, running);
    const struct sched_entity *only;

    if (fair->nr == 0)
        return running != NULL ? running->vruntime : fair->zero;
    if (fair->nr > 1)
        return fair->zero + (uint64_t)((fair->sum + (running != NULL ? weighed(fair, running) : 0)) / weight);
    only = fair_entity(fair->tree.root);
    if (running == NULL)
        return only->vruntime;
    return only->vruntime +
           (uint64_t)(virtual_difference(running->vruntime, only->vruntime) * (int64_t)running->weight / weight);
}

uint64_t fair_average(const struct fair_queue *fair, const struct sched_entity *running)
{
    return average(fair, fair_only(running));
}

/* Whether who is at vruntime owes nothing, among the queued ones (two or more) and running (may be NULL). */
static bool is_eligible(const struct fair_queue *fair, uint64_t vruntime, const struct sched_entity *running)
{
    int64_t sum = fair->sum + (running != NULL ? weighed(fair, running) : 0);

    return (__int128)virtual_difference(vruntime, fair->zero) * weight_with(fair, running) <= sum;
}

/* An entity's lag is against V with itself in it: that is less than against the others alone by its part of the
 * weight. Both ways: */
static int64_t lag_with_itself(int64_t lag_to_others, int64_t weight, int64_t others)
{
    return weight == others ? lag_to_others >> 1 : lag_to_others - lag_to_others * weight / (weight + others);
}

static int64_t lag_to_others(int64_t lag, int64_t weight, int64_t others)
{
    return weight == others ? lag * 2 : lag + lag * weight / others;
}

static int64_t bounded(int64_t value, int64_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

void fair_leave(struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running)
{
    int64_t others, lag;

    running = fair_only(running);
    others = weight_with(fair, running);
    entity->lag = 0;
    if (others == 0) {
        fair->zero = entity->vruntime + DRY_VIRTUAL_TIME;
        return;
    }
    /* The bound keeps the product below 2^62; against a queue of the lightest a lag of the heaviest is 2^49. */
    lag = bounded(virtual_difference(average(fair, running), entity->vruntime), (int64_t)1 << 44);
    lag = lag_with_itself(lag, entity->weight, others);
    entity->lag = bounded(lag, LAG_SLICES_MAX * (int64_t)entity->virtual_slice);
}

void fair_place(const struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running,
                enum run_queue_arrival arrival)
{
    int64_t rest = virtual_difference(entity->deadline, entity->vruntime), others, lag = 0;
    uint64_t now;

    running = fair_only(running);
    others = weight_with(fair, running);
    now = average(fair, running);
    if (others != 0 && arrival != ARRIVAL_NEW) {
        lag = lag_to_others(entity->lag, entity->weight, others);
        if (lag < 0 && arrival == ARRIVAL_WOKEN && &entity->queue->fair == fair)
            lag = fair_debt_left(lag, virtual_difference(now, entity->vruntime));
    }
    entity->vruntime = now - (uint64_t)lag;
    fair_renew_slice(entity);
    if (arrival == ARRIVAL_MIGRATED && rest > 0 && rest < (int64_t)entity->virtual_slice)
        entity->deadline = entity->vruntime + (uint64_t)rest;
}

void fair_change_weight(struct sched_entity *entity, int nice)
{
    int64_t rest = bounded(virtual_difference(entity->deadline, entity->vruntime), (int64_t)entity->virtual_slice);
    int64_t old = entity->weight;

    fair_set_weight(entity, nice);
    entity->lag = entity->lag * old / (int64_t)entity->weight;
    entity->deadline = entity->vruntime + (uint64_t)(rest * old / (int64_t)entity->weight);
}

bool fair_goes_before(const struct fair_queue *fair, const struct sched_entity *entity,
                      const struct sched_entity *running)
{
    if (fair->nr == 1)
        return fair_goes_before_only(entity, running);
    return virtual_difference(entity->deadline, running->deadline) < 0 && is_eligible(fair, entity->vruntime, running);
}

/* The queued entity with the earliest deadline among those eligible; NULL where none is. Left of a node are the earlier
 * deadlines: where somebody there is eligible, so is the one sought. */
static struct sched_entity *earliest_eligible(const struct fair_queue *fair, const struct sched_entity *running)
{
    const struct rbtree_node *node = fair->tree.root;

    while (node != NULL) {
        const struct rbtree_node *left = node->child[RBTREE_LEFT];

        if (left != NULL && is_eligible(fair, fair_entity(left)->least_vruntime, running))
            node = left;
        else if (is_eligible(fair, fair_entity(node)->vruntime, running))
            return fair_entity(node);
        else
            node = node->child[RBTREE_RIGHT];
    }
    return NULL;
}

/* Of two: the one with less virtual time is eligible, or both are. */
static struct sched_entity *better_of_two(struct sched_entity *previous, struct sched_entity *other, bool is_served)
{
    int64_t ahead = virtual_difference(previous->vruntime, other->vruntime);

    if (ahead < 0)
        return previous;
    if (is_served && ahead > 0)
        return other;
    return virtual_difference(other->deadline, previous->deadline) < 0 ? other : previous;
}

/* previous, which would go on, or who goes before it. */
static struct sched_entity *better(const struct fair_queue *fair, struct sched_entity *previous)
{
    bool is_served = fair_is_served(previous);
    struct sched_entity *other;

    if (is_served)
        fair_renew_slice(previous);
    if (fair->nr == 0)
        return previous;
    if (fair->nr == 1)
        return better_of_two(previous, fair_entity(fair->tree.root), is_served);
    other = earliest_eligible(fair, previous);
    if (other == NULL)
        return previous;
    if (is_served && !is_eligible(fair, previous->vruntime, previous))
        return other;
    return virtual_difference(other->deadline, previous->deadline) < 0 ? other : previous;
}

/* Somebody but previous (NULL: nobody goes on) where there is anybody. Who gives way is at the others' average or
 * beyond, so that the one of them who has least is eligible. */
static struct sched_entity *other_than(const struct fair_queue *fair, struct sched_entity *previous)
{
    if (fair->nr == 0)
        return previous;
    if (previous != NULL)
        fair_give_way(previous, average(fair, NULL));
    return fair->nr == 1 ? fair_entity(fair->tree.root) : earliest_eligible(fair, previous);
}

struct sched_entity *fair_next(struct fair_queue *fair, struct sched_entity *previous, bool is_yielding)
{
    struct sched_entity *next = previous == NULL || is_yielding ? other_than(fair, previous) : better(fair, previous);

    if (next == previous)
        return previous;
    ASSERT(next->state == ENTITY_QUEUED);
    fair_remove(fair, next);
    if (previous != NULL)
        fair_insert(fair, previous);
    return next;
}

#include "fair.h"

/* A lag that is kept may be this many slices. In steady state it is below one; more comes from long stretches with
 * preemption off. */
#define LAG_SLICES_MAX 2

/* How far `zero` may be from an entity that is queued before it is moved: 2^30 / 256 ns is 4 ms at nice 0. */
#define ZERO_DISTANCE_MAX ((int64_t)1 << 30)

/* What passes, in virtual time, when a queue runs dry: more than anybody's lag, since a CPU without work owes nothing.
 * A slice of weight 15 is 3 ms * 256 * 1024 / 15 < 2^36. */
#define DRY_VIRTUAL_TIME (LAG_SLICES_MAX * ((int64_t)1 << 36))

static struct sched_entity *entity_of(const struct rbtree_node *node)
{
    return CONTAINER_OF((struct rbtree_node *)node, struct sched_entity, node);
}

static void summarise(struct rbtree_node *node)
{
    struct sched_entity *entity = entity_of(node);
    int64_t least = entity->vruntime;

    for (unsigned side = 0; side < 2; side++) {
        if (node->child[side] != NULL && entity_of(node->child[side])->least_vruntime - least < 0)
            least = entity_of(node->child[side])->least_vruntime;
    }
    entity->least_vruntime = least;
}

void fair_set_weight(struct sched_entity *entity, int nice)
{
    entity->nice = (int8_t)nice;
    entity->weight = nice_weight(nice);
    entity->inverse_weight = (1ull << 42) / entity->weight;
    entity->virtual_slice = (int64_t)(SLICE_NS * entity->inverse_weight >> 24);
}

static int64_t weighed(const struct fair_queue *fair, const struct sched_entity *entity)
{
    return (entity->vruntime - fair->zero) * (int64_t)entity->weight;
}

/* Brings zero to the average of the queued ones. */
static void move_zero(struct fair_queue *fair)
{
    int64_t distance = fair->sum / (int64_t)fair->weight;

    fair->zero += distance;
    fair->sum -= distance * (int64_t)fair->weight;
}

static NOINLINE void insert_into_tree(struct fair_queue *fair, struct sched_entity *entity)
{
    struct rbtree_node *parent = NULL, *node = fair->tree.root;
    enum rbtree_side side = RBTREE_LEFT;
    int64_t distance = entity->vruntime - fair->zero;

    if (distance > ZERO_DISTANCE_MAX || distance < -ZERO_DISTANCE_MAX)
        move_zero(fair);
    while (node != NULL) {
        parent = node;
        side = entity->deadline - entity_of(node)->deadline < 0 ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    fair->tree.summarise = summarise;
    rbtree_insert(&fair->tree, &entity->node, parent, side);
    fair->sum += weighed(fair, entity);
}

void fair_insert(struct fair_queue *fair, struct sched_entity *entity)
{
    if (fair->nr == 0) {
        entity->node = (struct rbtree_node){.parent = NULL};
        entity->least_vruntime = entity->vruntime;
        fair->tree.root = &entity->node;
        fair->zero = entity->vruntime;
        fair->sum = 0;
    } else {
        insert_into_tree(fair, entity);
    }
    fair->weight += entity->weight;
    fair->nr++;
}

void fair_remove(struct fair_queue *fair, struct sched_entity *entity)
{
    fair->nr--;
    fair->weight -= entity->weight;
    if (fair->nr == 0) {
        fair->tree.root = NULL;
        return;
    }
    fair->sum -= weighed(fair, entity);
    rbtree_remove(&fair->tree, &entity->node);
}

/* What running adds to the sums: it is fair, or NULL. */
static const struct sched_entity *fair_only(const struct sched_entity *running)
{
    return running != NULL && running->class == SCHED_FAIR ? running : NULL;
}

static int64_t weight_with(const struct fair_queue *fair, const struct sched_entity *running)
{
    return (int64_t)fair->weight + (running != NULL ? (int64_t)running->weight : 0);
}

/* V of the queued ones and running (NULL: of the queued ones). */
static int64_t average(const struct fair_queue *fair, const struct sched_entity *running)
{
    int64_t weight = weight_with(fair, running);

    if (running != NULL)
        return fair->nr == 0 ? running->vruntime : fair->zero + (fair->sum + weighed(fair, running)) / weight;
    if (fair->nr == 1)
        return entity_of(fair->tree.root)->vruntime;
    return fair->nr == 0 ? fair->zero : fair->zero + fair->sum / weight;
}

/* Whether who is at vruntime owes nothing, among the queued ones and running (may be NULL). */
static bool is_eligible(const struct fair_queue *fair, int64_t vruntime, const struct sched_entity *running)
{
    int64_t sum = fair->sum + (running != NULL ? weighed(fair, running) : 0);

    return (__int128)(vruntime - fair->zero) * weight_with(fair, running) <= sum;
}

/* An entity's lag is against V with itself in it: that is less than against the others alone by its part of the
 * weight. Both ways: */
static int64_t lag_with_itself(int64_t lag_to_others, int64_t weight, int64_t others)
{
    return weight == others ? lag_to_others / 2 : lag_to_others - lag_to_others * weight / (weight + others);
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
    lag = bounded(average(fair, running) - entity->vruntime, (int64_t)1 << 44);
    lag = lag_with_itself(lag, entity->weight, others);
    entity->lag = bounded(lag, LAG_SLICES_MAX * entity->virtual_slice);
}

/* A debt is less by how far the others have moved on since; claim is by how much they are beyond the debtor now. */
static int64_t debt_left(int64_t lag, int64_t claim)
{
    if (claim >= 0)
        return 0;
    return claim > lag ? claim : lag;
}

void fair_place(struct fair_queue *fair, struct sched_entity *entity, const struct sched_entity *running,
                enum run_queue_arrival arrival)
{
    int64_t rest = entity->deadline - entity->vruntime, others, lag, now;

    running = fair_only(running);
    others = weight_with(fair, running);
    now = average(fair, running);
    if (others == 0 || arrival == ARRIVAL_NEW || entity->lag == 0) {
        lag = 0;
    } else {
        lag = lag_to_others(entity->lag, entity->weight, others);
        if (lag < 0 && arrival == ARRIVAL_WOKEN && &entity->queue->fair == fair)
            lag = debt_left(lag, now - entity->vruntime);
    }
    entity->vruntime = now - lag;
    entity->deadline = entity->vruntime + entity->virtual_slice;
    if (arrival == ARRIVAL_MIGRATED && rest > 0 && rest < entity->virtual_slice)
        entity->deadline = entity->vruntime + rest;
}

void fair_change_weight(struct sched_entity *entity, int nice)
{
    int64_t rest = bounded(entity->deadline - entity->vruntime, entity->virtual_slice), old = entity->weight;

    fair_set_weight(entity, nice);
    entity->lag = entity->lag * old / (int64_t)entity->weight;
    entity->deadline = entity->vruntime + rest * old / (int64_t)entity->weight;
}

bool fair_goes_before(const struct fair_queue *fair, const struct sched_entity *entity,
                      const struct sched_entity *running)
{
    return entity->deadline - running->deadline < 0 && is_eligible(fair, entity->vruntime, running);
}

/* The queued entity with the earliest deadline among those eligible; NULL where none is. Left of a node are the earlier
 * deadlines: where somebody there is eligible, so is the one sought. */
static struct sched_entity *earliest_eligible(const struct fair_queue *fair, const struct sched_entity *running)
{
    const struct rbtree_node *node = fair->tree.root;

    while (node != NULL) {
        const struct rbtree_node *left = node->child[RBTREE_LEFT];

        if (left != NULL && is_eligible(fair, entity_of(left)->least_vruntime, running))
            node = left;
        else if (is_eligible(fair, entity_of(node)->vruntime, running))
            return entity_of(node);
        else
            node = node->child[RBTREE_RIGHT];
    }
    return NULL;
}

/* Who goes before previous, which would go on; NULL where nobody does. */
static struct sched_entity *find_better(const struct fair_queue *fair, struct sched_entity *previous)
{
    bool is_served = fair_is_served(previous), is_previous_eligible;
    struct sched_entity *next;

    if (is_served)
        fair_renew_slice(previous);
    if (fair->nr == 1) { /* of two, the one with less virtual time is eligible, or both are */
        next = entity_of(fair->tree.root);
        if (next->vruntime - previous->vruntime > 0)
            return NULL;
        is_previous_eligible = next->vruntime == previous->vruntime;
    } else {
        next = earliest_eligible(fair, previous);
        if (next == NULL)
            return NULL;
        is_previous_eligible = is_eligible(fair, previous->vruntime, previous);
    }
    if (is_served && !is_previous_eligible)
        return next;
    return next->deadline - previous->deadline < 0 ? next : NULL;
}

/* Whom previous makes way for (NULL: nobody goes on). Somebody is eligible: with previous at the others' average or
 * beyond, the one who has least is. */
static struct sched_entity *find_other(const struct fair_queue *fair, struct sched_entity *previous)
{
    if (previous != NULL) {
        int64_t others = average(fair, NULL);

        if (others - previous->vruntime > 0)
            previous->vruntime = others;
        fair_renew_slice(previous);
    }
    return fair->nr == 1 ? entity_of(fair->tree.root) : earliest_eligible(fair, previous);
}

struct sched_entity *fair_next(struct fair_queue *fair, struct sched_entity *previous, bool is_yielding)
{
    struct sched_entity *next;

    if (fair->nr == 0) {
        if (previous != NULL && fair_is_served(previous))
            fair_renew_slice(previous);
        return previous;
    }
    if (previous == NULL || is_yielding)
        next = find_other(fair, previous);
    else
        next = find_better(fair, previous);
    if (next == NULL)
        return previous;
    ASSERT(next->state == ENTITY_QUEUED);
    fair_remove(fair, next);
    if (previous != NULL)
        fair_insert(fair, previous);
    return next;
}

/* Checks the subtree, counts it and adds up what the queue keeps sums of. */
static const char *check_subtree(const struct fair_queue *fair, const struct rbtree_node *node,
                                 struct fair_queue *found)
{
    const struct sched_entity *entity = entity_of(node);
    int64_t least = entity->vruntime;

    if (entity->state != ENTITY_QUEUED || entity->class != SCHED_FAIR)
        return "somebody in the fair tree does not belong there";
    if (++found->nr > fair->nr)
        return "more in the fair tree than counted";
    for (unsigned side = 0; side < 2; side++) {
        const struct rbtree_node *child = node->child[side];
        const char *wrong;

        if (child == NULL)
            continue;
        if (child->parent != node)
            return "a parent in the fair tree is wrong";
        if (side == RBTREE_LEFT ? entity_of(child)->deadline - entity->deadline > 0
                                : entity_of(child)->deadline - entity->deadline < 0)
            return "the fair tree is not in the order of deadlines";
        wrong = check_subtree(fair, child, found);
        if (wrong != NULL)
            return wrong;
        if (entity_of(child)->least_vruntime - least < 0)
            least = entity_of(child)->least_vruntime;
    }
    if (entity->least_vruntime != least)
        return "the least vruntime of a subtree is wrong";
    found->weight += entity->weight;
    found->sum += weighed(fair, entity);
    return NULL;
}

const char *fair_check(const struct fair_queue *fair)
{
    struct fair_queue found = {.nr = 0};
    const char *wrong = fair->tree.root == NULL ? NULL : check_subtree(fair, fair->tree.root, &found);

    if (wrong != NULL)
        return wrong;
    if (found.nr != fair->nr)
        return "fewer in the fair tree than counted";
    if (fair->nr != 0 && (found.weight != fair->weight || found.sum != fair->sum))
        return "the sums of the fair tree are wrong";
    return fair->weight == 0 || fair->nr != 0 ? NULL : "an empty fair queue has weight";
}

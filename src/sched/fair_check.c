/* The rules of fair.h, looked at one by one. */
#include "fair.h"

static const char *check_subtree(const struct fair_queue *fair, const struct rbtree_node *node,
                                 struct fair_queue *found);

static const char *check_child(const struct fair_queue *fair, const struct rbtree_node *node, enum rbtree_side side,
                               struct fair_queue *found, uint64_t *least)
{
    const struct rbtree_node *child = node->child[side];
    const char *wrong;
    int64_t later;

    if (child == NULL)
        return NULL;
    if (child->parent != node)
        return "a parent in the fair tree is wrong";
    later = virtual_difference(fair_entity(child)->deadline, fair_entity(node)->deadline);
    if (side == RBTREE_LEFT ? later > 0 : later < 0)
        return "the fair tree is not in the order of deadlines";
    wrong = check_subtree(fair, child, found);
    if (virtual_difference(fair_entity(child)->least_vruntime, *least) < 0)
        *least = fair_entity(child)->least_vruntime;
    return wrong;
}

/* Also counts the subtree, and adds up what the queue keeps sums of. */
static const char *check_subtree(const struct fair_queue *fair, const struct rbtree_node *node,
                                 struct fair_queue *found)
{
    const struct sched_entity *entity = fair_entity(node);
    uint64_t least = entity->vruntime;
    const char *wrong;

    if (entity->state != ENTITY_QUEUED || entity->class != SCHED_FAIR || &entity->queue->fair != fair)
        return "somebody in the fair tree does not belong there";
    if (++found->nr > fair->nr)
        return "more in the fair tree than counted";
    found->weight += entity->weight;
    if (fair->nr == 1)
        return NULL; /* the tree is not made yet */
    found->sum += virtual_difference(entity->vruntime, fair->zero) * (int64_t)entity->weight;
    wrong = check_child(fair, node, RBTREE_LEFT, found, &least);
    if (wrong == NULL)
        wrong = check_child(fair, node, RBTREE_RIGHT, found, &least);
    if (wrong == NULL && entity->least_vruntime != least)
        wrong = "the least vruntime of a subtree is wrong";
    return wrong;
}

const char *fair_check(const struct fair_queue *fair)
{
    struct fair_queue found = {.nr = 0};
    const char *wrong = fair->tree.root == NULL ? NULL : check_subtree(fair, fair->tree.root, &found);

    if (wrong != NULL)
        return wrong;
    if (found.nr != fair->nr)
        return "fewer in the fair tree than counted";
    if (found.weight != fair->weight)
        return "the weight of the fair queue is wrong";
    return fair->nr < 2 || found.sum == fair->sum ? NULL : "the sum of the fair queue is wrong";
}

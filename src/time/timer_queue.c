#include "timer_queue.h"

static struct timer *timer_of(struct rbtree_node *node)
{
    return node ? CONTAINER_OF(node, struct timer, node) : NULL;
}

void timer_queue_insert(struct timer_queue *queue, struct timer *timer)
{
    struct rbtree_node *parent = NULL, *node = queue->tree.root;
    enum rbtree_side side = RBTREE_LEFT;

    while (node) {
        parent = node;
        side = timer->deadline_ns < timer_of(node)->deadline_ns ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    rbtree_insert(&queue->tree, &timer->node, parent, side);
    timer->is_queued = true;
}

void timer_queue_remove(struct timer_queue *queue, struct timer *timer)
{
    rbtree_remove(&queue->tree, &timer->node);
    timer->is_queued = false;
}

struct timer *timer_queue_first(const struct timer_queue *queue)
{
    return timer_of(rbtree_first(&queue->tree));
}

struct timer *timer_queue_next(const struct timer *timer)
{
    return timer_of(rbtree_next(&timer->node));
}

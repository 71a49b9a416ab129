#include "timer_queue.h"

static struct timer *timer_of(struct rbtree_node *node)
{
    return node ? CONTAINER_OF(node, struct timer, node) : NULL;
}

static void sort_in(struct timer_queue *queue, struct timer *timer)
{
    struct rbtree_node *parent = NULL, *node = queue->sorted.root;
    enum rbtree_side side = RBTREE_LEFT;

    while (node) {
        parent = node;
        side = timer->deadline_ns < timer_of(node)->deadline_ns ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    rbtree_insert(&queue->sorted, &timer->node, parent, side);
    timer->place = TIMER_SORTED;
}

struct timer *timer_queue_first(struct timer_queue *queue)
{
    struct list *link;

    while ((link = list_first(&queue->unsorted)) != NULL) {
        list_remove(link);
        sort_in(queue, CONTAINER_OF(link, struct timer, link));
    }
    return timer_of(rbtree_first(&queue->sorted));
}

struct timer *timer_queue_next(const struct timer *timer)
{
    return timer_of(rbtree_next(&timer->node));
}

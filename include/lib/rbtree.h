/* A red-black tree with the nodes inside the objects (as in CONTAINER_OF). The caller descends by its own order and
 * links; insertion and removal rebalance in O(log n). An optional hook keeps a value that summarises each subtree (its
 * largest gap, its last end). No locking of its own. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

enum rbtree_side { RBTREE_LEFT, RBTREE_RIGHT };

struct rbtree_node {
    struct rbtree_node *parent, *child[2];
    bool is_red;
};

struct rbtree {
    struct rbtree_node *root;
    /* Recomputes node's summary from its own value and its children's summaries; NULL where there is none. */
    void (*summarise)(struct rbtree_node *node);
};

/* Links node as the missing child of parent on that side (parent NULL: as the root of an empty tree). */
void rbtree_insert(struct rbtree *tree, struct rbtree_node *node, struct rbtree_node *parent, enum rbtree_side side);

void rbtree_remove(struct rbtree *tree, struct rbtree_node *node);

/* To be called when node's own value has changed: summarises from it up to the root. */
void rbtree_value_changed(struct rbtree *tree, struct rbtree_node *node);

/* In order; NULL past the ends. */
struct rbtree_node *rbtree_first(const struct rbtree *tree);
struct rbtree_node *rbtree_last(const struct rbtree *tree);
struct rbtree_node *rbtree_next(const struct rbtree_node *node);
struct rbtree_node *rbtree_previous(const struct rbtree_node *node);

/* Red-black tree (Cormen et al., Introduction to Algorithms, chapter 13), each case written once for both sides.
 *
 * Invariants:
 *   1. the root is black; a red node has no red child
 *   2. every path from a node down to a missing child has the same number of black nodes
 *   3. each node's summary is that of its subtree */
#include <lib/rbtree.h>

static bool is_red(const struct rbtree_node *node)
{
    return node && node->is_red;
}

static enum rbtree_side side_of(const struct rbtree_node *parent, const struct rbtree_node *node)
{
    return parent->child[RBTREE_LEFT] == node ? RBTREE_LEFT : RBTREE_RIGHT;
}

static void summarise(const struct rbtree *tree, struct rbtree_node *node)
{
    if (tree->summarise)
        tree->summarise(node);
}

void rbtree_value_changed(struct rbtree *tree, struct rbtree_node *node)
{
    if (!tree->summarise)
        return;
    for (; node; node = node->parent)
        tree->summarise(node);
}

/* Puts new (may be NULL) where old hangs. */
static void replace(struct rbtree *tree, struct rbtree_node *old, struct rbtree_node *new)
{
    if (!old->parent)
        tree->root = new;
    else
        old->parent->child[side_of(old->parent, old)] = new;
    if (new)
        new->parent = old->parent;
}

/* Moves top down to this side; its child of the other side comes up in its place. */
static void rotate(struct rbtree *tree, struct rbtree_node *top, enum rbtree_side side)
{
    struct rbtree_node *up = top->child[!side], *moved = up->child[side];

    replace(tree, top, up);
    top->child[!side] = moved;
    if (moved)
        moved->parent = top;
    up->child[side] = top;
    top->parent = up;
    summarise(tree, top);
    summarise(tree, up);
}

void rbtree_insert(struct rbtree *tree, struct rbtree_node *node, struct rbtree_node *parent, enum rbtree_side side)
{
    *node = (struct rbtree_node){.parent = parent, .is_red = true};
    if (parent)
        parent->child[side] = node;
    else
        tree->root = node;
    rbtree_value_changed(tree, node);

    while (is_red(parent = node->parent)) {
        struct rbtree_node *grandparent = parent->parent; /* exists: the root is black */
        enum rbtree_side parent_side = side_of(grandparent, parent);
        struct rbtree_node *uncle = grandparent->child[!parent_side];

        grandparent->is_red = true;
        if (is_red(uncle)) {
            parent->is_red = uncle->is_red = false;
            node = grandparent;
            continue;
        }
        if (node != parent->child[parent_side]) { /* an inner grandchild: first make it an outer one */
            rotate(tree, parent, parent_side);
            parent = node;
        }
        parent->is_red = false;
        rotate(tree, grandparent, !parent_side);
        break;
    }
    tree->root->is_red = false;
}

/* The paths through parent's child node (may be NULL) lack one black node. */
static void restore_black(struct rbtree *tree, struct rbtree_node *node, struct rbtree_node *parent)
{
    while (parent && !is_red(node)) {
        enum rbtree_side side = side_of(parent, node);
        struct rbtree_node *sibling = parent->child[!side]; /* exists: its paths have a black node more */

        if (sibling->is_red) {
            sibling->is_red = false;
            parent->is_red = true;
            rotate(tree, parent, side);
            sibling = parent->child[!side];
        }
        if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
            sibling->is_red = true; /* now the whole subtree lacks one */
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(sibling->child[!side])) {
            sibling->child[side]->is_red = false;
            sibling->is_red = true;
            rotate(tree, sibling, !side);
            sibling = parent->child[!side];
        }
        sibling->is_red = parent->is_red;
        parent->is_red = false;
        sibling->child[!side]->is_red = false;
        rotate(tree, parent, side);
        return;
    }
    if (node)
        node->is_red = false;
}

/* Takes node out, which has both children: the next node in order takes its place and colour. Sets what is missing a
 * black node afterwards. Returns the colour that was lost. */
static bool remove_inner(struct rbtree *tree, struct rbtree_node *node, struct rbtree_node **child,
                         struct rbtree_node **parent)
{
    struct rbtree_node *next = rbtree_next(node);
    bool was_red = next->is_red;

    *child = next->child[RBTREE_RIGHT];
    *parent = next;
    if (next->parent != node) {
        *parent = next->parent;
        replace(tree, next, *child);
        next->child[RBTREE_RIGHT] = node->child[RBTREE_RIGHT];
        next->child[RBTREE_RIGHT]->parent = next;
    }
    next->child[RBTREE_LEFT] = node->child[RBTREE_LEFT];
    next->child[RBTREE_LEFT]->parent = next;
    replace(tree, node, next);
    next->is_red = node->is_red;
    return was_red;
}

void rbtree_remove(struct rbtree *tree, struct rbtree_node *node)
{
    struct rbtree_node *child, *parent;
    bool was_red;

    if (node->child[RBTREE_LEFT] && node->child[RBTREE_RIGHT]) {
        was_red = remove_inner(tree, node, &child, &parent);
    } else {
        child = node->child[RBTREE_LEFT] ? node->child[RBTREE_LEFT] : node->child[RBTREE_RIGHT];
        parent = node->parent;
        was_red = node->is_red;
        replace(tree, node, child);
    }
    rbtree_value_changed(tree, parent);
    if (!was_red)
        restore_black(tree, child, parent);
}

static struct rbtree_node *outermost(struct rbtree_node *node, enum rbtree_side side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

struct rbtree_node *rbtree_first(const struct rbtree *tree)
{
    return outermost(tree->root, RBTREE_LEFT);
}

struct rbtree_node *rbtree_last(const struct rbtree *tree)
{
    return outermost(tree->root, RBTREE_RIGHT);
}

static struct rbtree_node *neighbour(const struct rbtree_node *node, enum rbtree_side side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node == node->parent->child[side])
        node = node->parent;
    return node->parent;
}

struct rbtree_node *rbtree_next(const struct rbtree_node *node)
{
    return neighbour(node, RBTREE_RIGHT);
}

struct rbtree_node *rbtree_previous(const struct rbtree_node *node)
{
    return neighbour(node, RBTREE_LEFT);
}

/* Red-black tree: random insertions and removals against a sorted array, with all invariants after each; a planted
 * error must be seen. */
#include "support/random.h"
#include "support/unit.h"

#include <string.h>

#include <lib/rbtree.h>

#define NODES_MAX 200

struct item {
    struct rbtree_node node;
    uint64_t key, largest; /* largest key of the subtree */
};

static struct item *item_of(struct rbtree_node *node)
{
    return CONTAINER_OF(node, struct item, node);
}

static void summarise(struct rbtree_node *node)
{
    struct item *item = item_of(node);

    item->largest = item->key;
    for (unsigned i = 0; i < 2; i++) {
        if (node->child[i] && item_of(node->child[i])->largest > item->largest)
            item->largest = item_of(node->child[i])->largest;
    }
}

static bool is_broken;

/* Black height; checks colours, parents, order of children and summaries on the way. */
static unsigned check(struct rbtree_node *node, struct rbtree_node *parent)
{
    unsigned left, right;
    struct item copy;

    if (!node)
        return 1;
    is_broken |= node->parent != parent;
    is_broken |= node->is_red && (!parent || parent->is_red);
    left = check(node->child[RBTREE_LEFT], node);
    right = check(node->child[RBTREE_RIGHT], node);
    is_broken |= left != right;
    copy = *item_of(node);
    summarise(&copy.node);
    is_broken |= copy.largest != item_of(node)->largest;
    return left + !node->is_red;
}

static void insert(struct rbtree *tree, struct item *item)
{
    struct rbtree_node *parent = NULL, *node = tree->root;
    enum rbtree_side side = RBTREE_LEFT;

    while (node) {
        parent = node;
        side = item->key < item_of(node)->key ? RBTREE_LEFT : RBTREE_RIGHT;
        node = node->child[side];
    }
    rbtree_insert(tree, &item->node, parent, side);
}

/* True when walking both ways gives exactly the keys of the present items. */
static bool is_in_order(struct rbtree *tree, const bool *present)
{
    struct rbtree_node *node = rbtree_first(tree);
    unsigned i;

    for (i = 0; i < NODES_MAX; i++) {
        if (!present[i])
            continue;
        if (!node || item_of(node)->key != i)
            return false;
        node = rbtree_next(node);
    }
    if (node)
        return false;
    node = rbtree_last(tree);
    for (i = NODES_MAX; i-- > 0;) {
        if (!present[i])
            continue;
        if (!node || item_of(node)->key != i)
            return false;
        node = rbtree_previous(node);
    }
    return !node;
}

/* Returns whether something was found broken. plant: spoil the tree at this step. */
static bool run(uint64_t seed, unsigned steps, unsigned plant)
{
    static struct item items[NODES_MAX];
    bool present[NODES_MAX] = {false};
    struct rbtree tree = {NULL, summarise};

    is_broken = false;
    for (unsigned step = 0; step < steps && !is_broken; step++) {
        unsigned i = (unsigned)random_below(&seed, NODES_MAX);

        if (present[i]) {
            rbtree_remove(&tree, &items[i].node);
        } else {
            items[i].key = i;
            insert(&tree, &items[i]);
        }
        present[i] = !present[i];
        if (step == plant && tree.root && tree.root->child[0])
            tree.root->child[0]->is_red ^= 1;
        check(tree.root, NULL);
        is_broken |= !is_in_order(&tree, present);
    }
    return is_broken;
}

static void test_random(void **state)
{
    for (uint64_t seed = 1; seed < 20; seed++)
        assert_false(run(seed, 1000, ~0u));
}

static void test_planted_error_is_found(void **state)
{
    for (uint64_t seed = 1; seed < 20; seed++)
        assert_true(run(seed, 1000, 300));
}

static void test_empty(void **state)
{
    struct rbtree tree = {0};

    assert_null(rbtree_first(&tree));
    assert_null(rbtree_last(&tree));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_planted_error_is_found),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

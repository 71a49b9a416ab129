/* Building the tree of names, and finding in it. The tree of search is one for all: its key is the parent and the name,
 * so that a hundred thousand names in one scope cost no more than anywhere else. */
#include "aml_namespace.h"

#include <base/errno.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define NR_ARGUMENTS 7u /* the mask of them in a method's flags */

static struct aml_node *node_of(struct rbtree_node *node)
{
    return CONTAINER_OF(node, struct aml_node, by_name);
}

static int compare(const struct aml_node *parent, const char *name, const struct aml_node *node)
{
    if (parent != node->parent)
        return (uintptr_t)parent < (uintptr_t)node->parent ? -1 : 1;
    return memcmp(name, node->name, AML_NAME_LENGTH);
}

/* Where the child is or would have to be linked. */
static struct aml_node *find(const struct aml_namespace *names, const struct aml_node *parent, const char *name,
                             struct rbtree_node **at, enum rbtree_side *side)
{
    struct rbtree_node *node = names->names.root;

    for (*at = NULL; node; node = node->child[*side]) {
        int order = compare(parent, name, node_of(node));

        if (order == 0)
            return node_of(node);
        *at = node;
        *side = order < 0 ? RBTREE_LEFT : RBTREE_RIGHT;
    }
    return NULL;
}

const struct aml_node *aml_child(const struct aml_namespace *names, const struct aml_node *parent, const char *name)
{
    enum rbtree_side side = RBTREE_LEFT;
    struct rbtree_node *at;

    return find(names, parent, name, &at, &side);
}

void aml_namespace_init(struct aml_namespace *names)
{
    *names = (struct aml_namespace){0};
    names->last = &names->root;
}

static struct aml_node *find_or_add(struct aml_namespace *names, struct aml_node *parent, const char *name)
{
    enum rbtree_side side = RBTREE_LEFT;
    struct rbtree_node *at;
    struct aml_node *node = find(names, parent, name, &at, &side);

    if (node || names->nr_names == AML_NAMES_MAX)
        return node;
    node = kmalloc(sizeof(*node), ALLOC_ZERO);
    if (!node)
        return NULL;
    node->parent = parent;
    memcpy(node->name, name, AML_NAME_LENGTH);
    rbtree_insert(&names->names, &node->by_name, at, side);
    names->last->next = node;
    names->last = node;
    names->nr_names++;
    return node;
}

struct building {
    struct aml_namespace *names;
    bool is_full;
};

static bool declare(const struct aml_object *object, void *context)
{
    struct building *building = context;
    struct aml_node *node = &building->names->root;

    for (unsigned i = 0; node && i < object->path->depth; i++)
        node = find_or_add(building->names, node, object->path->names[i]);
    if (!node) {
        building->is_full = true;
        return false;
    }
    if (node == &building->names->root || (node->data && (!node->is_conditional || object->is_conditional)))
        return true;
    node->kind = (uint8_t)object->kind;
    node->data = object->data;
    node->length_bytes = object->length_bytes;
    node->is_conditional = object->is_conditional;
    return true;
}

int aml_namespace_add(struct aml_namespace *names, const uint8_t *aml, uint32_t length_bytes)
{
    struct building building = {names, false};
    int unread = aml_walk(aml, length_bytes, declare, &building);

    return building.is_full ? -ENOMEM : unread;
}

/* \_PIC as (Store (Arg0, a name)) and nothing else; what does more is not known to have been done. */
void aml_namespace_finish(struct aml_namespace *names)
{
    const struct aml_node *method = aml_child(names, &names->root, "_PIC");
    struct aml_name name;
    uint8_t flags, store, argument;

    if (!method || !method->data || method->kind != AML_METHOD)
        return;
    struct aml_reader reader = {method->data, 0, method->length_bytes};
    if (!aml_take_byte(&reader, &flags) || (flags & NR_ARGUMENTS) != 1 || !aml_take_byte(&reader, &store) ||
        store != AML_STORE || !aml_take_byte(&reader, &argument) || argument != AML_ARG0 ||
        !aml_take_name(&reader, &name) || reader.at != reader.end)
        return;
    const struct aml_node *variable = aml_resolve(names, method, &name);
    if (variable && variable->data && variable->kind == AML_NAME)
        names->pic = variable;
}

void aml_namespace_free(struct aml_namespace *names)
{
    while (names->root.next) {
        struct aml_node *node = names->root.next;

        names->root.next = node->next;
        kfree(node);
    }
    aml_namespace_init(names);
}

static const struct aml_node *descend(const struct aml_namespace *names, const struct aml_node *node,
                                      const struct aml_name *name)
{
    for (unsigned i = 0; node && i < name->nr_segments; i++)
        node = aml_child(names, node, (const char *)name->segments + i * AML_NAME_LENGTH);
    return node;
}

const struct aml_node *aml_resolve(const struct aml_namespace *names, const struct aml_node *scope,
                                   const struct aml_name *name)
{
    const struct aml_node *found = NULL;

    if (name->is_absolute)
        return descend(names, &names->root, name);
    if (name->nr_parents != 0 || name->nr_segments != 1) {
        for (unsigned i = 0; scope && i < name->nr_parents; i++)
            scope = scope->parent;
        return descend(names, scope, name);
    }
    for (; scope && !found; scope = scope->parent)
        found = descend(names, scope, name);
    return found;
}

const struct aml_node *aml_next_device(const struct aml_namespace *names, const struct aml_node *device)
{
    const struct aml_node *node = device ? device->next : names->root.next;

    while (node && (!node->data || node->kind != AML_DEVICE))
        node = node->next;
    return node;
}

/* A circular doubly linked list with the links inside the objects (as in CONTAINER_OF). No locking of its own; whether
 * a list has a first node may be looked at without the lock, with READ_ONCE. Links are checked on every insertion and
 * removal, in every build: a corrupt neighbour ends in list_corrupted. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INITIALIZER(name) \
    {                          \
        &(name), &(name)       \
    }

/* Ends the kernel: says which link of which node held what. Implemented by debug/panic.c and the host test support. */
NORETURN COLD void list_corrupted(const struct list *node, const struct list *neighbour, const struct list *found,
                                  const char *operation);

/* What a removed node's links are set to: non-canonical, so that following one faults at once. */
#define LIST_POISON_NEXT ((struct list *)0xdead000000000100)
#define LIST_POISON_PREV ((struct list *)0xdead000000000200)

static inline void list_init(struct list *list)
{
    list->next = list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_insert_between_(struct list *node, struct list *prev, struct list *next)
{
    if (UNLIKELY(prev->next != next))
        list_corrupted(node, prev, prev->next, "insert: prev->next");
    if (UNLIKELY(next->prev != prev))
        list_corrupted(node, next, next->prev, "insert: next->prev");
    if (UNLIKELY(node == prev || node == next))
        list_corrupted(node, prev, next, "insert: node is already in the list");
    node->prev = prev;
    node->next = next;
    WRITE_ONCE(prev->next, node);
    next->prev = node;
}

static inline void list_add_first(struct list *list, struct list *node)
{
    list_insert_between_(node, list, list->next);
}

static inline void list_add_last(struct list *list, struct list *node)
{
    list_insert_between_(node, list->prev, list);
}

static inline void list_remove(struct list *node)
{
    struct list *prev = node->prev, *next = node->next;

    if (UNLIKELY(next == LIST_POISON_NEXT || prev == LIST_POISON_PREV))
        list_corrupted(node, node, next, "remove: node was removed before");
    if (UNLIKELY(prev->next != node))
        list_corrupted(node, prev, prev->next, "remove: prev->next");
    if (UNLIKELY(next->prev != node))
        list_corrupted(node, next, next->prev, "remove: next->prev");
    WRITE_ONCE(prev->next, next);
    next->prev = prev;
    node->next = LIST_POISON_NEXT;
    node->prev = LIST_POISON_PREV;
}

/* Takes the first node out of a list that is not empty. */
static inline struct list *list_remove_first(struct list *list)
{
    struct list *node = list->next, *next = node->next;

    if (UNLIKELY(node->prev != list))
        list_corrupted(node, node, node->prev, "remove: first->prev");
    if (UNLIKELY(next->prev != node))
        list_corrupted(node, next, next->prev, "remove: next->prev");
    WRITE_ONCE(list->next, next);
    next->prev = list;
    node->next = LIST_POISON_NEXT;
    node->prev = LIST_POISON_PREV;
    return node;
}

/* The first node, or NULL. */
static inline struct list *list_first(const struct list *list)
{
    return list_is_empty(list) ? NULL : list->next;
}

#define list_entry(node, type, member) CONTAINER_OF(node, type, member)

#define list_for_each_entry(item, list, member)                                               \
    for (item = list_entry((list)->next, __typeof__(*item), member); &item->member != (list); \
         item = list_entry(item->member.next, __typeof__(*item), member))

/* As above; the loop body may remove item. */
#define list_for_each_entry_safe(item, after, list, member)               \
    for (item = list_entry((list)->next, __typeof__(*item), member),      \
        after = list_entry(item->member.next, __typeof__(*item), member); \
         &item->member != (list); item = after, after = list_entry(item->member.next, __typeof__(*item), member))

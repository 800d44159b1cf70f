#pragma once

/* An intrusive, circular, doubly linked list. A List is both the head and the node; an initialised node that
 * is in no list points at itself, so that removing it twice does no harm. */

#include "basic/macro.h"

typedef struct List {
        struct List *prev, *next;
} List;

#define LIST_INIT(list) ((List){.prev = &(list), .next = &(list)})

static inline void list_init(List *l)
{
        l->prev = l->next = l;
}

static inline bool list_is_empty(const List *head)
{
        return head->next == head;
}

static inline void list_insert_before(List *place, List *node)
{
        node->prev = place->prev;
        node->next = place;
        place->prev->next = node;
        place->prev = node;
}

static inline void list_append(List *head, List *node)
{
        list_insert_before(head, node);
}

static inline void list_prepend(List *head, List *node)
{
        list_insert_before(head->next, node);
}

static inline void list_remove(List *node)
{
        node->prev->next = node->next;
        node->next->prev = node->prev;
        list_init(node);
}

static inline List *list_first(const List *head)
{
        return head->next == head ? NULL : head->next;
}

#define LIST_FOREACH(head, node) for (List *node = (head)->next; (node) != (head); (node) = (node)->next)

/* The body may remove `node`, but no other. */
#define LIST_FOREACH_SAFE(head, node)                                                                       \
        for (List *node = (head)->next, *node##_next_ = (node)->next; (node) != (head);                     \
             (node) = node##_next_, node##_next_ = (node)->next)

/*
 * Depth first, without recursion, since a chain of units is as long as people like. An edge to a unit that
 * is being visited closes a circle, and is taken out; so one walk finds all of them, in a time that is
 * linear in the edges, and the result depends on names alone.
 */

#include "unit/order.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/hashmap.h"
#include "basic/strv.h"
#include "unit/problem.h"
#include "unit/unit-parse.h"
#include "unit/unit.h"

enum {
        UNSEEN,
        OPEN, /* on the path that is being walked */
        DONE,
};

/* Each node's edges lead to what it starts after. */
typedef struct Node {
        Unit *unit;
        size_t first, n; /* its part of Graph.edges */
        size_t next;     /* which edge is to be walked */
        unsigned state;
} Node;

typedef struct Graph {
        Node *nodes;
        size_t n_nodes;
        size_t *edges;
        size_t n_edges;
        Hashmap by_name; /* of Node */
        size_t *path;
        size_t depth;
} Graph;

bool unit_is_after(const Unit *a, const Unit *b)
{
        return strv_contains(a->after, b->name) || strv_contains(b->before, a->name);
}

static void graph_done(Graph *g)
{
        free(g->nodes);
        free(g->edges);
        free(g->path);
        hashmap_done(&g->by_name);
}

static int compare_nodes(const void *a, const void *b)
{
        return strcmp(((const Node *) a)->unit->name, ((const Node *) b)->unit->name);
}

static int compare_numbers(const void *a, const void *b)
{
        size_t x = *(const size_t *) a, y = *(const size_t *) b;

        return x < y ? -1 : x > y;
}

/* Calls for every edge, by index: from starts after to. */
static void edges_walk(Graph *g, void (*found)(Graph *g, size_t from, size_t to))
{
        for (size_t i = 0; i < g->n_nodes; i++) {
                const Node *other;

                STRV_FOREACH (name, g->nodes[i].unit->after) {
                        other = hashmap_get_string(&g->by_name, *name);
                        if (other)
                                found(g, i, (size_t) (other - g->nodes));
                }
                STRV_FOREACH (name, g->nodes[i].unit->before) {
                        other = hashmap_get_string(&g->by_name, *name);
                        if (other)
                                found(g, (size_t) (other - g->nodes), i);
                }
        }
}

static void edge_count(Graph *g, size_t from, size_t to)
{
        g->nodes[from].n++;
        g->n_edges++;
}

static void edge_put(Graph *g, size_t from, size_t to)
{
        Node *node = &g->nodes[from];

        g->edges[node->first + node->n++] = to;
}

static int graph_init(Graph *g, Unit *const *units, size_t n)
{
        size_t first = 0;
        int r = 0;

        *g = (Graph){.n_nodes = n};
        hashmap_init(&g->by_name, HASHMAP_STRING);
        g->nodes = alloc_zero((n + 1) * sizeof(Node));
        g->path = alloc_array(size_t, n + 1);
        if (!g->nodes || !g->path)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                g->nodes[i].unit = units[i];
        qsort(g->nodes, n, sizeof(Node), compare_nodes);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = hashmap_put_string(&g->by_name, g->nodes[i].unit->name, &g->nodes[i]);
        if (r < 0)
                return r;

        edges_walk(g, edge_count);
        g->edges = alloc_array(size_t, g->n_edges + 1);
        if (!g->edges)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                g->nodes[i].first = first;
                first += g->nodes[i].n;
                g->nodes[i].n = 0;
        }
        edges_walk(g, edge_put);
        for (size_t i = 0; i < n; i++)
                qsort(g->edges + g->nodes[i].first, g->nodes[i].n, sizeof(size_t), compare_numbers);
        return 0;
}

/* Walks from one node. closed is told of every edge that closes a circle, by g->path from the node it leads
 * to; what it returns below 0 ends the walk. left is told of each node when all it starts after has been
 * left. */
static int walk(Graph *g, size_t start, int (*closed)(Graph *g, size_t to, void *userdata),
                void (*left)(Graph *g, size_t node, void *userdata), void *userdata)
{
        int r;

        if (g->nodes[start].state != UNSEEN)
                return 0;
        g->nodes[start].state = OPEN;
        g->path[0] = start;
        g->depth = 1;
        while (g->depth > 0) {
                Node *node = &g->nodes[g->path[g->depth - 1]];
                size_t to;

                if (node->next == node->n) {
                        node->state = DONE;
                        g->depth--;
                        left(g, (size_t) (node - g->nodes), userdata);
                        continue;
                }
                to = g->edges[node->first + node->next++];
                if (g->nodes[to].state == OPEN) {
                        r = closed(g, to, userdata);
                        if (r < 0)
                                return r;
                } else if (g->nodes[to].state == UNSEEN) {
                        g->nodes[to].state = OPEN;
                        g->path[g->depth++] = to;
                }
        }
        return 0;
}

static int walk_all(Graph *g, int (*closed)(Graph *g, size_t to, void *userdata),
                    void (*left)(Graph *g, size_t node, void *userdata), void *userdata)
{
        int r = 0;

        for (size_t i = 0; i < g->n_nodes && r >= 0; i++)
                r = walk(g, i, closed, left, userdata);
        return r;
}

static void name_drop(char **list, const char *name)
{
        char **kept = list;

        STRV_FOREACH (s, list) {
                if (streq(*s, name))
                        free(*s);
                else
                        *kept++ = *s;
        }
        if (list)
                *kept = NULL;
}

static int circle_break(Graph *g, size_t to, void *userdata)
{
        Unit *last = g->nodes[g->path[g->depth - 1]].unit, *first = g->nodes[to].unit;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *circle = NULL;
        size_t i = g->depth - 1;

        if (!strv_contains(last->after, first->name) && !strv_contains(first->before, last->name))
                return 0; /* twice the same: by After= and by Before= */
        while (g->path[i] != to)
                i--;
        for (; i < g->depth; i++)
                buffer_printf(&b, "%s after ", g->nodes[g->path[i]].unit->name);
        buffer_append_string(&b, first->name);
        circle = buffer_take(&b, NULL);
        name_drop(last->after, first->name);
        name_drop(first->before, last->name);
        if (!circle)
                return -ENOMEM;
        unit_warn(last, (UnitPlace){0}, userdata,
                  "After= and Before= go round in a circle: %s; that %s is to start after %s is ignored.",
                  circle, last->name, first->name);
        return 0;
}

static void nothing(Graph *g, size_t node, void *userdata)
{
}

int unit_order_break_circles(Unit *const *units, size_t n, UnitProblems *problems)
{
        _cleanup_(graph_done) Graph g;
        int r;

        r = graph_init(&g, units, n);
        return r < 0 ? r : walk_all(&g, circle_break, nothing, problems);
}

typedef struct Sorted {
        Unit **units;
        size_t n;
} Sorted;

static int circle_refuse(Graph *g, size_t to, void *userdata)
{
        return -ELOOP;
}

static void sorted_append(Graph *g, size_t node, void *userdata)
{
        Sorted *s = userdata;

        s->units[s->n++] = g->nodes[node].unit;
}

int unit_order_sort(Unit **units, size_t n)
{
        _cleanup_free_ Unit **sorted = alloc_array(Unit *, n + 1);
        _cleanup_(graph_done) Graph g;
        int r;

        r = graph_init(&g, units, n);
        if (r >= 0 && !sorted)
                r = -ENOMEM;
        if (r >= 0)
                r = walk_all(&g, circle_refuse, sorted_append, &(Sorted){.units = sorted});
        if (r < 0)
                return r;
        if (n > 0)
                memcpy(units, sorted, n * sizeof(Unit *));
        return 0;
}

/*
 * A pairing heap: the simplest heap whose nodes can live in their owners and be taken out from the middle.
 * Arming is constant time, taking out logarithmic on the average; most timers here (stop, run time) are
 * armed and disarmed without ever firing.
 */

#include "core/timer.h"

void timer_queue_init(TimerQueue *q, void (*changed)(TimerQueue *q))
{
        *q = (TimerQueue){.changed = changed};
}

void timer_init(Timer *t, TimerCallback callback)
{
        *t = (Timer){.deadline = USEC_INFINITY, .callback = callback};
}

usec_t timer_queue_next(const TimerQueue *q)
{
        return q->root ? q->root->deadline : USEC_INFINITY;
}

/* Makes one heap of two; the one that is due later becomes the first child of the other. */
static Timer *meld(Timer *a, Timer *b)
{
        Timer *t;

        if (!a || !b)
                return a ? a : b;
        if (b->deadline < a->deadline) {
                t = a;
                a = b;
                b = t;
        }
        b->parent = a;
        b->next = a->child;
        if (a->child)
                a->child->parent = b;
        a->child = b;
        return a;
}

/* The heap of a row of siblings: in pairs from the left, the pairs together from the right. */
static Timer *meld_row(Timer *first)
{
        Timer *pairs = NULL, *heap = NULL;

        while (first) {
                Timer *a = first, *b = a->next, *pair;

                first = b ? b->next : NULL;
                a->next = a->parent = NULL;
                if (b)
                        b->next = b->parent = NULL;
                pair = meld(a, b);
                pair->next = pairs;
                pairs = pair;
        }
        while (pairs) {
                Timer *rest = pairs->next;

                pairs->next = NULL;
                heap = meld(heap, pairs);
                pairs = rest;
        }
        return heap;
}

static void heap_remove(TimerQueue *q, Timer *t)
{
        Timer *rest = meld_row(t->child);

        if (t == q->root) {
                q->root = rest;
        } else {
                if (t->parent->child == t)
                        t->parent->child = t->next;
                else
                        t->parent->next = t->next;
                if (t->next)
                        t->next->parent = t->parent;
                q->root = meld(q->root, rest);
        }
        t->parent = t->child = t->next = NULL;
        t->deadline = USEC_INFINITY;
}

static void queue_changed(TimerQueue *q, usec_t before)
{
        if (q->changed && timer_queue_next(q) != before)
                q->changed(q);
}

void timer_arm(TimerQueue *q, Timer *t, usec_t deadline)
{
        usec_t before = timer_queue_next(q);

        if (timer_is_armed(t))
                heap_remove(q, t);
        if (deadline != USEC_INFINITY) {
                t->deadline = MAX(deadline, q->floor);
                q->root = meld(q->root, t);
        }
        queue_changed(q, before);
}

void timer_disarm(TimerQueue *q, Timer *t)
{
        timer_arm(q, t, USEC_INFINITY);
}

void timer_queue_run(TimerQueue *q, usec_t now)
{
        q->floor = usec_add(now, 1);
        while (q->root && q->root->deadline <= now) {
                Timer *t = q->root;

                heap_remove(q, t);
                t->callback(t, now);
        }
        q->floor = 0;
        if (q->changed)
                q->changed(q);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * One list of evring_list. With its mutex it is a <linux/list.h> list and nothing
 * else; a list whose pool has nodes was asked to do without the mutex, and each
 * step that changes or follows a link then goes through guard.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "list.h"

static const char * const corruption_names[EVRING_LIST_CORRUPT_KINDS] = {
	[EVRING_LIST_CORRUPT_LINK] = "neighbours that do not point at each other",
	[EVRING_LIST_CORRUPT_POINTER] = "link to where no node is",
	[EVRING_LIST_CORRUPT_STALE] = "node taken twice",
	[EVRING_LIST_CORRUPT_ORDER] = "node out of turn",
	[EVRING_LIST_CORRUPT_LOST] = "lost node",
	[EVRING_LIST_CORRUPT_LENGTH] = "wrong length",
	[EVRING_LIST_CORRUPT_ENDLESS] = "list without end",
};

/**
 * my_list_report() - count a finding, and say so in the log now and then
 * @list: where
 * @kind: what
 *
 * Context: Any.
 */
void my_list_report(struct my_list *list, enum evring_list_corruption kind)
{
	atomic64_inc(&list->corrupt[kind]);
	pr_warn_ratelimited("%s: corruption detected: %s\n", list->name, corruption_names[kind]);
}

void my_list_init(struct my_list *list, const char *name)
{
	unsigned int kind;

	mutex_init(&list->mutex);
	INIT_LIST_HEAD(&list->head);
	list->length = 0;
	atomic64_set(&list->lock_wait_ns, 0);
	atomic64_set(&list->lock_contended, 0);
	for (kind = 0; kind < EVRING_LIST_CORRUPT_KINDS; kind++)
		atomic64_set(&list->corrupt[kind], 0);
	memset(&list->pool, 0, sizeof(list->pool));
	list->name = name;
}

/**
 * my_list_lock() - begin a critical section, if this list has them
 * @list: the list
 *
 * Only a caller that has to wait pays for a look at the clock.
 *
 * Context: Process context. May sleep.
 */
void my_list_lock(struct my_list *list)
{
	u64 start_ns;

	if (my_list_is_guarded(list) || mutex_trylock(&list->mutex))
		return;
	start_ns = ktime_get_ns();
	mutex_lock(&list->mutex);
	atomic64_add(ktime_get_ns() - start_ns, &list->lock_wait_ns);
	atomic64_inc(&list->lock_contended);
}

void my_list_unlock(struct my_list *list)
{
	if (!my_list_is_guarded(list))
		mutex_unlock(&list->mutex);
}

/* What length++ is: three steps, between which another CPU may do the same. */
static void length_add(struct my_list *list, s64 difference)
{
	WRITE_ONCE(list->length, READ_ONCE(list->length) + difference);
}

/**
 * my_list_append() - put a node at the end
 * @list: the list, locked
 * @node: the caller's own until now
 *
 * Context: Process context.
 */
void my_list_append(struct my_list *list, struct my_node *node)
{
	/* All of the node before LINKED, which is what others look at: still_linked(). */
	atomic_set_release(&node->state, MY_NODE_LINKED);
	if (my_list_is_guarded(list))
		guard_append(list, node);
	else
		list_add_tail(&node->link, &list->head);
	length_add(list, 1);
}

/**
 * my_list_take_first() - take the oldest node off
 * @list: the list, locked
 *
 * Context: Process context.
 * Return: the node, now the caller's own; NULL when empty; ERR_PTR(-EIO) when the
 * list turned out to be corrupt, and was emptied.
 */
struct my_node *my_list_take_first(struct my_list *list)
{
	struct my_node *node;

	if (my_list_is_guarded(list)) {
		node = guard_take_first(list);
		if (IS_ERR_OR_NULL(node))
			return node;
	} else {
		node = list_first_entry_or_null(&list->head, struct my_node, link);
		if (!node)
			return NULL;
		list_del(&node->link);
		atomic_set(&node->state, MY_NODE_OWNED);
	}
	length_add(list, -1);
	return node;
}

/**
 * my_list_remove() - take one node off
 * @list: the list, locked
 * @node: a node of it
 *
 * Context: Process context.
 * Return: 0, the node is now the caller's own; -EIO: it was not on the list.
 */
int my_list_remove(struct my_list *list, struct my_node *node)
{
	if (my_list_is_guarded(list)) {
		int ret = guard_remove(list, node);

		if (ret)
			return ret;
	} else {
		list_del(&node->link);
		atomic_set(&node->state, MY_NODE_OWNED);
	}
	length_add(list, -1);
	return 0;
}

struct my_walk my_walk_from(struct my_list *list)
{
	return (struct my_walk){
		.list = list,
		.at = &list->head,
		.budget = list->pool.node_count,
	};
}

/**
 * my_walk_next() - one step along a locked list
 * @walk: where it stands
 *
 * Return: the next node, or NULL at the end, and where an unlocked list is broken.
 */
struct my_node *my_walk_next(struct my_walk *walk)
{
	struct my_list *list = walk->list;
	struct list_head *next = READ_ONCE(walk->at->next);

	if (next == &list->head)
		return NULL;
	if (my_list_is_guarded(list)) {
		if (!guard_has(list, next)) {
			my_list_report(list, EVRING_LIST_CORRUPT_POINTER);
			return NULL;
		}
		if (!walk->budget--) {
			my_list_report(list, EVRING_LIST_CORRUPT_ENDLESS);
			return NULL;
		}
	}
	if (READ_ONCE(next->prev) != walk->at)
		my_list_report(list, EVRING_LIST_CORRUPT_LINK);
	walk->at = next;
	return container_of(next, struct my_node, link);
}

static void audit_locked(struct my_list *list)
{
	struct my_walk walk = my_walk_from(list);
	u64 walked = 0;

	while (my_walk_next(&walk)) {
		if (!(++walked % 1024))
			cond_resched();
	}
	if (list->length != walked)
		my_list_report(list, EVRING_LIST_CORRUPT_LENGTH);
}

/**
 * my_list_audit() - walk the whole list and check it; an unlocked one is mended too
 * @list: the list, not locked
 *
 * Context: Process context. May sleep.
 */
void my_list_audit(struct my_list *list)
{
	if (my_list_is_guarded(list)) {
		guard_audit(list);
		return;
	}
	my_list_lock(list);
	audit_locked(list);
	my_list_unlock(list);
}

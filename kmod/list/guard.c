// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list without its lock, made harmless. It links nodes as <linux/list.h> does
 * and breaks as that does when two CPUs meet in it; but each of its nodes lies in
 * one array that lives as long as the list, a link is followed only if it leads to
 * a node of that array, and no walk is longer than the array. Who owns a node is
 * decided by its state, atomically, so that memory stays whole while links do not:
 *   FREE -> OWNED (alloc) -> LINKED (append) -> OWNED (take, reclaim) -> FREE
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "list.h"

#define AUDIT_INTERVAL_MS 10

static struct my_node *node_at(const struct my_pool *pool, u32 index)
{
	return (struct my_node *)(pool->nodes + (size_t)index * pool->node_bytes);
}

static u32 index_of(const struct my_pool *pool, const struct list_head *link)
{
	return ((const u8 *)link - pool->nodes) / pool->node_bytes;
}

/**
 * guard_init() - let a list do without its mutex
 * @list: initialised, empty
 * @node_bytes: size of what begins with a struct my_node
 * @node_count: how many there can be
 * @reclaim: releases a node that was lost
 *
 * Context: Process context. May sleep.
 * Return: 0 or -ENOMEM.
 */
int guard_init(struct my_list *list, u32 node_bytes, u32 node_count,
	       void (*reclaim)(struct my_list *list, struct my_node *node))
{
	struct my_pool *pool = &list->pool;

	pool->reached = bitmap_zalloc(node_count, GFP_KERNEL_ACCOUNT);
	if (!pool->reached)
		return -ENOMEM;
	pool->node_bytes = node_bytes;
	pool->node_count = node_count;
	atomic_set(&pool->free_count, node_count);
	pool->audit_after = jiffies;
	pool->reclaim = reclaim;
	pool->nodes = __vmalloc(array_size(node_bytes, node_count),
				GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!pool->nodes) {
		bitmap_free(pool->reached);
		pool->reached = NULL;
		return -ENOMEM;
	}
	return 0;
}

void guard_destroy(struct my_list *list)
{
	vfree(list->pool.nodes);
	bitmap_free(list->pool.reached);
	list->pool.nodes = NULL;
	list->pool.reached = NULL;
}

/* Lost nodes fill the pool in the end: look for them, but not all the time. */
static bool reclaim_for_want_of_nodes(struct my_list *list)
{
	struct my_pool *pool = &list->pool;

	if (time_before(jiffies, READ_ONCE(pool->audit_after)))
		return false;
	WRITE_ONCE(pool->audit_after, jiffies + msecs_to_jiffies(AUDIT_INTERVAL_MS));
	guard_audit(list);
	return true;
}

/**
 * guard_alloc() - a node of the caller's own
 * @list: the list
 *
 * Context: Process context. May sleep.
 * Return: the node, or NULL when all are in use.
 */
struct my_node *guard_alloc(struct my_list *list)
{
	struct my_pool *pool = &list->pool;

	while (atomic_dec_if_positive(&pool->free_count) < 0) {
		if (!reclaim_for_want_of_nodes(list))
			return NULL;
	}
	/* The decrement reserved one: it is somewhere, and nobody can take the last. */
	for (;;) {
		struct my_node *node = node_at(pool, (u32)atomic_inc_return(&pool->next) %
						     pool->node_count);

		if (atomic_cmpxchg(&node->state, MY_NODE_FREE, MY_NODE_OWNED) == MY_NODE_FREE)
			return node;
		cond_resched();
	}
}

void guard_free(struct my_list *list, struct my_node *node)
{
	atomic_set_release(&node->state, MY_NODE_FREE);
	atomic_inc(&list->pool.free_count);
}

/**
 * guard_has() - does a node of this list begin there?
 * @list: the list
 * @link: any bits, not followed
 *
 * Context: Any.
 * Return: whether it may be followed as a node.
 */
bool guard_has(const struct my_list *list, const struct list_head *link)
{
	const struct my_pool *pool = &list->pool;
	uintptr_t offset = (uintptr_t)link - (uintptr_t)pool->nodes;

	BUILD_BUG_ON(offsetof(struct my_node, link) != 0);
	return offset < (size_t)pool->node_bytes * pool->node_count &&
	       offset % pool->node_bytes == 0;
}

/* The head or a node: a place that has links. */
static bool may_follow(const struct my_list *list, const struct list_head *link)
{
	return link == &list->head || guard_has(list, link);
}

static void empty_list(struct my_list *list)
{
	WRITE_ONCE(list->head.next, &list->head);
	WRITE_ONCE(list->head.prev, &list->head);
	WRITE_ONCE(list->length, 0);
}

/**
 * guard_append() - list_add_tail(), step by step
 * @list: the list
 * @node: LINKED, on no list
 *
 * Context: Process context.
 */
void guard_append(struct my_list *list, struct my_node *node)
{
	struct list_head *head = &list->head;
	struct list_head *last = READ_ONCE(head->prev);

	if (!may_follow(list, last)) {
		my_list_report(list, EVRING_LIST_CORRUPT_POINTER);
		empty_list(list);
		last = head;
	}
	if (READ_ONCE(last->next) != head)
		my_list_report(list, EVRING_LIST_CORRUPT_LINK);

	/* Between these four stores, and before them, another CPU reads the same last. */
	WRITE_ONCE(head->prev, &node->link);
	WRITE_ONCE(node->link.next, head);
	WRITE_ONCE(node->link.prev, last);
	WRITE_ONCE(last->next, &node->link);
}

/* list_del(), step by step; 0 if the caller now owns the node */
static int unlink_node(struct my_list *list, struct my_node *node)
{
	struct list_head *link = &node->link;
	struct list_head *prev = READ_ONCE(link->prev);
	struct list_head *next = READ_ONCE(link->next);

	if (!may_follow(list, prev) || !may_follow(list, next)) {
		my_list_report(list, EVRING_LIST_CORRUPT_POINTER);
		return -EIO;
	}
	if (READ_ONCE(prev->next) != link || READ_ONCE(next->prev) != link)
		my_list_report(list, EVRING_LIST_CORRUPT_LINK);
	WRITE_ONCE(next->prev, prev);
	WRITE_ONCE(prev->next, next);

	if (atomic_cmpxchg(&node->state, MY_NODE_LINKED, MY_NODE_OWNED) != MY_NODE_LINKED) {
		my_list_report(list, EVRING_LIST_CORRUPT_STALE);
		return -EIO;
	}
	WRITE_ONCE(link->next, NULL);
	WRITE_ONCE(link->prev, NULL);
	return 0;
}

/**
 * guard_take_first() - take the oldest node off
 * @list: the list
 *
 * A list found broken here is emptied: a getter must not meet the same broken link
 * for ever. What was on it counts as lost at the next audit.
 *
 * Context: Process context.
 * Return: as my_list_take_first().
 */
struct my_node *guard_take_first(struct my_list *list)
{
	struct list_head *first = READ_ONCE(list->head.next);
	struct my_node *node;

	if (first == &list->head) {
		if (READ_ONCE(list->head.prev) == first)
			return NULL;
		my_list_report(list, EVRING_LIST_CORRUPT_LINK);
		empty_list(list);
		return ERR_PTR(-EIO);
	}
	if (!guard_has(list, first)) {
		my_list_report(list, EVRING_LIST_CORRUPT_POINTER);
		empty_list(list);
		return ERR_PTR(-EIO);
	}
	node = container_of(first, struct my_node, link);
	if (unlink_node(list, node)) {
		empty_list(list);
		return ERR_PTR(-EIO);
	}
	return node;
}

int guard_remove(struct my_list *list, struct my_node *node)
{
	return unlink_node(list, node);
}

/* Walks as far as the list is one, cuts it there; how many nodes it has now. */
static u64 mend_chain(struct my_list *list)
{
	struct my_pool *pool = &list->pool;
	struct list_head *head = &list->head;
	struct list_head *at = head;
	struct list_head *next;
	u64 count = 0;

	while ((next = READ_ONCE(at->next)) != head) {
		if (!guard_has(list, next)) {
			my_list_report(list, EVRING_LIST_CORRUPT_POINTER);
			break;
		}
		if (test_and_set_bit(index_of(pool, next), pool->reached)) {
			my_list_report(list, EVRING_LIST_CORRUPT_ENDLESS);
			break;
		}
		if (atomic_read(&container_of(next, struct my_node, link)->state) !=
		    MY_NODE_LINKED) {
			my_list_report(list, EVRING_LIST_CORRUPT_STALE);
			break;
		}
		if (READ_ONCE(next->prev) != at) {
			my_list_report(list, EVRING_LIST_CORRUPT_LINK);
			WRITE_ONCE(next->prev, at);
		}
		at = next;
		count++;
	}
	WRITE_ONCE(at->next, head);
	if (READ_ONCE(head->prev) != at) {
		my_list_report(list, EVRING_LIST_CORRUPT_LINK);
		WRITE_ONCE(head->prev, at);
	}
	return count;
}

/* What should be on the list and was not met on the walk is lost: take it back. */
static void reclaim_lost(struct my_list *list)
{
	struct my_pool *pool = &list->pool;
	u32 index;

	for (index = 0; index < pool->node_count; index++) {
		struct my_node *node = node_at(pool, index);

		if (!(index % 1024))
			cond_resched();
		if (test_bit(index, pool->reached) ||
		    atomic_cmpxchg(&node->state, MY_NODE_LINKED, MY_NODE_OWNED) != MY_NODE_LINKED)
			continue;
		my_list_report(list, EVRING_LIST_CORRUPT_LOST);
		pool->reclaim(list, node);
	}
}

/**
 * guard_audit() - check and mend the whole list, reclaim what was lost from it
 * @list: the list
 *
 * While others change the list, a node on its way onto it may be taken for a lost
 * one; then it is one from here on. At rest, the list is whole afterwards.
 *
 * Context: Process context. May sleep.
 */
void guard_audit(struct my_list *list)
{
	struct my_pool *pool = &list->pool;
	u64 count;

	if (test_and_set_bit_lock(0, &pool->audit_running))
		return;
	bitmap_zero(pool->reached, pool->node_count);
	count = mend_chain(list);
	if (READ_ONCE(list->length) != count) {
		my_list_report(list, EVRING_LIST_CORRUPT_LENGTH);
		WRITE_ONCE(list->length, count);
	}
	reclaim_lost(list);
	clear_bit_unlock(0, &pool->audit_running);
}

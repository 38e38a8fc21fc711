/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * evring_list: a list of devices and a list of events per device, the driver of
 * a kernel course. Each list has a mutex of its own; or, as the course begins,
 * none, and then guard.c does what <linux/list.h> does to the same nodes while
 * it checks every link before it follows it.
 */
#ifndef _EVRING_LIST_H
#define _EVRING_LIST_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "../baseline_abi.h"

struct my_list;

enum my_node_state {
	MY_NODE_FREE = 0,	/* in the pool */
	MY_NODE_OWNED,		/* one thread's own: not yet on a list, or taken off */
	MY_NODE_LINKED,		/* on a list, or so it should be */
};

/**
 * struct my_node - what the lists link; first member of an event and of a device
 * @link: its neighbours
 * @state: enum my_node_state; with no lock it decides who owns the node
 */
struct my_node {
	struct list_head link;
	atomic_t state;
};

/**
 * struct my_pool - all the nodes that an unlocked list may link
 * @nodes: an array, or NULL for a list with a mutex: its nodes come from a slab
 * @reached: a bit for each node, for the audit
 * @node_bytes: from one node to the next
 * @node_count: in @nodes
 * @free_count: how many are MY_NODE_FREE
 * @next: where to look for a free node
 * @audit_running: one at a time
 * @audit_after: jiffies; not again before that for want of memory
 * @reclaim: releases a node that was found lost
 */
struct my_pool {
	u8 *nodes;
	unsigned long *reached;
	u32 node_bytes;
	u32 node_count;
	atomic_t free_count;
	atomic_t next;
	unsigned long audit_running;
	unsigned long audit_after;
	void (*reclaim)(struct my_list *list, struct my_node *node);
};

/**
 * struct my_list - a list, the mutex around it, and what was found wrong with it
 * @mutex: protects @head, @length and all links, unless @pool has nodes
 * @head: oldest first
 * @length: counted, not walked
 * @lock_wait_ns: time spent waiting for @mutex
 * @lock_contended: how many times one had to wait
 * @corrupt: findings by kind, all zero as long as the mutex is there
 * @pool: where an unlocked list has its nodes
 * @name: for the log
 */
struct my_list {
	struct mutex mutex;	/* head, length and links */
	struct list_head head;
	u64 length;
	atomic64_t lock_wait_ns;
	atomic64_t lock_contended;
	atomic64_t corrupt[EVRING_LIST_CORRUPT_KINDS];
	struct my_pool pool;
	const char *name;
};

struct my_event {
	struct my_node node;
	struct evring_baseline_event event;
};

/**
 * struct my_event_list - the events of one device
 * @list: of struct my_event; its mutex also protects the sequences
 * @next_sequence: of the next event to be injected
 * @taken_sequence: of the next event to be taken, if all is in order
 * @max_events: new events are dropped beyond that; 0: no bound
 * @injected: put on the list
 * @delivered: copied to user space
 * @discarded: taken, but not to be copied
 * @dropped: never put on the list
 */
struct my_event_list {
	struct my_list list;
	u64 next_sequence;
	u64 taken_sequence;
	u64 max_events;
	atomic64_t injected;
	atomic64_t delivered;
	atomic64_t discarded;
	atomic64_t dropped;
};

/**
 * struct my_device - one device
 * @node: in the list of devices
 * @ref: one for the list, one for each ioctl at work on it
 * @id: never used twice
 * @name: unique
 * @events: its own list
 */
struct my_device {
	struct my_node node;
	struct kref ref;
	u64 id;
	char name[EVRING_BASELINE_NAME_BYTES];
	struct my_event_list events;
};

/**
 * struct my_device_list - all devices
 * @list: of struct my_device
 * @last_id: the id given last
 */
struct my_device_list {
	struct my_list list;
	atomic64_t last_id;
};

struct my_walk {
	struct my_list *list;
	struct list_head *at;
	u32 budget;
};

/* list.c: one list, with or without its mutex */
void my_list_init(struct my_list *list, const char *name);
void my_list_lock(struct my_list *list);
void my_list_unlock(struct my_list *list);
void my_list_append(struct my_list *list, struct my_node *node);
struct my_node *my_list_take_first(struct my_list *list);
int my_list_remove(struct my_list *list, struct my_node *node);
struct my_walk my_walk_from(struct my_list *list);
struct my_node *my_walk_next(struct my_walk *walk);
void my_list_audit(struct my_list *list);
void my_list_report(struct my_list *list, enum evring_list_corruption kind);

static inline bool my_list_is_guarded(const struct my_list *list)
{
	return list->pool.nodes;
}

/* guard.c: what an unlocked list does instead */
int guard_init(struct my_list *list, u32 node_bytes, u32 node_count,
	       void (*reclaim)(struct my_list *list, struct my_node *node));
void guard_destroy(struct my_list *list);
struct my_node *guard_alloc(struct my_list *list);
void guard_free(struct my_list *list, struct my_node *node);
bool guard_has(const struct my_list *list, const struct list_head *link);
void guard_append(struct my_list *list, struct my_node *node);
struct my_node *guard_take_first(struct my_list *list);
int guard_remove(struct my_list *list, struct my_node *node);
void guard_audit(struct my_list *list);

/* events.c: the events of a device */
int my_events_setup(void);
void my_events_teardown(void);
int my_event_list_init(struct my_event_list *events, const char *name, u64 max_events,
		       bool locked);
void my_event_list_destroy(struct my_event_list *events);
int my_event_list_inject(struct my_event_list *events,
			 const struct evring_baseline_input __user *input, u32 count);
int my_event_list_get(struct my_event_list *events,
		      struct evring_baseline_event __user *output, u32 count);

/* devices.c: the list of devices */
int my_devices_setup(bool locked);
void my_devices_teardown(void);
struct my_device *my_device_create(const struct evring_list_device *config, bool locked);
int my_device_add(struct my_device *device);
int my_device_remove(u64 id);
struct my_device *my_device_find(u64 id);
struct my_device *my_device_find_from(u64 smallest_id);
void my_device_put(struct my_device *device);
void my_devices_audit(void);
void my_devices_stats(struct evring_list_stats *stats);

#endif /* _EVRING_LIST_H */

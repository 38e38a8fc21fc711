/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registered cursors of a gated ring: each consumer has a page to write its
 * cursor to, and the producer stays within slot_count of the slowest.
 * The page is hostile input: each word is read once and clamped; see cursor.c.
 */
#ifndef _EVRING_CURSOR_H
#define _EVRING_CURSOR_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include "ring.h"

/**
 * struct evring_cursor - one registered consumer
 * @page: its consumer page
 * @words: the same, mapped in the kernel
 * @seen: the last cursor accepted from it; only the producer's sections touch it
 * @index: where it stands in struct evring_cursors
 * @rcu: frees it after the sections that may still look at it
 */
struct evring_cursor {
	struct page *page;
	struct evring_consumer_page *words;
	u64 seen;
	unsigned int index;
	struct rcu_head rcu;
};

/**
 * struct evring_cursors - the registered consumers of one ring
 * @ring: theirs
 * @head: of its producer
 * @first_sequence: where head started
 * @claim: end of what a section may be writing; only the producer's sections write it
 * @lock: serializes registration
 * @count: how many are registered
 * @epoch: one more for each change; makes the producer drop its cached limit
 * @entry: looked at by the producer with interrupts off, which RCU waits for
 */
struct evring_cursors {
	const struct evring_ring *ring;
	const u64 *head;
	u64 first_sequence;
	u64 claim;
	struct mutex lock;	/* registration */
	unsigned int count;
	unsigned int epoch;
	struct evring_cursor __rcu *entry[EVRING_CONSUMER_COUNT_MAX];
};

void evring_cursors_init(struct evring_cursors *cursors, const struct evring_ring *ring,
			 const u64 *head, u64 first_sequence);
struct evring_cursor *evring_cursor_add(struct evring_cursors *cursors,
					struct evring_register *request);
void evring_cursor_remove(struct evring_cursors *cursors, struct evring_cursor *cursor);
u64 evring_cursors_limit(struct evring_cursors *cursors, unsigned int *epoch);

#endif /* _EVRING_CURSOR_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The producer side of a ring. Every publish is a section: interrupts off, the
 * raw spinlock in front held (or skipped by a source that never runs beside
 * itself), then claim, write, commit, leave. Any context but NMI.
 * Ordering: P1, P2 in driver.c, P3 and status P5, P6 here, gating P4 in cursor.c, doorbells
 * D1..D3 in doorbell.c; ring/PROTOCOL.md draws the pairs.
 */
#ifndef _EVRING_PRODUCER_H
#define _EVRING_PRODUCER_H

#include <linux/cpumask.h>
#include <linux/spinlock.h>

#include "cursor.h"
#include "ring.h"

/**
 * struct evring_producer - what the one producer of a ring knows
 * @ring: where it writes
 * @lock: in front of the producer; unused when @single_context
 * @head: next sequence; the header's copy is published once per batch
 * @limit: gated: head may not pass this; a cached minimum, see @limit_epoch
 * @limit_epoch: of @cursors when @limit was computed
 * @single_context: the only caller never runs beside itself
 * @gated: EVRING_MODE_GATED
 * @arm_ipi: EVRING_DEVICE_ARM_IPI: no fence after a batch; set before the first
 * @section_events: written in one section at most: EVRING_SECTION_BYTES, half the ring
 * @stopped: publishes nothing any more; set once
 * @first_sequence: where head started
 * @dropped: events offered and not published
 * @last_event_ns: timestamp of the last batch
 * @refreshed_ns: when the status block was last written
 * @generation: of this producer
 * @status_sequence: of the header's status block, even outside a refresh
 * @status_due: a counter of the status block changed that does not wait for its time
 * @gone: enum evring_gone
 * @lock_wait_ns: time spent waiting for @lock
 * @lock_contended: how often
 * @doorbells_rung: kept by the doorbell, copied to the status block
 * @doorbells_suppressed: the same
 * @cpus: with @arm_ipi, CPUs that ever published here
 * @cursors: registered consumers
 */
struct evring_producer {
	struct evring_ring *ring;
	raw_spinlock_t lock;
	u64 head;
	u64 limit;
	unsigned int limit_epoch;
	bool single_context;
	bool gated;
	bool arm_ipi;
	bool stopped;
	bool status_due;
	u32 section_events;
	u64 first_sequence;
	u64 dropped;
	u64 last_event_ns;
	u64 refreshed_ns;
	u64 generation;
	u64 status_sequence;
	u64 gone;
	u64 lock_wait_ns;
	u64 lock_contended;
	u64 doorbells_rung;
	atomic64_t doorbells_suppressed;
	cpumask_var_t cpus;
	struct evring_cursors cursors;
};

/**
 * struct evring_section - one stay on the producer side
 * @irq_flags: to be restored
 * @now_ns: CLOCK_MONOTONIC, the timestamp of every event of the section
 * @lock_wait_ns: how long it waited for the lock
 */
struct evring_section {
	unsigned long irq_flags;
	u64 now_ns;
	u64 lock_wait_ns;
};

void evring_generations_init(void);
int evring_producer_init(struct evring_producer *producer, struct evring_ring *ring,
			 const struct evring_geometry *geometry, bool gated, bool single_context);
void evring_producer_destroy(struct evring_producer *producer);
void evring_producer_stop(struct evring_producer *producer);
void evring_producer_refresh(struct evring_producer *producer);
void evring_producer_set_gone(struct evring_producer *producer, enum evring_gone gone);
void evring_producer_barrier(struct evring_producer *producer);

bool evring_section_enter(struct evring_producer *producer, struct evring_section *section);
u32 evring_section_claim_gated(struct evring_producer *producer, u32 count, u32 offered);
void evring_section_commit(struct evring_producer *producer, const struct evring_section *section,
			   u32 count);

/* Events of a batch that one section writes: no more, for interrupts are off meanwhile. */
static inline u32 evring_section_chunk(const struct evring_producer *producer, u32 count)
{
	return min(count, producer->section_events);
}

/**
 * evring_section_claim() - how many of the next events may be written
 * @producer: the producer
 * @count: how many are asked for, at most slot_count
 * @offered: these and all of the same batch that would come after them
 *
 * A short claim ends the batch: what is dropped is dropped from its end, or a
 * consumer that moves meanwhile would get later events without the earlier ones.
 *
 * Context: Inside a section.
 * Return: @count, or fewer when a registered cursor is in the way; then the rest
 *         of @offered is counted as dropped, and none of it may follow.
 */
static inline u32 evring_section_claim(struct evring_producer *producer, u32 count, u32 offered)
{
	return producer->gated ? evring_section_claim_gated(producer, count, offered) : count;
}

/**
 * evring_section_unlock() - let the next publisher in
 * @producer: the producer
 *
 * Context: Inside a section; interrupts stay off.
 */
static inline void evring_section_unlock(struct evring_producer *producer)
{
	if (producer->single_context)
		return;
	__acquire(&producer->lock);
	raw_spin_unlock(&producer->lock);
}

#endif /* _EVRING_PRODUCER_H */

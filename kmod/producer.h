/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The producer side of a ring. Every publish is a section: interrupts off, the
 * raw spinlock in front held (or skipped by a source that never runs beside
 * itself), then claim, write, commit, leave. Any context but NMI.
 * Ordering: P1, P2 in driver.c, P3 here, status P5, P6, P8 in producer.c, gating P4 in
 * cursor.c, doorbells D1, D3 in producer.c, D2 in doorbell.h; ring/PROTOCOL.md draws the pairs.
 */
#ifndef _EVRING_PRODUCER_H
#define _EVRING_PRODUCER_H

#include <linux/cpumask.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

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
 * @refresh_due_ns: the first batch at or past it writes the status block; 0: a counter changed
 *                  that does not wait for that
 * @generation: of this producer
 * @status_sequence: of the header's status block, even outside a refresh
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
	u32 section_events;
	u64 first_sequence;
	u64 dropped;
	u64 last_event_ns;
	u64 refresh_due_ns;
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

u64 evring_producer_lock_contended(struct evring_producer *producer);
void evring_producer_note_cpu(struct evring_producer *producer);
u32 evring_section_claim_gated(struct evring_producer *producer, u32 count, u32 offered);
void evring_section_refresh(struct evring_producer *producer, u64 now_ns);

/**
 * evring_section_leave() - let the next publisher in, and interrupts
 * @producer: the producer
 * @irq_flags: of the section
 *
 * Context: Inside a section; that ends here.
 */
static inline void evring_section_leave(struct evring_producer *producer, unsigned long irq_flags)
{
	if (likely(!producer->single_context)) {
		__acquire(&producer->lock);
		raw_spin_unlock(&producer->lock);
	}
	local_irq_restore(irq_flags);
}

/* sparse cannot follow a lock that some sources skip: for it, nothing is held. */
static inline u64 __evring_producer_lock(struct evring_producer *producer)
{
	if (unlikely(producer->single_context))
		return 0;
	if (unlikely(!raw_spin_trylock(&producer->lock)))
		return evring_producer_lock_contended(producer);
	__release(&producer->lock);
	return 0;
}

/**
 * evring_section_enter() - begin to publish
 * @producer: the producer
 * @section: filled in
 *
 * Leave by evring_section_leave(), whatever happened in between.
 *
 * Context: Any but NMI. Interrupts are off when it returns true.
 * Return: false when the producer is stopped; then nothing is held.
 */
static __always_inline bool evring_section_enter(struct evring_producer *producer,
						 struct evring_section *section)
{
	local_irq_save(section->irq_flags);
	if (unlikely(producer->arm_ipi))
		evring_producer_note_cpu(producer);
	section->lock_wait_ns = __evring_producer_lock(producer);
	if (unlikely(READ_ONCE(producer->stopped))) {
		evring_section_leave(producer, section->irq_flags);
		return false;
	}
	section->now_ns = ktime_get_ns();
	return true;
}

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
	return unlikely(producer->gated) ? evring_section_claim_gated(producer, count, offered) :
					   count;
}

/**
 * evring_section_commit() - publish what was written
 * @producer: the producer
 * @count: events written from head on; 0: all of them were dropped
 * @now_ns: of the section
 *
 * Head is always exact, and tells what was published. The status block trails by a
 * millisecond while events come, but never by a drop; by a doorbell until the next
 * batch, or where one was rung during a refresh, the next that is due.
 *
 * Context: Inside a section.
 */
static __always_inline void evring_section_commit(struct evring_producer *producer, u32 count,
						  u64 now_ns)
{
	u64 head = producer->head + count;

	if (count) {
		WRITE_ONCE(producer->head, head);
		producer->last_event_ns = now_ns;
		/* (P3) Events before head, or it tells of what is not there. Pairs with (C3). */
		smp_store_release(&producer->ring->header->head, head);
	}
	if (unlikely(now_ns >= READ_ONCE(producer->refresh_due_ns)))
		evring_section_refresh(producer, now_ns);
}

#endif /* _EVRING_PRODUCER_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The producer side: see producer.h for sections, ring/PROTOCOL.md for the pairs.
 *
 *   producer (interrupts off; driver.c)    consumer (read-only mapping)
 *   stamp = BUSY(s)                        stamp == READY(s)?
 *   (P1) wmb                               (C1) acquire
 *   timestamp, type, payload               copy the words
 *   (P2) release stamp = READY(s)          (C2) rmb
 *   (P3) release head (producer.h)         stamp still READY(s)?
 */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "producer.h"

#define STATUS_PERIOD_NS	NSEC_PER_MSEC

/* All but what a reader of the block has from head. */
static void write_counters(const struct evring_producer *producer)
{
	struct evring_status *status = &producer->ring->header->status;

	WRITE_ONCE(status->dropped, producer->dropped);
	WRITE_ONCE(status->doorbells_rung, READ_ONCE(producer->doorbells_rung));
	WRITE_ONCE(status->doorbells_suppressed, atomic64_read(&producer->doorbells_suppressed));
	WRITE_ONCE(status->generation, producer->generation);
	WRITE_ONCE(status->lock_wait_ns, producer->lock_wait_ns);
	WRITE_ONCE(status->lock_contended, producer->lock_contended);
	/*
	 * (P8) What was published before gone, or who sees gone leaves that
	 * unread. Pairs with (C8).
	 */
	smp_store_release(&status->gone, producer->gone);
}

/**
 * evring_section_refresh() - write the status block
 * @producer: the producer
 * @now_ns: CLOCK_MONOTONIC
 *
 * Context: Inside a section, or with the producer stopped: one writer at a time.
 */
void evring_section_refresh(struct evring_producer *producer, u64 now_ns)
{
	struct evring_header *header = producer->ring->header;
	struct evring_status *status = &header->status;

	WRITE_ONCE(producer->refresh_due_ns, now_ns + STATUS_PERIOD_NS);
	WRITE_ONCE(header->status_sequence, producer->status_sequence + 1);
	/* (P5) Odd before the block, or a torn block passes. Pairs with (C6). */
	smp_wmb();

	WRITE_ONCE(status->published, producer->head - producer->first_sequence);
	WRITE_ONCE(status->last_event_ns, producer->last_event_ns);
	WRITE_ONCE(status->monotonic_ns, now_ns);
	WRITE_ONCE(status->realtime_ns, ktime_mono_to_any(now_ns, TK_OFFS_REAL));
	write_counters(producer);

	producer->status_sequence += 2;
	/* (P6) The block before even, or an old block passes. Pairs with (C5). */
	smp_store_release(&header->status_sequence, producer->status_sequence);
}

/**
 * evring_producer_lock_contended() - wait for the lock that others hold
 * @producer: the producer
 *
 * Context: Any but NMI, interrupts off. The lock is held when it returns.
 * Return: how long it took in nanoseconds.
 */
u64 evring_producer_lock_contended(struct evring_producer *producer)
{
	u64 start_ns = ktime_get_ns(), wait_ns;

	raw_spin_lock(&producer->lock);
	wait_ns = ktime_get_ns() - start_ns;
	WRITE_ONCE(producer->lock_wait_ns, producer->lock_wait_ns + wait_ns);
	WRITE_ONCE(producer->lock_contended, producer->lock_contended + 1);
	__release(&producer->lock);
	return wait_ns;
}

/**
 * evring_producer_note_cpu() - with @arm_ipi, the look of every section at its CPU's bit
 * @producer: the producer
 *
 * Context: Any but NMI, interrupts off.
 */
void evring_producer_note_cpu(struct evring_producer *producer)
{
	unsigned int cpu = smp_processor_id();

	if (likely(cpumask_test_cpu(cpu, producer->cpus)))
		return;
	cpumask_set_cpu(cpu, producer->cpus);
	/*
	 * (D3) This CPU's bit before its first look at due, or a sleeper
	 * that skips this CPU misses its doorbell. Pairs with (D1).
	 */
	smp_mb();
}

/**
 * evring_section_claim_gated() - see evring_section_claim()
 * @producer: of a gated ring
 * @count: as there
 * @offered: as there
 *
 * Context: Inside a section.
 * Return: as there.
 */
u32 evring_section_claim_gated(struct evring_producer *producer, u32 count, u32 offered)
{
	u64 space;

	/* (G4) What may be written, for who registers now. Pairs with (G5). */
	smp_store_release(&producer->cursors.claim, producer->head + count);
	/* (G2) The claim before the look at the epoch, or both pass. Pairs with (G1). */
	smp_mb();
	space = producer->limit - producer->head;
	if (space < count || READ_ONCE(producer->cursors.epoch) != producer->limit_epoch) {
		producer->limit = evring_cursors_limit(&producer->cursors, &producer->limit_epoch);
		space = producer->limit - producer->head;
	}
	if (likely(space >= count))
		return count;
	WRITE_ONCE(producer->cursors.claim, producer->head + space);
	WRITE_ONCE(producer->dropped, producer->dropped + offered - space);
	WRITE_ONCE(producer->refresh_due_ns, 0);
	return space;
}

static void nothing(void *unused)
{
}

/**
 * evring_producer_barrier() - order the caller against every publish section
 * @producer: the producer
 *
 * On return each section has either ended, and all it wrote is visible here,
 * or will see what the caller wrote before the call. Publishers fence after each
 * batch. With @arm_ipi they do not, and pay by an interrupt of each CPU that ever
 * published: it falls before or after a section, never inside.
 *
 * Context: Process context, may sleep.
 */
void evring_producer_barrier(struct evring_producer *producer)
{
	/* (D1) The caller's words before it looks at head and CPUs. Pairs with (D2) and (D3). */
	smp_mb();
	if (!producer->arm_ipi)
		return;
	cpus_read_lock();
	on_each_cpu_mask(producer->cpus, nothing, NULL, true);
	cpus_read_unlock();
	/* (D1) And what they published before the caller's look at head. */
	smp_mb();
}

/**
 * evring_producer_stop() - no section that begins after this publishes
 * @producer: the producer
 *
 * One of a single-context source may be under way; any other has ended.
 *
 * Context: Process context.
 */
void evring_producer_stop(struct evring_producer *producer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&producer->lock, flags);
	WRITE_ONCE(producer->stopped, true);
	raw_spin_unlock_irqrestore(&producer->lock, flags);
}

/**
 * evring_producer_refresh() - write the status block as it is now
 * @producer: stopped
 *
 * Context: Process context.
 */
void evring_producer_refresh(struct evring_producer *producer)
{
	unsigned long flags;

	/* The lock keeps the refresh short, and out of a doorbell's. */
	raw_spin_lock_irqsave(&producer->lock, flags);
	evring_section_refresh(producer, ktime_get_ns());
	raw_spin_unlock_irqrestore(&producer->lock, flags);
}

/**
 * evring_producer_set_gone() - tell every mapping that no more events come
 * @producer: stopped
 * @gone: why
 *
 * Context: Process context.
 */
void evring_producer_set_gone(struct evring_producer *producer, enum evring_gone gone)
{
	producer->gone = gone;
	evring_producer_refresh(producer);
}

static atomic64_t generations;

/*
 * Generations start at the microseconds since boot and count from there, so
 * that none comes twice in one boot, even when the module was loaded anew.
 */
void __init evring_generations_init(void)
{
	atomic64_set(&generations, ktime_to_us(ktime_get_boottime()));
}

/**
 * evring_producer_init() - take a fresh ring
 * @producer: zeroed
 * @ring: initialized
 * @geometry: the same as the ring's
 * @gated: EVRING_MODE_GATED
 * @single_context: its only caller never runs beside itself
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int evring_producer_init(struct evring_producer *producer, struct evring_ring *ring,
			 const struct evring_geometry *geometry, bool gated, bool single_context)
{
	if (!zalloc_cpumask_var(&producer->cpus, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	raw_spin_lock_init(&producer->lock);
	evring_cursors_init(&producer->cursors, ring, &producer->head, geometry->first_sequence);
	producer->ring = ring;
	producer->gated = gated;
	producer->single_context = single_context;
	producer->section_events = min_t(u64, EVRING_SECTION_BYTES / geometry->slot_bytes,
					 geometry->slot_count / 2);
	producer->first_sequence = geometry->first_sequence;
	producer->head = geometry->first_sequence;
	producer->limit = producer->head;
	producer->limit_epoch = producer->cursors.epoch - 1;
	producer->generation = atomic64_inc_return(&generations);
	evring_section_refresh(producer, ktime_get_ns());
	return 0;
}

void evring_producer_destroy(struct evring_producer *producer)
{
	free_cpumask_var(producer->cpus);
}

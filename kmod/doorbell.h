/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells: who waits for which sequence of a device, and when it is woken.
 * Publishing looks at one word, the lowest sequence that concerns anybody. Only a
 * head that reaches it queues a round, which looks at a bounded number of sleepers;
 * what is left waits for the next round. States of a sleeper: sleeper.h.
 */
#ifndef _EVRING_DOORBELL_H
#define _EVRING_DOORBELL_H

#include <linux/bits.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/spinlock.h>

#include "producer.h"
#include "sleepers.h"

#define EVRING_FAR	BIT_ULL(62)	/* a distance that head never goes */

/**
 * struct evring_doorbell - the sleepers of one device
 * @due: the lowest sequence that concerns anybody; far ahead of head for nobody
 * @passes: batches that reached @due; with @pass_ns written by the producer alone
 * @pass_ns: CLOCK_MONOTONIC of the first of them since the last round
 * @passes_seen: those that rounds have answered
 * @flush_asked: the next round begins a flush
 * @lock: protects what follows; held with interrupts off, never over a wake-up
 * @closed: removed: arming fails with -ENODEV
 * @sleepers: the armed
 * @fired: claimed ones that wait to be woken
 * @flushing: those that have begun before @flush_sequence are rung
 * @flush_sequence: head when it began
 * @timer: queues a round at the earliest deadline
 * @timer_ns: when that is; U64_MAX when it is not running
 * @round: a round; in hard interrupt, on PREEMPT_RT as well
 * @in_thread: wakes the fired
 * @wakes_in_irq: the round does; EVRING_DEVICE_WAKE_IN_IRQ, never on PREEMPT_RT
 * @producer: whose head counts
 * @device_id: for tracepoints
 */
struct evring_doorbell {
	u64 due;
	u64 passes;
	u64 pass_ns;
	u64 passes_seen;
	bool flush_asked;
	raw_spinlock_t lock;
	bool closed;
	struct evring_sleepers sleepers;
	struct list_head fired;
	bool flushing;
	u64 flush_sequence;
	struct hrtimer timer;
	u64 timer_ns;
	struct irq_work round;
	struct kthread_work in_thread;
	bool wakes_in_irq;
	struct evring_producer *producer;
	u32 device_id;
};

int evring_doorbells_init(void);
void evring_doorbells_exit(void);

void evring_doorbell_init(struct evring_doorbell *doorbell, struct evring_producer *producer,
			  u64 first_sequence, bool wakes_in_irq);
bool evring_doorbell_closed(struct evring_doorbell *doorbell);
void evring_doorbell_quiet(struct evring_doorbell *doorbell);
void evring_doorbell_destroy(struct evring_doorbell *doorbell);
void evring_doorbell_passed(struct evring_doorbell *doorbell, u64 now_ns);
void evring_doorbell_flush(struct evring_doorbell *doorbell);
void evring_doorbell_changed(struct evring_doorbell *doorbell, u64 head);
void evring_doorbell_fire(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
			  int result);

/**
 * evring_doorbell_look() - all that sleepers cost a batch that wakes none of them
 * @doorbell: of the device that published
 * @now_ns: CLOCK_MONOTONIC of the batch
 *
 * With EVRING_DEVICE_ARM_IPI there is no barrier between the store of head and
 * this look: interrupts are off from before the one until after the other, so the
 * arming side's interrupt falls before both or after both.
 *
 * Context: Inside a section, after its last commit.
 */
static __always_inline void evring_doorbell_look(struct evring_doorbell *doorbell, u64 now_ns)
{
	struct evring_producer *producer = doorbell->producer;

	if (likely(!producer->arm_ipi)) {
		/* (D2) Head before due, or both look past each other. Pairs with (D1). */
		smp_mb();
	}
	if (unlikely(evring_reached(producer->head, READ_ONCE(doorbell->due))))
		evring_doorbell_passed(doorbell, now_ns);
	else if (unlikely(READ_ONCE(doorbell->sleepers.begun_count)))
		atomic64_inc(&producer->doorbells_suppressed);
}

#endif /* _EVRING_DOORBELL_H */

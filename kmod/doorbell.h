/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells: one wake-up for each armed sleeper, when its watermark is reached.
 *
 *        arm                     publisher, timer, disarm, cancel, removal
 *   IDLE ----> ARMED ----------> FIRED ---- irq_work ----> woken, IDLE
 *                   (one claim, under the doorbell's raw lock)
 *
 * Whoever moves an arm from ARMED to FIRED has claimed it; nobody else wakes it.
 */
#ifndef _EVRING_DOORBELL_H
#define _EVRING_DOORBELL_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include <evring/abi.h>

struct evring_file;
struct evring_producer;
struct io_uring_cmd;

#define EVRING_IDLE_BOUND_MS	10000	/* the longest park; the next command follows */

enum evring_arm_state {
	EVRING_ARM_IDLE,
	EVRING_ARM_ARMED,
	EVRING_ARM_FIRED,
};

/**
 * struct evring_armed - one sleeper: a descriptor's poll or read, or a command
 * @node: in the doorbell's armed or fired list
 * @state: enum evring_arm_state; changes under the doorbell's lock
 * @canceled: a cancel came before the arm was set
 * @wake_events: doorbell when head - cursor reaches this
 * @cursor: the sleeper's next sequence
 * @wake_ns: doorbell this long after the first event
 * @deadline_ns: next time at which the timer looks at it
 * @first_seen: the first event is there; @deadline_ns counts from it
 * @result: what the sleeper is told: events, or a negative errno
 * @file: the descriptor that armed
 * @owner: the table of descriptors it was armed from; for ->flush
 * @cmd: the io_uring command to complete, or NULL for a wait queue
 */
struct evring_armed {
	struct list_head node;
	enum evring_arm_state state;
	bool canceled;
	bool first_seen;
	u32 wake_events;
	u64 cursor;
	u64 wake_ns;
	u64 deadline_ns;
	int result;
	struct evring_file *file;
	const void *owner;
	struct io_uring_cmd *cmd;
};

/**
 * struct evring_doorbell - the sleepers of one device
 * @armed_count: the one word that the publisher looks at
 * @closed: removed: arming fails with -ENODEV
 * @lock: protects what follows; held with interrupts off, never over a wake-up
 * @armed: sleepers
 * @fired: claimed ones that wait for @work
 * @timer: fires at the earliest deadline, in hard interrupt
 * @timer_ns: when that is; U64_MAX when it is not running
 * @work: wakes what was claimed; not in hard interrupt on PREEMPT_RT
 * @producer: whose head counts
 * @device_id: for tracepoints
 */
struct evring_doorbell {
	unsigned int armed_count;
	bool closed;
	raw_spinlock_t lock;
	struct list_head armed;
	struct list_head fired;
	struct hrtimer timer;
	u64 timer_ns;
	struct irq_work work;
	struct evring_producer *producer;
	u32 device_id;
};

void evring_doorbell_init(struct evring_doorbell *doorbell, struct evring_producer *producer,
			  u32 device_id);
void evring_doorbell_close(struct evring_doorbell *doorbell);
bool evring_doorbell_closed(struct evring_doorbell *doorbell);
void evring_doorbell_destroy(struct evring_doorbell *doorbell);
void evring_doorbell_publish(struct evring_doorbell *doorbell, u64 now_ns);
void evring_doorbell_flush(struct evring_doorbell *doorbell);

int evring_arm_set(struct evring_doorbell *doorbell, struct evring_armed *armed,
		   const struct evring_arm *request);
int evring_arm_set_simple(struct evring_doorbell *doorbell, struct evring_armed *armed,
			  u64 cursor);
void evring_arm_clear(struct evring_doorbell *doorbell, struct evring_armed *armed);
void evring_arm_cancel(struct evring_doorbell *doorbell, struct evring_armed *armed);
void evring_arm_cancel_file(struct evring_doorbell *doorbell, struct evring_file *file,
			    const void *owner);

/**
 * evring_doorbell_look() - the publisher's whole cost when nobody sleeps
 * @doorbell: of the device that published
 * @now_ns: CLOCK_MONOTONIC of the batch
 *
 * (D2) Head was stored before this look, with no barrier between: the store may
 * still be on its way when the look misses an arm. Interrupts are off from
 * before the store until after the look, so the arming side's interrupt falls
 * before both or after both. Pairs with (D1).
 *
 * Context: Interrupts off, after a commit.
 */
static inline void evring_doorbell_look(struct evring_doorbell *doorbell, u64 now_ns)
{
	if (unlikely(READ_ONCE(doorbell->armed_count)))
		evring_doorbell_publish(doorbell, now_ns);
}

#endif /* _EVRING_DOORBELL_H */

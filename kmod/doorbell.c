// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming, moderation and firing; states in doorbell.h.
 *
 *   sleeper (process context)               publisher (interrupts off)
 *   put its arm on the list, armed_count++  store head                   (P3)
 *   (D1) interrupt every publishing CPU     look at armed_count          (D2)
 *   look at head again, sleep               if set: walk the list
 * Walks are bounded by the descriptors of the device and the commands of each.
 */
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>

#include "compat.h"
#include "doorbell.h"
#include "file.h"
#include "producer.h"
#include "trace.h"
#include "uring.h"

static u64 armed_events(const struct evring_armed *armed, u64 head)
{
	s64 count = head - armed->cursor;

	return count > 0 ? count : 0;
}

/* Under the lock. Claims an arm; the work wakes its sleeper. */
static void fire(struct evring_doorbell *doorbell, struct evring_armed *armed, int result)
{
	armed->state = EVRING_ARM_FIRED;
	armed->result = result;
	list_move_tail(&armed->node, &doorbell->fired);
	WRITE_ONCE(doorbell->armed_count, doorbell->armed_count - 1);
	trace_evring_fire(doorbell->device_id, armed->cursor, result);
	irq_work_queue(&doorbell->work);
}

/* Under the lock. A doorbell proper: counted. */
static void ring_out(struct evring_doorbell *doorbell, struct evring_armed *armed, int result)
{
	struct evring_producer *producer = doorbell->producer;

	WRITE_ONCE(producer->doorbells_rung, producer->doorbells_rung + 1);
	fire(doorbell, armed, result);
}

static int events_result(u64 event_count)
{
	return min_t(u64, event_count, INT_MAX);
}

/* Under the lock. Has this sleeper waited for enough? Notes its first event. */
static bool armed_is_due(struct evring_armed *armed, u64 event_count, u64 now_ns)
{
	if (!event_count)
		return false;
	if (event_count >= armed->wake_events || !armed->wake_ns)
		return true;
	if (!armed->first_seen) {
		armed->first_seen = true;
		armed->deadline_ns = now_ns + armed->wake_ns;
	}
	return false;
}

/* Under the lock. Makes the timer fire no later than @deadline_ns. */
static void timer_no_later(struct evring_doorbell *doorbell, u64 deadline_ns)
{
	if (deadline_ns >= doorbell->timer_ns)
		return;
	doorbell->timer_ns = deadline_ns;
	hrtimer_start(&doorbell->timer, ns_to_ktime(deadline_ns), HRTIMER_MODE_ABS_HARD);
}

/* Why the armed are looked at. */
enum evring_walk {
	EVRING_WALK_PUBLISH,	/* a batch came */
	EVRING_WALK_FLUSH,	/* watermarks do not count */
	EVRING_WALK_ARM,	/* somebody has just armed */
};

/* Under the lock. */
static void walk_armed(struct evring_doorbell *doorbell, u64 now_ns, enum evring_walk why)
{
	struct evring_producer *producer = doorbell->producer;
	u64 head = READ_ONCE(producer->head);
	struct evring_armed *armed, *next;
	bool suppressed = false;

	list_for_each_entry_safe(armed, next, &doorbell->armed, node) {
		u64 event_count = armed_events(armed, head);

		if (armed_is_due(armed, event_count, now_ns) ||
		    (why == EVRING_WALK_FLUSH && event_count)) {
			ring_out(doorbell, armed, events_result(event_count));
			continue;
		}
		suppressed |= event_count > 0;
		timer_no_later(doorbell, armed->deadline_ns);
	}
	if (suppressed && why == EVRING_WALK_PUBLISH)
		WRITE_ONCE(producer->doorbells_suppressed, producer->doorbells_suppressed + 1);
}

/**
 * evring_doorbell_publish() - ring whom the last batch woke
 * @doorbell: of the device
 * @now_ns: CLOCK_MONOTONIC of the batch
 *
 * Context: Interrupts off; hard interrupt included.
 */
void evring_doorbell_publish(struct evring_doorbell *doorbell, u64 now_ns)
{
	raw_spin_lock(&doorbell->lock);
	walk_armed(doorbell, now_ns, EVRING_WALK_PUBLISH);
	raw_spin_unlock(&doorbell->lock);
}

/**
 * evring_doorbell_flush() - ring everyone who has an event, watermark or not
 * @doorbell: of the device
 *
 * Context: Any but NMI.
 */
void evring_doorbell_flush(struct evring_doorbell *doorbell)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&doorbell->lock, flags);
	walk_armed(doorbell, ktime_get_ns(), EVRING_WALK_FLUSH);
	raw_spin_unlock_irqrestore(&doorbell->lock, flags);
}

/* Hard interrupt, on PREEMPT_RT as well. */
static enum hrtimer_restart deadline_passed(struct hrtimer *timer)
{
	struct evring_doorbell *doorbell = container_of(timer, struct evring_doorbell, timer);
	struct evring_armed *armed, *next;
	u64 earliest_ns = U64_MAX;
	u64 head, now_ns;
	unsigned long flags;

	raw_spin_lock_irqsave(&doorbell->lock, flags);
	head = READ_ONCE(doorbell->producer->head);
	now_ns = ktime_get_ns();
	doorbell->timer_ns = U64_MAX;
	list_for_each_entry_safe(armed, next, &doorbell->armed, node) {
		u64 event_count = armed_events(armed, head);

		if (armed_is_due(armed, event_count, now_ns))
			ring_out(doorbell, armed, events_result(event_count));
		else if (armed->deadline_ns <= now_ns)
			ring_out(doorbell, armed,
				 event_count ? events_result(event_count) : -ETIME);
		else
			earliest_ns = min(earliest_ns, armed->deadline_ns);
	}
	timer_no_later(doorbell, earliest_ns);
	raw_spin_unlock_irqrestore(&doorbell->lock, flags);
	return HRTIMER_NORESTART;
}

static struct evring_armed *take_fired(struct evring_doorbell *doorbell, struct list_head *fired)
{
	struct evring_armed *armed;
	unsigned long flags;

	/* Not this list alone: arm_clear() may unlink from it at any time. */
	raw_spin_lock_irqsave(&doorbell->lock, flags);
	armed = list_first_entry_or_null(fired, struct evring_armed, node);
	if (armed)
		list_del_init(&armed->node);
	raw_spin_unlock_irqrestore(&doorbell->lock, flags);
	return armed;
}

/*
 * Wakes what was claimed. Hard interrupt, or a thread on PREEMPT_RT, where
 * wake-ups take sleeping locks. One batch a call: its work is bounded.
 */
static void wake_fired(struct irq_work *work)
{
	struct evring_doorbell *doorbell = container_of(work, struct evring_doorbell, work);
	struct evring_armed *armed;
	unsigned long flags;
	LIST_HEAD(fired);

	/* Files and devices are freed a grace period after their arms are cleared. */
	rcu_read_lock();
	raw_spin_lock_irqsave(&doorbell->lock, flags);
	list_splice_init(&doorbell->fired, &fired);
	raw_spin_unlock_irqrestore(&doorbell->lock, flags);

	while ((armed = take_fired(doorbell, &fired))) {
		if (armed->cmd)
			evring_uring_complete_later(armed);
		else
			evring_file_wake(armed->file, EPOLLIN | EPOLLRDNORM);
	}
	rcu_read_unlock();
}

static int arm_link(struct evring_doorbell *doorbell, struct evring_armed *armed)
{
	if (doorbell->closed)
		return -ENODEV;
	if (armed->canceled)
		return -ECANCELED;
	if (armed->state == EVRING_ARM_ARMED)
		return -EBUSY;
	/* A descriptor may still lie in the fired list: its waiters look for themselves. */
	list_del_init(&armed->node);
	list_add_tail(&armed->node, &doorbell->armed);
	armed->state = EVRING_ARM_ARMED;
	armed->first_seen = false;
	WRITE_ONCE(doorbell->armed_count, doorbell->armed_count + 1);
	timer_no_later(doorbell, armed->deadline_ns);
	return 0;
}

/*
 * What came while the arm was on its way. The arm itself is not touched: a
 * command that has fired may be completed and freed by now.
 */
static void look_again(struct evring_doorbell *doorbell)
{
	raw_spin_lock_irq(&doorbell->lock);
	walk_armed(doorbell, ktime_get_ns(), EVRING_WALK_ARM);
	raw_spin_unlock_irq(&doorbell->lock);
}

static int arm_publish(struct evring_doorbell *doorbell, struct evring_armed *armed)
{
	int err;

	raw_spin_lock_irq(&doorbell->lock);
	err = arm_link(doorbell, armed);
	if (!err)
		trace_evring_arm(doorbell->device_id, armed->cursor, armed->wake_events,
				 armed->wake_ns);
	raw_spin_unlock_irq(&doorbell->lock);
	if (err)
		return err;
	/*
	 * (D1) The arm before the second look at head, or an event between the
	 * two wakes nobody. The interrupt that this sends is the barrier that
	 * publishers do without. Pairs with (D2) and (D3).
	 */
	evring_producer_barrier(doorbell->producer);
	look_again(doorbell);
	return 0;
}

/**
 * evring_arm_set() - arm with moderation
 * @doorbell: of the device
 * @armed: with file, owner and cmd set; not armed
 * @request: see struct evring_arm; every value is fine
 *
 * On return a command may be completed already.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY when @armed is armed; -ENODEV after removal; -ECANCELED.
 */
int evring_arm_set(struct evring_doorbell *doorbell, struct evring_armed *armed,
		   const struct evring_arm *request)
{
	u64 idle_ms = request->max_idle_ms ?: EVRING_IDLE_BOUND_MS;
	u64 bound_ns = (u64)EVRING_IDLE_BOUND_MS * NSEC_PER_MSEC;

	raw_spin_lock_irq(&doorbell->lock);
	if (armed->state == EVRING_ARM_ARMED) {
		raw_spin_unlock_irq(&doorbell->lock);
		return -EBUSY;
	}
	armed->cursor = request->cursor;
	armed->wake_events = request->wake_events ?: 1;
	armed->wake_ns = min_t(u64, (u64)request->wake_us * NSEC_PER_USEC, bound_ns);
	armed->deadline_ns = ktime_get_ns() + min_t(u64, idle_ms * NSEC_PER_MSEC, bound_ns);
	raw_spin_unlock_irq(&doorbell->lock);
	return arm_publish(doorbell, armed);
}

/**
 * evring_arm_set_simple() - arm for the first event at or past a sequence
 * @doorbell: of the device
 * @armed: of a descriptor; may be armed already
 * @cursor: the sequence
 *
 * Context: Process context, may sleep.
 * Return: 0, also when it was armed; -ENODEV after removal.
 */
int evring_arm_set_simple(struct evring_doorbell *doorbell, struct evring_armed *armed,
			  u64 cursor)
{
	int err;

	raw_spin_lock_irq(&doorbell->lock);
	if (armed->state != EVRING_ARM_ARMED) {
		armed->cursor = cursor;
		armed->wake_events = 1;
		armed->wake_ns = 0;
		armed->deadline_ns = U64_MAX;
	}
	raw_spin_unlock_irq(&doorbell->lock);
	err = arm_publish(doorbell, armed);
	return err == -EBUSY ? 0 : err;
}

/**
 * evring_arm_clear() - take a descriptor's arm back without a wake-up
 * @doorbell: of the device
 * @armed: of a descriptor
 *
 * Context: Process context.
 */
void evring_arm_clear(struct evring_doorbell *doorbell, struct evring_armed *armed)
{
	raw_spin_lock_irq(&doorbell->lock);
	if (armed->state == EVRING_ARM_ARMED)
		WRITE_ONCE(doorbell->armed_count, doorbell->armed_count - 1);
	armed->state = EVRING_ARM_IDLE;
	list_del_init(&armed->node);
	raw_spin_unlock_irq(&doorbell->lock);
}

/**
 * evring_arm_cancel() - end one command with -ECANCELED, unless it has fired
 * @doorbell: of the device
 * @armed: of a command
 *
 * Context: Process context.
 */
void evring_arm_cancel(struct evring_doorbell *doorbell, struct evring_armed *armed)
{
	raw_spin_lock_irq(&doorbell->lock);
	armed->canceled = true;
	if (armed->state == EVRING_ARM_ARMED)
		fire(doorbell, armed, -ECANCELED);
	raw_spin_unlock_irq(&doorbell->lock);
}

/**
 * evring_arm_cancel_file() - end the commands of a descriptor with -ECANCELED
 * @doorbell: of the device
 * @file: whose commands
 * @owner: only those armed from this table of descriptors; NULL for all
 *
 * Context: Process context.
 */
void evring_arm_cancel_file(struct evring_doorbell *doorbell, struct evring_file *file,
			    const void *owner)
{
	struct evring_armed *armed, *next;

	raw_spin_lock_irq(&doorbell->lock);
	list_for_each_entry_safe(armed, next, &doorbell->armed, node)
		if (armed->cmd && armed->file == file && (!owner || armed->owner == owner))
			fire(doorbell, armed, -ECANCELED);
	raw_spin_unlock_irq(&doorbell->lock);
}

/**
 * evring_doorbell_close() - wake everyone with -ENODEV; nobody arms after this
 * @doorbell: of a device that is being removed
 *
 * Context: Process context, may sleep.
 */
void evring_doorbell_close(struct evring_doorbell *doorbell)
{
	struct evring_armed *armed, *next;

	raw_spin_lock_irq(&doorbell->lock);
	WRITE_ONCE(doorbell->closed, true);
	list_for_each_entry_safe(armed, next, &doorbell->armed, node)
		fire(doorbell, armed, -ENODEV);
	raw_spin_unlock_irq(&doorbell->lock);
	hrtimer_cancel(&doorbell->timer);
}

/**
 * evring_doorbell_closed() - will nothing more be published
 * @doorbell: of the device
 *
 * Context: Process context.
 * Return: true after removal; then every event is visible to the caller.
 */
bool evring_doorbell_closed(struct evring_doorbell *doorbell)
{
	bool closed;

	/* The lock orders: it was closed after the producer had stopped. */
	raw_spin_lock_irq(&doorbell->lock);
	closed = doorbell->closed;
	raw_spin_unlock_irq(&doorbell->lock);
	return closed;
}

void evring_doorbell_init(struct evring_doorbell *doorbell, struct evring_producer *producer,
			  u32 device_id)
{
	raw_spin_lock_init(&doorbell->lock);
	INIT_LIST_HEAD(&doorbell->armed);
	INIT_LIST_HEAD(&doorbell->fired);
	hrtimer_setup(&doorbell->timer, deadline_passed, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	doorbell->timer_ns = U64_MAX;
	init_irq_work(&doorbell->work, wake_fired);
	doorbell->producer = producer;
	doorbell->device_id = device_id;
}

/* Nobody is armed and nobody can arm any more. Process context, may sleep. */
void evring_doorbell_destroy(struct evring_doorbell *doorbell)
{
	hrtimer_cancel(&doorbell->timer);
	irq_work_sync(&doorbell->work);
}

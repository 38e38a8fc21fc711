// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rounds: moderation, deadlines, firing and waking; arm.c arms. A round runs in hard
 * interrupt, queued by a head that reaches due, by the timer, and by who armed or
 * canceled. A thread wakes: how long that takes is the sleeper's doing, who may have
 * any number of epoll instances behind one descriptor.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "compat.h"
#include "doorbell.h"
#include "trace.h"

#define ROUND_COUNT_MAX	8	/* sleepers of one round: bounds an interrupt */

static struct kthread_worker *wake_worker;

static u64 events_of(const struct evring_sleeper *sleeper, u64 head)
{
	s64 count = head - sleeper->cursor;

	return count > 0 ? count : 0;
}

/* Makes the timer fire no later than the first deadline. It may fire too early. */
static void start_timer(struct evring_doorbell *doorbell)
{
	struct evring_sleeper *first = evring_sleepers_first_deadline(&doorbell->sleepers);
	u64 deadline_ns = first ? evring_sleeper_deadline_ns(first) : KTIME_MAX;

	if (deadline_ns == KTIME_MAX || deadline_ns >= doorbell->timer_ns)
		return;
	doorbell->timer_ns = deadline_ns;
	hrtimer_start(&doorbell->timer, ns_to_ktime(deadline_ns), HRTIMER_MODE_ABS_HARD);
}

/**
 * evring_doorbell_changed() - show publishers and the timer what concerns somebody next
 * @doorbell: of the device
 * @head: of its producer
 *
 * Context: Under the doorbell's lock, after every change of its sleepers.
 */
void evring_doorbell_changed(struct evring_doorbell *doorbell, u64 head)
{
	struct evring_sleeper *first = evring_sleepers_first_due(&doorbell->sleepers);

	WRITE_ONCE(doorbell->due, first ? first->due : head + EVRING_FAR);
	start_timer(doorbell);
}

/**
 * evring_doorbell_fire() - claim an armed sleeper; a round wakes it
 * @doorbell: of the device
 * @sleeper: the one
 * @result: what it is told
 *
 * Context: Under the doorbell's lock.
 */
void evring_doorbell_fire(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
			  int result)
{
	evring_sleepers_leave(&doorbell->sleepers, sleeper);
	sleeper->result = result;
	WRITE_ONCE(sleeper->state, EVRING_SLEEPER_FIRED);
	list_add_tail(&sleeper->node, &doorbell->fired);
	trace_evring_fire(doorbell->device_id, sleeper->cursor, result);
}

/* A doorbell proper: counted. Under the lock, like all down to take_fired(). */
static void ring_out(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
		     u64 event_count)
{
	struct evring_producer *producer = doorbell->producer;

	WRITE_ONCE(producer->doorbells_rung, producer->doorbells_rung + 1);
	WRITE_ONCE(producer->refresh_due_ns, 0);
	evring_doorbell_fire(doorbell, sleeper,
			     event_count ? min_t(u64, event_count, INT_MAX) : -ETIME);
}

/* What a round knows; see find_concerned(). */
struct round {
	u64 head;
	u64 now_ns;
	u64 first_ns;	/* of a first event that it notices */
};

static bool is_late(const struct evring_sleeper *sleeper, const struct round *round)
{
	return evring_sleeper_deadline_ns(sleeper) <= round->now_ns;
}

/* The next one that something is to be done about. */
static struct evring_sleeper *find_concerned(struct evring_doorbell *doorbell,
					     const struct round *round)
{
	struct evring_sleeper *sleeper;

	sleeper = evring_sleepers_first_due(&doorbell->sleepers);
	if (sleeper && evring_reached(round->head, sleeper->due))
		return sleeper;
	sleeper = evring_sleepers_first_deadline(&doorbell->sleepers);
	if (sleeper && is_late(sleeper, round))
		return sleeper;
	/* Those that had begun before the flush come first. */
	sleeper = evring_sleepers_first_begun(&doorbell->sleepers);
	if (doorbell->flushing && sleeper && events_of(sleeper, doorbell->flush_sequence))
		return sleeper;
	doorbell->flushing = false;
	return NULL;
}

static void answer(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
		   const struct round *round)
{
	u64 event_count = events_of(sleeper, round->head);

	if (event_count >= sleeper->wake_events || is_late(sleeper, round) ||
	    (doorbell->flushing && events_of(sleeper, doorbell->flush_sequence))) {
		ring_out(doorbell, sleeper, event_count);
	} else if (event_count) {
		evring_sleepers_begin(&doorbell->sleepers, sleeper,
				      sleeper->cursor + sleeper->wake_events,
				      min(round->first_ns + sleeper->wake_ns, sleeper->latest_ns));
	} else {	/* a cursor half the numbers away from head: on neither side */
		evring_sleepers_move(&doorbell->sleepers, sleeper, round->head + EVRING_FAR,
				     sleeper->latest_ns);
	}
}

/* Counts the batches that were answered: suppressed, when somebody waits on. */
static void count_passes(struct evring_doorbell *doorbell, u64 passes)
{
	if (doorbell->sleepers.begun_count)
		atomic64_add(passes - doorbell->passes_seen,
			     &doorbell->producer->doorbells_suppressed);
	WRITE_ONCE(doorbell->passes_seen, passes);
}

/* Answers a bounded number of sleepers. Returns whether there are more. */
static bool answer_some(struct evring_doorbell *doorbell)
{
	u64 passes = READ_ONCE(doorbell->passes);
	struct round round = { .now_ns = ktime_get_ns() };
	struct evring_sleeper *sleeper;
	unsigned int i;

	round.first_ns = passes == doorbell->passes_seen ? round.now_ns :
							    READ_ONCE(doorbell->pass_ns);
	round.head = READ_ONCE(doorbell->producer->head);
	if (xchg(&doorbell->flush_asked, false)) {
		doorbell->flushing = true;
		doorbell->flush_sequence = round.head;
	}
	if (doorbell->timer_ns <= round.now_ns)
		doorbell->timer_ns = U64_MAX;
	for (i = 0; i < ROUND_COUNT_MAX; i++) {
		sleeper = find_concerned(doorbell, &round);
		if (!sleeper)
			break;
		answer(doorbell, sleeper, &round);
	}
	sleeper = find_concerned(doorbell, &round);
	if (!sleeper)
		count_passes(doorbell, passes);
	evring_doorbell_changed(doorbell, round.head);
	return sleeper;
}

static unsigned int take_fired(struct evring_doorbell *doorbell, struct evring_sleeper **taken)
{
	struct evring_sleeper *sleeper, *next;
	unsigned int count = 0;

	list_for_each_entry_safe(sleeper, next, &doorbell->fired, node) {
		if (count == ROUND_COUNT_MAX)
			break;
		list_del_init(&sleeper->node);
		taken[count++] = sleeper;
	}
	return count;
}

/*
 * The thread, or hard interrupt where the owner chose so.
 * Wakes a bounded number of those that were fired. Returns whether there are more.
 */
static bool wake_some(struct evring_doorbell *doorbell)
{
	struct evring_sleeper *taken[ROUND_COUNT_MAX];
	unsigned int i, taken_count;
	unsigned long flags;
	bool more;

	/* What holds a sleeper is freed a grace period after it was disarmed. */
	rcu_read_lock();
	raw_spin_lock_irqsave(&doorbell->lock, flags);
	taken_count = take_fired(doorbell, taken);
	more = !list_empty(&doorbell->fired);
	raw_spin_unlock_irqrestore(&doorbell->lock, flags);
	for (i = 0; i < taken_count; i++)
		taken[i]->wake(taken[i]);
	rcu_read_unlock();
	return more;
}

static void wake_in_thread(struct kthread_work *work)
{
	struct evring_doorbell *doorbell = container_of(work, struct evring_doorbell, in_thread);

	if (wake_some(doorbell))
		kthread_queue_work(wake_worker, work);
}

/* Returns whether there is more to do. */
static bool do_some(struct evring_doorbell *doorbell)
{
	bool more, fired;

	raw_spin_lock(&doorbell->lock);
	more = answer_some(doorbell);
	fired = !list_empty(&doorbell->fired);
	raw_spin_unlock(&doorbell->lock);
	if (fired && doorbell->wakes_in_irq)
		more |= wake_some(doorbell);
	else if (fired)
		kthread_queue_work(wake_worker, &doorbell->in_thread);
	return more;
}

/*
 * Hard interrupt, on PREEMPT_RT as well. Its work is bounded; the rest is queued, but
 * not on a CPU that goes offline: it has its last interrupt now.
 */
static void do_round(struct irq_work *work)
{
	struct evring_doorbell *doorbell = container_of(work, struct evring_doorbell, round);
	bool more;

	do
		more = do_some(doorbell);
	while (more && !cpu_online(smp_processor_id()));
	if (more)
		irq_work_queue(work);
}

/* Hard interrupt, on PREEMPT_RT as well. */
static enum hrtimer_restart deadline_passed(struct hrtimer *timer)
{
	irq_work_queue(&container_of(timer, struct evring_doorbell, timer)->round);
	return HRTIMER_NORESTART;
}

/**
 * evring_doorbell_passed() - a batch has reached the lowest sequence that concerns anybody
 * @doorbell: of the device
 * @now_ns: CLOCK_MONOTONIC of the batch
 *
 * Context: Inside a section: hard interrupt included, one caller at a time.
 */
void evring_doorbell_passed(struct evring_doorbell *doorbell, u64 now_ns)
{
	/*
	 * It is not taken here. But for lockdep its order is fixed: were the producer's taken
	 * under it, who arms would wait for publishers with interrupts off.
	 */
	might_lock(&doorbell->lock);
	if (doorbell->passes == READ_ONCE(doorbell->passes_seen))
		WRITE_ONCE(doorbell->pass_ns, now_ns);
	WRITE_ONCE(doorbell->passes, doorbell->passes + 1);
	irq_work_queue(&doorbell->round);
}

/**
 * evring_doorbell_flush() - ring everyone who has an event, watermark or not
 * @doorbell: of the device
 *
 * Takes no lock: whoever arms meanwhile delays no handler that calls this.
 *
 * Context: Any but NMI.
 */
void evring_doorbell_flush(struct evring_doorbell *doorbell)
{
	WRITE_ONCE(doorbell->flush_asked, true);
	irq_work_queue(&doorbell->round);
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

/**
 * evring_doorbell_init() - nobody sleeps yet
 * @doorbell: of a device that nobody can see
 * @producer: its producer
 * @first_sequence: of its ring
 * @wakes_in_irq: the owner trusts all who may read with the length of its interrupts
 *
 * Context: Process context.
 */
void evring_doorbell_init(struct evring_doorbell *doorbell, struct evring_producer *producer,
			  u64 first_sequence, bool wakes_in_irq)
{
	raw_spin_lock_init(&doorbell->lock);
	doorbell->due = first_sequence + EVRING_FAR;
	evring_sleepers_init(&doorbell->sleepers);
	INIT_LIST_HEAD(&doorbell->fired);
	hrtimer_setup(&doorbell->timer, deadline_passed, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	doorbell->timer_ns = U64_MAX;
	kthread_init_work(&doorbell->in_thread, wake_in_thread);
	/* There a wake-up takes locks that sleep. */
	doorbell->wakes_in_irq = wakes_in_irq && !IS_ENABLED(CONFIG_PREEMPT_RT);
	/*
	 * Either kind runs in hard interrupt where PREEMPT_RT is off. But HARD says that it
	 * would anywhere, and lockdep reports the locks of a wake-up under that.
	 */
	doorbell->round = doorbell->wakes_in_irq ? IRQ_WORK_INIT(do_round) :
						   IRQ_WORK_INIT_HARD(do_round);
	doorbell->producer = producer;
}

/**
 * evring_doorbell_quiet() - let no round begin any more
 * @doorbell: nobody is armed, nobody can arm and nothing is published any more
 *
 * irq_work_sync() waits for one run: when it ends, it takes the mark of a second
 * one, which has begun on another CPU meanwhile, for its own. Both run with
 * interrupts off, which a grace period waits for: the caller's, so that many
 * doorbells can share one.
 *
 * Context: Process context, may sleep.
 */
void evring_doorbell_quiet(struct evring_doorbell *doorbell)
{
	hrtimer_cancel(&doorbell->timer);
	irq_work_sync(&doorbell->round);
}

/**
 * evring_doorbell_destroy() - wait until no round runs
 * @doorbell: quiet for a grace period
 *
 * What rounds left to the thread is waited for after them: nothing else queues it.
 *
 * Context: Process context, may sleep.
 */
void evring_doorbell_destroy(struct evring_doorbell *doorbell)
{
	kthread_cancel_work_sync(&doorbell->in_thread);
}

/**
 * evring_doorbells_init() - the thread that wakes sleepers
 *
 * One for all devices, above ordinary tasks, where the kernel's own thread for
 * such work stands too. That one cannot be waited for; this one can.
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int evring_doorbells_init(void)
{
	wake_worker = kthread_run_worker(0, "evring");
	if (IS_ERR(wake_worker))
		return PTR_ERR(wake_worker);
	sched_set_fifo_low(wake_worker->task);
	return 0;
}

void evring_doorbells_exit(void)
{
	kthread_destroy_worker(wake_worker);
}

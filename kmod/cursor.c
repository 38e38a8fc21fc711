// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registration of consumers with a gated ring, and the producer's limit.
 * A cursor is believed only inside [last one believed, head]: anything else a
 * page says is as if its consumer had not moved. So a hostile page can do what
 * a consumer that stopped can do, and nothing more.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "producer.h"

void evring_cursors_init(struct evring_cursors *cursors)
{
	mutex_init(&cursors->lock);
}

static u64 cursor_lag(struct evring_cursor *cursor, u64 head)
{
	/* (P4) The cursor before new slots, or they overwrite what is read. Pairs with (C4). */
	u64 said = smp_load_acquire(&cursor->words->cursor);

	if (said - cursor->seen <= head - cursor->seen)
		cursor->seen = said;
	return head - cursor->seen;
}

/**
 * evring_cursors_limit() - the sequence that head may not pass
 * @producer: inside a section
 *
 * Looks at every registered consumer; 2^63 ahead when there is none.
 *
 * Context: Inside a section, which is an RCU reader because interrupts are off.
 * Return: head plus the free space.
 */
u64 evring_cursors_limit(struct evring_producer *producer)
{
	struct evring_cursors *cursors = &producer->cursors;
	u64 lag, max_lag = 0;
	bool any = false;
	unsigned int i;

	/* (G3) The epoch before the entries, or a new one is never seen. Pairs with (G1). */
	producer->limit_epoch = smp_load_acquire(&cursors->epoch);
	for (i = 0; i < EVRING_CONSUMER_COUNT_MAX; i++) {
		struct evring_cursor *cursor = rcu_dereference_check(cursors->entry[i],
								     irqs_disabled());

		if (!cursor)
			continue;
		lag = cursor_lag(cursor, producer->head);
		max_lag = max(max_lag, lag);
		any = true;
	}
	if (!any)
		return producer->head + (1ULL << 63);
	/* A cursor that was lapped while it registered moves up before it is used. */
	max_lag = min(max_lag, evring_slot_count(producer->ring));
	return producer->head - max_lag + evring_slot_count(producer->ring);
}

static struct evring_cursor *cursor_allocate(void)
{
	struct evring_cursor *cursor = kzalloc(sizeof(*cursor), GFP_KERNEL_ACCOUNT);

	if (!cursor)
		return NULL;
	cursor->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!cursor->page) {
		kfree(cursor);
		return NULL;
	}
	cursor->words = page_address(cursor->page);
	return cursor;
}

static void cursor_free(struct rcu_head *rcu)
{
	struct evring_cursor *cursor = container_of(rcu, struct evring_cursor, rcu);

	put_page(cursor->page);
	kfree(cursor);
}

/* Where it would stand if the ring stood still now. */
static int cursor_choose(struct evring_producer *producer, const struct evring_register *request,
			 u64 *sequence)
{
	u64 head = READ_ONCE(producer->head);
	u64 oldest = evring_oldest(producer->ring, producer->first_sequence, head);

	switch (request->start_at) {
	case EVRING_START_OLDEST:
		*sequence = oldest;
		return 0;
	case EVRING_START_NEWEST:
		*sequence = head;
		return 0;
	case EVRING_START_SEQUENCE:
		if ((s64)(request->sequence - head) > 0)
			return -EINVAL;
		*sequence = (s64)(request->sequence - oldest) < 0 ? oldest : request->sequence;
		return 0;
	default:
		return -EINVAL;
	}
}

static int cursor_publish(struct evring_cursors *cursors, struct evring_cursor *cursor)
{
	unsigned int i;

	for (i = 0; i < EVRING_CONSUMER_COUNT_MAX; i++)
		if (!rcu_access_pointer(cursors->entry[i]))
			break;
	if (i == EVRING_CONSUMER_COUNT_MAX)
		return -ENOSPC;
	cursor->index = i;
	rcu_assign_pointer(cursors->entry[i], cursor);
	WRITE_ONCE(cursors->count, cursors->count + 1);
	/* (G1) The entry before its epoch, or the old limit stays. Pairs with (G3). */
	smp_store_release(&cursors->epoch, cursors->epoch + 1);
	return 0;
}

/*
 * The producer moved on while the cursor was not yet known to it. After the
 * barrier it obeys the cursor, so from there on the oldest cannot run away.
 */
static u64 cursor_settle(struct evring_producer *producer, u64 chosen, u32 start_at)
{
	u64 head, oldest;

	evring_producer_barrier(producer);
	head = READ_ONCE(producer->head);
	oldest = evring_oldest(producer->ring, producer->first_sequence, head);
	if (start_at == EVRING_START_NEWEST)
		return head;
	return (s64)(chosen - oldest) < 0 ? oldest : chosen;
}

/**
 * evring_cursor_add() - register a consumer
 * @producer: of a gated ring
 * @request: start_at and sequence in; sequence out
 *
 * Context: Process context.
 * Return: the cursor; -EINVAL for a start past head or of no known kind,
 *         -ENOSPC past EVRING_CONSUMER_COUNT_MAX, -ENOMEM.
 */
struct evring_cursor *evring_cursor_add(struct evring_producer *producer,
					struct evring_register *request)
{
	struct evring_cursor *cursor = cursor_allocate();
	u64 sequence;
	int err;

	if (!cursor)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&producer->cursors.lock);
	err = cursor_choose(producer, request, &sequence);
	if (err)
		goto free_cursor;
	cursor->seen = sequence;
	cursor->words->cursor = sequence;
	err = cursor_publish(&producer->cursors, cursor);
	if (err)
		goto free_cursor;
	request->sequence = cursor_settle(producer, sequence, request->start_at);
	/* (C4) Where it stands; its consumer stores the same way. Pairs with (P4). */
	smp_store_release(&cursor->words->cursor, request->sequence);
	mutex_unlock(&producer->cursors.lock);
	return cursor;

free_cursor:
	mutex_unlock(&producer->cursors.lock);
	cursor_free(&cursor->rcu);
	return ERR_PTR(err);
}

/**
 * evring_cursor_remove() - forget a consumer; its page lives on where it is mapped
 * @producer: where it is registered
 * @cursor: from evring_cursor_add()
 *
 * Context: Process context.
 */
void evring_cursor_remove(struct evring_producer *producer, struct evring_cursor *cursor)
{
	struct evring_cursors *cursors = &producer->cursors;

	mutex_lock(&cursors->lock);
	rcu_assign_pointer(cursors->entry[cursor->index], NULL);
	WRITE_ONCE(cursors->count, cursors->count - 1);
	/* (G1) As above; a producer that is late looks at the old entry once more. */
	smp_store_release(&cursors->epoch, cursors->epoch + 1);
	mutex_unlock(&cursors->lock);
	call_rcu(&cursor->rcu, cursor_free);
}

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

#include "cursor.h"

void evring_cursors_init(struct evring_cursors *cursors, const struct evring_ring *ring,
			 const u64 *head, u64 first_sequence)
{
	mutex_init(&cursors->lock);
	cursors->ring = ring;
	cursors->head = head;
	cursors->first_sequence = first_sequence;
	cursors->claim = first_sequence;
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
 * @cursors: of the ring
 * @epoch: out: what @cursors' was before the look
 *
 * Looks at every registered consumer; 2^63 ahead when there is none.
 *
 * Context: Inside a section, which is an RCU reader because interrupts are off.
 * Return: head plus the free space.
 */
u64 evring_cursors_limit(struct evring_cursors *cursors, unsigned int *epoch)
{
	u64 head = *cursors->head;
	u64 lag, max_lag = 0;
	bool any = false;
	unsigned int i;

	/* (G3) The epoch before the entries, or a new one is never seen. Pairs with (G1). */
	*epoch = smp_load_acquire(&cursors->epoch);
	for (i = 0; i < EVRING_CONSUMER_COUNT_MAX; i++) {
		struct evring_cursor *cursor = rcu_dereference_check(cursors->entry[i],
								     irqs_disabled());

		if (!cursor)
			continue;
		lag = cursor_lag(cursor, head);
		max_lag = max(max_lag, lag);
		any = true;
	}
	/* (G7) Who is gone before new slots, or what it still reads. Pairs with (G6). */
	smp_mb();
	if (!any)
		return head + (1ULL << 63);
	/* A cursor that was lapped while it registered moves up before it is used. */
	max_lag = min(max_lag, evring_slot_count(cursors->ring));
	return head - max_lag + evring_slot_count(cursors->ring);
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
static int cursor_choose(const struct evring_cursors *cursors,
			 const struct evring_register *request, u64 *sequence)
{
	u64 head = READ_ONCE(*cursors->head);
	u64 oldest = evring_oldest(cursors->ring, cursors->first_sequence, head);

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
	/*
	 * (G1) Both before the look at the claim, or a section that has not seen
	 * them overwrites where this cursor starts. Pairs with (G2).
	 */
	smp_mb();
	return 0;
}

/*
 * The producer moved on while the cursor was not yet known to it. A section that
 * has not seen it has shown its claim; each later one obeys, so from there on the
 * oldest cannot run away.
 */
static u64 cursor_settle(const struct evring_cursors *cursors, u64 chosen, u32 start_at)
{
	/* (G5) The claim as it was granted. Pairs with (G4). */
	u64 claim = smp_load_acquire(&cursors->claim);
	u64 head = READ_ONCE(*cursors->head);
	u64 last = (s64)(claim - head) > 0 ? claim : head;
	u64 oldest = evring_oldest(cursors->ring, cursors->first_sequence, last);

	if (start_at == EVRING_START_NEWEST)
		return head;
	return (s64)(chosen - oldest) < 0 ? oldest : chosen;
}

/**
 * evring_cursor_add() - register a consumer
 * @cursors: of a gated ring
 * @request: start_at and sequence in; sequence out
 *
 * Context: Process context.
 * Return: the cursor; -EINVAL for a start past head or of no known kind,
 *         -ENOSPC past EVRING_CONSUMER_COUNT_MAX, -ENOMEM.
 */
struct evring_cursor *evring_cursor_add(struct evring_cursors *cursors,
					struct evring_register *request)
{
	struct evring_cursor *cursor = cursor_allocate();
	u64 sequence;
	int err;

	if (!cursor)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&cursors->lock);
	err = cursor_choose(cursors, request, &sequence);
	if (err)
		goto free_cursor;
	cursor->seen = sequence;
	cursor->words->cursor = sequence;
	err = cursor_publish(cursors, cursor);
	if (err)
		goto free_cursor;
	request->sequence = cursor_settle(cursors, sequence, request->start_at);
	/* (C4) Where it stands; its consumer stores the same way. Pairs with (P4). */
	smp_store_release(&cursor->words->cursor, request->sequence);
	mutex_unlock(&cursors->lock);
	return cursor;

free_cursor:
	mutex_unlock(&cursors->lock);
	cursor_free(&cursor->rcu);
	return ERR_PTR(err);
}

/**
 * evring_cursor_remove() - forget a consumer; its page lives on where it is mapped
 * @cursors: where it is registered
 * @cursor: from evring_cursor_add()
 *
 * Context: Process context.
 */
void evring_cursor_remove(struct evring_cursors *cursors, struct evring_cursor *cursor)
{
	mutex_lock(&cursors->lock);
	/* (G6) Its last reads before its absence, or they are overwritten. Pairs with (G7). */
	smp_mb();
	RCU_INIT_POINTER(cursors->entry[cursor->index], NULL);
	WRITE_ONCE(cursors->count, cursors->count - 1);
	/* (G1) As above; a producer that is late looks at the old entry once more. */
	smp_store_release(&cursors->epoch, cursors->epoch + 1);
	mutex_unlock(&cursors->lock);
	call_rcu(&cursor->rcu, cursor_free);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The events of one device: allocated and filled outside the critical section,
 * linked inside it; taken inside, copied and freed outside. Sequences are given
 * and checked inside, so they show whether the critical section is one.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "list.h"

#define UNLOCKED_EVENTS_DEFAULT	4096
#define UNLOCKED_EVENTS_MAX	65536

static struct kmem_cache *event_cache;

int my_events_setup(void)
{
	event_cache = kmem_cache_create("evring_list_event", sizeof(struct my_event), 0,
					SLAB_ACCOUNT, NULL);
	return event_cache ? 0 : -ENOMEM;
}

void my_events_teardown(void)
{
	kmem_cache_destroy(event_cache);
}

static struct my_event *event_alloc(struct my_list *list)
{
	struct my_node *node;

	if (!my_list_is_guarded(list))
		return kmem_cache_alloc(event_cache, GFP_KERNEL);
	node = guard_alloc(list);
	return node ? container_of(node, struct my_event, node) : NULL;
}

static void event_free(struct my_list *list, struct my_event *event)
{
	if (my_list_is_guarded(list))
		guard_free(list, &event->node);
	else
		kmem_cache_free(event_cache, event);
}

static void reclaim_event(struct my_list *list, struct my_node *node)
{
	event_free(list, container_of(node, struct my_event, node));
}

/**
 * my_event_list_init() - an empty list of events
 * @events: to be initialised
 * @name: for the log, lives as long
 * @max_events: 0: no bound; an unlocked list has one always
 * @locked: with its mutex
 *
 * Context: Process context. May sleep.
 * Return: 0, -ENOMEM, or -EINVAL: more events than an unlocked list can have.
 */
int my_event_list_init(struct my_event_list *events, const char *name, u64 max_events,
		       bool locked)
{
	my_list_init(&events->list, name);
	events->next_sequence = 0;
	events->taken_sequence = 0;
	events->max_events = max_events;
	atomic64_set(&events->injected, 0);
	atomic64_set(&events->delivered, 0);
	atomic64_set(&events->discarded, 0);
	atomic64_set(&events->dropped, 0);
	if (locked)
		return 0;
	if (!max_events)
		events->max_events = UNLOCKED_EVENTS_DEFAULT;
	if (events->max_events > UNLOCKED_EVENTS_MAX)
		return -EINVAL;
	return guard_init(&events->list, sizeof(struct my_event), events->max_events,
			  reclaim_event);
}

void my_event_list_destroy(struct my_event_list *events)
{
	struct my_event *event, *next;

	if (my_list_is_guarded(&events->list)) {
		guard_destroy(&events->list);
		return;
	}
	list_for_each_entry_safe(event, next, &events->list.head, node.link)
		kmem_cache_free(event_cache, event);
	INIT_LIST_HEAD(&events->list.head);
}

/* As many as memory allows, filled; -EFAULT and none if one cannot be read. */
static int events_fill(struct my_event_list *events, struct my_event **batch,
		       const struct evring_baseline_input __user *input, u32 count)
{
	u64 now_ns = ktime_get_ns();
	int filled;

	for (filled = 0; filled < count; filled++) {
		struct my_event *event = event_alloc(&events->list);
		struct evring_baseline_event *out;

		if (!event)
			break;
		batch[filled] = event;
		out = &event->event;
		out->timestamp_ns = now_ns;
		if (copy_from_user(&out->input, input + filled, sizeof(out->input)) ||
		    out->input.length_bytes > sizeof(out->input.word)) {
			int ret = out->input.length_bytes > sizeof(out->input.word) ? -EINVAL :
										      -EFAULT;

			for (; filled >= 0; filled--)
				event_free(&events->list, batch[filled]);
			return ret;
		}
	}
	return filled;
}

/* The critical section of inject. */
static int events_link(struct my_event_list *events, struct my_event **batch, int count)
{
	struct my_list *list = &events->list;
	int linked;

	my_list_lock(list);
	for (linked = 0; linked < count; linked++) {
		u64 sequence = READ_ONCE(events->next_sequence);

		/* An unlocked list is bounded by its pool: its length is not to be trusted. */
		if (events->max_events && !my_list_is_guarded(list) &&
		    list->length >= events->max_events)
			break;
		batch[linked]->event.sequence = sequence;
		my_list_append(list, &batch[linked]->node);
		WRITE_ONCE(events->next_sequence, sequence + 1);
	}
	my_list_unlock(list);
	return linked;
}

/**
 * my_event_list_inject() - put events on the list
 * @events: the list
 * @input: what they carry
 * @count: how many, 1..EVRING_BASELINE_BATCH_MAX
 *
 * Context: Process context. May sleep.
 * Return: how many; the others found the list full or no memory, and are counted as
 * dropped. Or, with nothing changed, -EFAULT, or -EINVAL for a bad length_bytes.
 */
int my_event_list_inject(struct my_event_list *events,
			 const struct evring_baseline_input __user *input, u32 count)
{
	struct my_event *batch[EVRING_BASELINE_BATCH_MAX];
	int filled, linked, i;

	filled = events_fill(events, batch, input, count);
	if (filled < 0)
		return filled;
	linked = events_link(events, batch, filled);
	for (i = linked; i < filled; i++)
		event_free(&events->list, batch[i]);
	atomic64_add(linked, &events->injected);
	if (linked < count)
		atomic64_add(count - linked, &events->dropped);
	return linked;
}

/* The critical section of get: how many, 0 when empty, -EIO when found corrupt. */
static int events_take(struct my_event_list *events, struct my_event **batch, u32 count)
{
	struct my_list *list = &events->list;
	struct my_node *node = NULL;
	int taken;

	my_list_lock(list);
	for (taken = 0; taken < count; taken++) {
		struct my_event *event;

		node = my_list_take_first(list);
		if (IS_ERR_OR_NULL(node))
			break;
		event = container_of(node, struct my_event, node);
		if (event->event.sequence != READ_ONCE(events->taken_sequence))
			my_list_report(list, EVRING_LIST_CORRUPT_ORDER);
		WRITE_ONCE(events->taken_sequence, event->event.sequence + 1);
		batch[taken] = event;
	}
	my_list_unlock(list);
	return taken || !IS_ERR(node) ? taken : PTR_ERR(node);
}

/**
 * my_event_list_get() - take events off the list, oldest first
 * @events: the list
 * @output: where to
 * @count: at most so many, 1..EVRING_BASELINE_BATCH_MAX
 *
 * Context: Process context. May sleep.
 * Return: how many; -EAGAIN: none there; -EIO: the list was corrupt, and is empty
 * now; -EFAULT: what could not be written to @output is discarded and counted.
 */
int my_event_list_get(struct my_event_list *events,
		      struct evring_baseline_event __user *output, u32 count)
{
	struct my_event *batch[EVRING_BASELINE_BATCH_MAX];
	int taken, delivered, i;

	taken = events_take(events, batch, count);
	if (taken <= 0)
		return taken ? taken : -EAGAIN;
	for (delivered = 0; delivered < taken; delivered++) {
		if (copy_to_user(output + delivered, &batch[delivered]->event, sizeof(*output)))
			break;
	}
	for (i = 0; i < taken; i++)
		event_free(&events->list, batch[i]);
	atomic64_add(delivered, &events->delivered);
	if (delivered < taken)
		atomic64_add(taken - delivered, &events->discarded);
	return delivered ? delivered : -EFAULT;
}

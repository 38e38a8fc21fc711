// SPDX-License-Identifier: GPL-2.0-only
/*
 * The soft source: any number of processes inject by ioctl, one after another
 * through the producer's lock.
 */
#include "source.h"
#include "trace.h"
#include "writer.h"

struct soft_batch {
	const void *events;
	u32 event_bytes;
};

static __always_inline void write_event(const struct evring_writer *writer, u64 sequence, u32 index,
					const void *batch)
{
	const struct soft_batch *soft = batch;
	const u32 *type_length = soft->events + (size_t)index * soft->event_bytes;

	evring_slot_write(writer, sequence, type_length[0], type_length[1], type_length + 2);
}

/**
 * evring_soft_publish() - publish a checked batch
 * @device: a soft device
 * @request: its out fields are filled in
 * @events: kernel copy of the events
 *
 * Context: Any but NMI.
 * Return: 0 or -ENODEV.
 */
int evring_soft_publish(struct evring_device *device, struct evring_inject *request,
			const void *events)
{
	const struct soft_batch batch = { events, request->event_bytes };
	struct evring_producer *producer = &device->producer;
	struct evring_section section;
	u32 published;

	if (!evring_section_enter(producer, &section))
		return -ENODEV;
	request->first_sequence = producer->head;
	published = evring_write_batch(producer, &section, request->event_count, write_event,
				       &batch);
	if (unlikely(published < request->event_count))
		trace_evring_drop(device->id, producer->head, request->event_count - published);
	evring_device_section_end(device, &section);
	request->published_count = published;
	request->lock_wait_ns = section.lock_wait_ns;
	return 0;
}

const struct evring_source_ops evring_soft_ops = {
	.inject = evring_soft_publish,
};

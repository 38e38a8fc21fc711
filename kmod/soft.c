// SPDX-License-Identifier: GPL-2.0-only
/*
 * The soft source: any number of processes inject by ioctl, one after another
 * through the producer's lock.
 */
#include "source.h"
#include "trace.h"
#include "writer.h"

static u32 publish_events(struct evring_device *device, struct evring_section *section,
			  const void *events, u32 event_count, u32 event_bytes)
{
	struct evring_producer *producer = &device->producer;
	struct evring_writer writer = evring_writer_of(producer, section);
	u32 i, claimed = evring_section_claim(producer, event_count);
	u64 sequence = producer->head;

	for (i = 0; i < claimed; i++) {
		const u32 *type_length = events + (size_t)i * event_bytes;

		evring_slot_write(&writer, sequence + i, type_length[0], type_length[1],
				  type_length + 2);
	}
	evring_section_commit(producer, section, claimed);
	return claimed;
}

/**
 * evring_soft_publish() - publish a checked batch
 * @device: a soft device
 * @request: its out fields are filled in
 * @events: kernel copy of the events
 *
 * In chunks that never exceed the ring; what is dropped is dropped from the end.
 *
 * Context: Any but NMI.
 * Return: 0 or -ENODEV.
 */
int evring_soft_publish(struct evring_device *device, struct evring_inject *request,
			const void *events)
{
	struct evring_producer *producer = &device->producer;
	struct evring_section section;
	u32 done = 0, published = 0;

	if (!evring_section_enter(producer, &section))
		return -ENODEV;
	request->first_sequence = producer->head;
	while (done < request->event_count) {
		u32 chunk = evring_section_chunk(producer, request->event_count - done);

		published += publish_events(device, &section,
					    events + (size_t)done * request->event_bytes, chunk,
					    request->event_bytes);
		done += chunk;
	}
	if (unlikely(published < done))
		trace_evring_drop(device->id, producer->head, done - published);
	evring_device_section_end(device, &section);
	request->published_count = published;
	request->lock_wait_ns = section.lock_wait_ns;
	return 0;
}

const struct evring_source_ops evring_soft_ops = {
	.inject = evring_soft_publish,
};

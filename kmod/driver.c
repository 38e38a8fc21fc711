// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver interface of driver.h, over the sections of producer.h.
 * Ordering: P1 and P2, in the picture of producer.c; ring/PROTOCOL.md draws the pairs.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "driver.h"
#include "life.h"
#include "node.h"
#include "sysfs.h"
#include "trace.h"

static const struct evring_faces faces = {
	.file_operations = &evring_file_operations,
	.type = &evring_device_type,
};

/**
 * __evring_register() - make a ring device for a driver, who calls it evring_register()
 * @config: what it is to be; copied but for ops and data, which belong to the device
 *          from here on, whatever comes of it
 * @owner: the driver's module; an open descriptor or a mapping keeps it
 *
 * Context: Process context.
 * Return: the device with a reference of the caller's, see evring_put(); -EINVAL, -E2BIG,
 *         -EEXIST, -ENOSPC, -ENOMEM, or what the start of its source says.
 */
struct evring_device *__evring_register(const struct evring_driver_config *config,
					struct module *owner)
{
	struct evring_driver_config owned = *config;

	owned.owner = owner;
	return evring_device_create(&owned, &faces);
}
EXPORT_SYMBOL_GPL(__evring_register);

/**
 * evring_unregister() - end the device for all who use it
 * @device: from evring_register()
 *
 * Consumers keep their mappings, see the header say gone, and are woken. Whoever
 * publishes later is refused: nothing is published or counted. So a handler that is late
 * does no harm as long as the driver has its reference, see evring_put(). On return
 * the driver's ops are over but for @release, also where the control node was first; and
 * but for an @inject that was registered as EVRING_DRIVER_INJECT_UNHELD.
 *
 * Context: Process context, may sleep.
 */
void evring_unregister(struct evring_device *device)
{
	evring_device_remove(device);
}
EXPORT_SYMBOL_GPL(evring_unregister);

/**
 * evring_put() - give back the reference from evring_register()
 * @device: not to be used after this
 *
 * For a driver: after evring_unregister(), once nothing of it can publish any more.
 *
 * Context: Process context, may sleep.
 */
void evring_put(struct evring_device *device)
{
	evring_device_put(device);
}
EXPORT_SYMBOL_GPL(evring_put);

/**
 * evring_data() - the driver's own data
 * @device: from evring_register()
 *
 * Context: Any.
 * Return: what was registered with it.
 */
void *evring_data(struct evring_device *device)
{
	return device->data;
}
EXPORT_SYMBOL_GPL(evring_data);

static __always_inline void reservation_fill(const struct evring_producer *producer,
					     const struct evring_section *section,
					     struct evring_reservation *reservation)
{
	const struct evring_ring *ring = producer->ring;

	reservation->sequence = producer->head;
	reservation->lock_wait_ns = section->lock_wait_ns;
	reservation->payload_bytes = ring->payload_bytes;
	reservation->slots = ring->slots;
	reservation->slot_mask = ring->slot_mask;
	reservation->slot_shift = ring->slot_shift;
	reservation->slot_format = ring->slot_format;
	reservation->payload_offset = ring->payload_offset;
	reservation->irq_flags = section->irq_flags;
	reservation->now_ns = section->now_ns;
}

/* What is public, where there is no section. Returns false. */
static noinline bool reservation_fail(const struct evring_producer *producer, u32 event_count,
				      struct evring_reservation *reservation)
{
	reservation->sequence = READ_ONCE(producer->head);
	reservation->payload_bytes = producer->ring->payload_bytes;
	reservation->event_count = 0;
	reservation->left_count = event_count;
	reservation->lock_wait_ns = 0;
	return false;
}

/* By value: a word written to a slot may alias the original, here and in commit. */
static void stamp_reserved(const struct evring_reservation reservation)
{
	u32 i;

	for (i = 0; i < reservation.event_count; i++)
		WRITE_ONCE(*evring_reserved_slot(&reservation, i),
			   EVRING_STAMP_BUSY(reservation.sequence + i));
	/* (P1) BUSY before the payload, or a torn copy passes. Pairs with (C2). */
	smp_wmb();
	if (reservation.slot_format >= EVRING_SLOT_TIMESTAMP)
		for (i = 0; i < reservation.event_count; i++)
			WRITE_ONCE(evring_reserved_slot(&reservation, i)[1], reservation.now_ns);
}

/* Leaves a section in which nothing was published, and @count dropped. */
static noinline void section_drop(struct evring_device *device, unsigned long irq_flags,
				  u64 now_ns, u32 count)
{
	struct evring_producer *producer = &device->producer;

	trace_evring_drop(device->id, producer->head, count);
	evring_section_commit(producer, 0, now_ns);
	/* No batch, so no look at the doorbell, which would count one. */
	evring_section_leave(producer, irq_flags);
}

/*
 * Enters a section and claims. What is public of @reservation is filled in, whatever
 * comes of it. Returns whether there is something to write.
 */
static __always_inline bool section_open(struct evring_device *device, u32 event_count,
					 struct evring_section *section,
					 struct evring_reservation *reservation)
{
	struct evring_producer *producer = &device->producer;
	u32 chunk = evring_section_chunk(producer, event_count);

	if (unlikely(!chunk || !evring_section_enter(producer, section)))
		return reservation_fail(producer, event_count, reservation);
	reservation_fill(producer, section, reservation);
	reservation->event_count = evring_section_claim(producer, chunk, event_count);
	reservation->left_count = event_count - reservation->event_count;
	if (likely(reservation->event_count == chunk))
		return true;
	if (reservation->event_count)
		trace_evring_drop(device->id, producer->head, reservation->left_count);
	else
		section_drop(device, section->irq_flags, section->now_ns,
			     reservation->left_count);
	reservation->left_count = 0;
	return reservation->event_count;
}

/**
 * evring_reserve() - take the next slots to fill them in place
 * @device: from evring_register()
 * @event_count: how many
 * @reservation: filled in
 *
 * Fill every word that consumers may look at, by evring_reserved_event() or by
 * evring_reserved_type(), _word() and _zero(), then evring_commit(): all of them are
 * published. In between interrupts are off and no other function of this device may
 * be called; so no more is given at once than EVRING_SECTION_BYTES of slots, or half
 * the ring: @left_count says how many to ask for next.
 *
 * Context: Any but NMI; with EVRING_DRIVER_SINGLE_CONTEXT never beside itself.
 * Return: how many were reserved; 0, and nothing to commit, when a gated ring is
 *         full, or the device ended. What a full ring has no room for is dropped from
 *         the end and counted; what comes after the end is left.
 */
u32 evring_reserve(struct evring_device *device, u32 event_count,
		   struct evring_reservation *reservation)
{
	struct evring_section section;

	if (section_open(device, event_count, &section, reservation))
		stamp_reserved(*reservation);
	return reservation->event_count;
}
EXPORT_SYMBOL_GPL(evring_reserve);

/**
 * evring_commit() - publish what was reserved
 * @device: the same as for evring_reserve()
 * @reservation: with at least one event
 *
 * Context: As evring_reserve() left it; interrupts are as before that.
 */
void evring_commit(struct evring_device *device, struct evring_reservation *reservation)
{
	const struct evring_reservation copy = *reservation;
	struct evring_section section = {
		.irq_flags = copy.irq_flags,
		.now_ns = copy.now_ns,
	};
	u32 i;

	for (i = 0; i < copy.event_count; i++) {
		/* (P2) The payload before READY, or old words look new. Pairs with (C1). */
		smp_store_release(evring_reserved_slot(&copy, i),
				  EVRING_STAMP_READY(copy.sequence + i));
	}
	evring_device_section_end(device, &section, copy.event_count);
}
EXPORT_SYMBOL_GPL(evring_commit);

/* All of an event. @format is the ring's; a constant one spares a loop the others. */
static __always_inline void write_event(u64 *slot, u32 format, u64 sequence, u64 now_ns,
					const struct evring_event event, u32 payload_bytes)
{
	u64 *words = (void *)slot + EVRING_PAYLOAD_OFFSET(format);

	WRITE_ONCE(slot[0], EVRING_STAMP_BUSY(sequence));
	/* (P1) BUSY before the payload, or a torn copy passes. Pairs with (C2). */
	smp_wmb();
	if (format >= EVRING_SLOT_TIMESTAMP)
		WRITE_ONCE(slot[1], now_ns);
	if (format >= EVRING_SLOT_FULL)
		WRITE_ONCE(slot[2], EVRING_TYPE_LENGTH(event.type, event.length_bytes));
	__evring_write_words(words, event.payload, event.length_bytes);
	if (format < EVRING_SLOT_FULL)
		__evring_zero_words(words, event.length_bytes, payload_bytes);
	/* (P2) The payload before READY, or old words look new. Pairs with (C1). */
	smp_store_release(slot, EVRING_STAMP_READY(sequence));
}

static __always_inline void write_packed(const struct evring_reservation *part, u32 format,
					 const void *events, u32 event_bytes)
{
	const u64 mask = part->slot_mask, now_ns = part->now_ns;
	const u64 end = part->sequence + part->event_count;
	const u32 payload_bytes = part->payload_bytes, shift = part->slot_shift;
	void *slots = part->slots;
	u64 sequence;

	for (sequence = part->sequence; sequence != end; sequence++, events += event_bytes) {
		const u32 *type_length = events;
		const struct evring_event event = {
			.type = type_length[0],
			.length_bytes = type_length[1],
			.payload = type_length + 2,
		};

		write_event(slots + ((sequence & mask) << shift), format, sequence, now_ns, event,
			    payload_bytes);
	}
}

/**
 * evring_publish_packed() - publish events that lie one behind the other
 * @device: from evring_register()
 * @events: each its type, its length in bytes, its payload, as EVRING_IOC_INJECT takes
 *          them; kernel memory, the lengths checked
 * @event_bytes: from one to the next
 * @event_count: how many
 * @part: what was done; its left_count says how many to ask for next
 *
 * One section: evring_reserve(), all of its events, evring_commit(), at a lower price.
 *
 * Context: Any but NMI; with EVRING_DRIVER_SINGLE_CONTEXT never beside itself.
 * Return: how many were published, from the first on; see evring_reserve().
 */
u32 evring_publish_packed(struct evring_device *device, const void *events, u32 event_bytes,
			  u32 event_count, struct evring_reservation *part)
{
	struct evring_section section;

	if (!section_open(device, event_count, &section, part))
		return 0;
	if (likely(part->slot_format == EVRING_SLOT_FULL))
		write_packed(part, EVRING_SLOT_FULL, events, event_bytes);
	else
		write_packed(part, part->slot_format, events, event_bytes);
	evring_device_section_end(device, &section, part->event_count);
	return part->event_count;
}
EXPORT_SYMBOL_GPL(evring_publish_packed);

/* By value: a word written to a slot may alias the original. */
static void fill_reserved(const struct evring_reservation reservation,
			  const struct evring_event *events)
{
	u32 i;

	for (i = 0; i < reservation.event_count; i++)
		evring_reserved_event(&reservation, i, events[i].type, events[i].payload,
				      min(events[i].length_bytes, reservation.payload_bytes));
}

/**
 * evring_publish_batch() - publish several events
 * @device: from evring_register()
 * @events: in order
 * @event_count: how many
 *
 * In parts, each with one timestamp and one head, of EVRING_SECTION_BYTES of slots at
 * most: interrupts are off for one part at a time, and as the caller has them between
 * two. A handler that keeps them off is as long as its batch.
 *
 * Context: Any but NMI; with EVRING_DRIVER_SINGLE_CONTEXT never beside itself.
 * Return: how many were published, from the first on; the rest is counted as
 *         dropped: a gated ring was full. None, and none counted, after the end.
 */
u32 evring_publish_batch(struct evring_device *device, const struct evring_event *events,
			 u32 event_count)
{
	struct evring_reservation part = { .left_count = event_count };
	u32 published = 0;

	while (evring_reserve(device, part.left_count, &part)) {
		fill_reserved(part, events + published);
		published += part.event_count;
		evring_commit(device, &part);
	}
	return published;
}
EXPORT_SYMBOL_GPL(evring_publish_batch);

/**
 * evring_publish() - publish one event
 * @device: from evring_register()
 * @type: the driver's own
 * @payload: read before the call returns
 * @length_bytes: more than payload_bytes is cut off
 *
 * Context: Any but NMI; with EVRING_DRIVER_SINGLE_CONTEXT never beside itself.
 * Return: false when it was dropped: a gated ring was full; and, not counted, after
 *         evring_unregister().
 */
bool evring_publish(struct evring_device *device, u32 type, const void *payload, u32 length_bytes)
{
	struct evring_producer *producer = &device->producer;
	const struct evring_ring *ring = &device->ring;
	const struct evring_event event = {
		.type = type,
		.length_bytes = min(length_bytes, ring->payload_bytes),
		.payload = payload,
	};
	struct evring_section section __uninitialized;
	u64 sequence, *slot;

	if (!evring_section_enter(producer, &section))
		return false;
	sequence = producer->head;
	if (unlikely(!evring_section_claim(producer, 1, 1))) {
		section_drop(device, section.irq_flags, section.now_ns, 1);
		return false;
	}
	slot = evring_slot_at(ring, sequence);
	if (likely(ring->slot_format == EVRING_SLOT_FULL))
		write_event(slot, EVRING_SLOT_FULL, sequence, section.now_ns, event, 0);
	else
		write_event(slot, ring->slot_format, sequence, section.now_ns, event,
			    ring->payload_bytes);
	evring_device_section_end(device, &section, 1);
	return true;
}
EXPORT_SYMBOL_GPL(evring_publish);

/**
 * evring_flush_doorbell() - wake everyone who is armed and has an event
 * @device: from evring_register()
 *
 * For the end of a burst, when watermarks would let its last events wait.
 *
 * Context: Any but NMI.
 */
void evring_flush_doorbell(struct evring_device *device)
{
	evring_doorbell_flush(&device->doorbell);
}
EXPORT_SYMBOL_GPL(evring_flush_doorbell);

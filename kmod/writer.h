/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing claimed slots, inside a section: open a slot, fill its payload in place,
 * close it. Ordering: P1 and P2, see producer.c; ring/PROTOCOL.md draws the pairs.
 */
#ifndef _EVRING_WRITER_H
#define _EVRING_WRITER_H

#include <linux/string.h>

#include "producer.h"

/**
 * struct evring_writer - what writing slots needs, by value
 * @slots: slot 0
 * @slot_mask: slot_count - 1
 * @now_ns: timestamp of the section
 * @slot_shift: log2 of slot_bytes
 * @slot_format: enum evring_slot_format
 * @payload_offset: bytes from slot to payload
 * @payload_bytes: bytes of payload in a slot
 *
 * A store to a slot may alias the ring: read through a pointer, all of this would
 * be loaded anew for each event.
 */
struct evring_writer {
	void *slots;
	u64 slot_mask;
	u64 now_ns;
	u32 slot_shift;
	u32 slot_format;
	u32 payload_offset;
	u32 payload_bytes;
};

static inline struct evring_writer evring_writer_of(const struct evring_producer *producer,
						    const struct evring_section *section)
{
	const struct evring_ring *ring = producer->ring;

	return (struct evring_writer) {
		.slots = ring->slots,
		.slot_mask = ring->slot_mask,
		.now_ns = section->now_ns,
		.slot_shift = ring->slot_shift,
		.slot_format = ring->slot_format,
		.payload_offset = ring->payload_offset,
		.payload_bytes = ring->payload_bytes,
	};
}

static inline u64 *evring_writer_slot(const struct evring_writer *writer, u64 sequence)
{
	return writer->slots + ((sequence & writer->slot_mask) << writer->slot_shift);
}

/**
 * evring_slot_open() - begin to write a claimed event
 * @writer: of the section
 * @sequence: from evring_section_claim()'s range
 * @type: kept by EVRING_SLOT_FULL alone
 * @length_bytes: at most payload_bytes
 *
 * Context: Any but NMI, inside a section.
 * Return: the words of the payload; without a length in the slot all of them count.
 */
static inline u64 *evring_slot_open(const struct evring_writer *writer, u64 sequence, u32 type,
				    u32 length_bytes)
{
	u64 *slot = evring_writer_slot(writer, sequence);

	WRITE_ONCE(slot[0], EVRING_STAMP_BUSY(sequence));
	/* (P1) BUSY before the payload, or a torn copy passes. Pairs with (C2). */
	smp_wmb();

	if (writer->slot_format >= EVRING_SLOT_TIMESTAMP)
		WRITE_ONCE(slot[1], writer->now_ns);
	if (writer->slot_format >= EVRING_SLOT_FULL)
		WRITE_ONCE(slot[2], EVRING_TYPE_LENGTH(type, length_bytes));
	return (void *)slot + writer->payload_offset;
}

/**
 * evring_slot_close() - let consumers read what evring_slot_open() began
 * @writer: of the section
 * @sequence: the same
 *
 * Context: As evring_slot_open().
 */
static inline void evring_slot_close(const struct evring_writer *writer, u64 sequence)
{
	/* (P2) The payload before READY, or old words look new. Pairs with (C1). */
	smp_store_release(evring_writer_slot(writer, sequence), EVRING_STAMP_READY(sequence));
}

/* Without a length in the slot all of the payload counts: the rest is zero. */
static inline void evring_slot_zero(const struct evring_writer *writer, u64 *words, u32 from_bytes)
{
	u32 i;

	if (writer->slot_format >= EVRING_SLOT_FULL)
		return;
	for (i = DIV_ROUND_UP(from_bytes, 8); i < writer->payload_bytes / 8; i++)
		WRITE_ONCE(words[i], 0);
}

static inline void evring_slot_fill(u64 *words, const void *from, u32 length_bytes)
{
	u32 i;

	for (i = 0; i < length_bytes / 8; i++) {
		u64 word;

		memcpy(&word, from + 8 * i, 8);
		WRITE_ONCE(words[i], word);
	}
	if (length_bytes % 8) {
		u64 word = 0;

		memcpy(&word, from + 8 * i, length_bytes % 8);
		WRITE_ONCE(words[i], word);
	}
}

/**
 * evring_slot_write() - write one claimed event
 * @writer: of the section
 * @sequence: from evring_section_claim()'s range
 * @type: kept by EVRING_SLOT_FULL alone
 * @length_bytes: at most payload_bytes
 * @payload: kernel memory
 *
 * Context: Any but NMI, inside a section.
 */
static inline void evring_slot_write(const struct evring_writer *writer, u64 sequence, u32 type,
				     u32 length_bytes, const void *payload)
{
	u64 *words = evring_slot_open(writer, sequence, type, length_bytes);

	evring_slot_fill(words, payload, length_bytes);
	evring_slot_zero(writer, words, length_bytes);
	evring_slot_close(writer, sequence);
}

/* Writes event @index of a batch, from @events, as the one of @sequence. */
typedef void (*evring_write_event)(const struct evring_writer *writer, u64 sequence, u32 index,
				   const void *events);

/**
 * evring_write_batch() - write a batch in chunks that never exceed the ring
 * @producer: the producer
 * @section: its section
 * @event_count: how many are offered
 * @write: writes one; a constant, so that it becomes part of the loop
 * @events: for @write
 *
 * Head tells of each chunk. What a gated ring has no room for is dropped from the
 * end, see evring_section_claim().
 *
 * Context: Inside a section.
 * Return: how many were published, from the first on.
 */
static __always_inline u32 evring_write_batch(struct evring_producer *producer,
					      struct evring_section *section, u32 event_count,
					      evring_write_event write, const void *events)
{
	const struct evring_writer writer = evring_writer_of(producer, section);
	u32 i, chunk, claimed, done = 0;

	do {
		u64 sequence = producer->head;

		chunk = evring_section_chunk(producer, event_count - done);
		claimed = evring_section_claim(producer, chunk, event_count - done);
		for (i = 0; i < claimed; i++)
			write(&writer, sequence + i, done + i, events);
		evring_section_commit(producer, section, claimed);
		done += claimed;
	} while (claimed == chunk && done < event_count);
	return done;
}

#endif /* _EVRING_WRITER_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a ring: header page and slots, order-0 pages seen by the kernel
 * through one contiguous mapping and by consumers through read-only ones.
 * The layout is evring/abi.h's. Constants are kept here as well: the producer
 * reads nothing back from memory that it shares.
 */
#ifndef _EVRING_RING_H
#define _EVRING_RING_H

#include <linux/mm_types.h>
#include <linux/types.h>
#include <linux/uuid.h>

#include <evring/abi.h>

#if BITS_PER_LONG != 64
#error "evring shares naturally aligned 64-bit words and needs a 64-bit kernel"
#endif

/**
 * struct evring_geometry - what decides the shape of a ring
 * @slot_count: a power of two
 * @first_sequence: sequence of the first event
 * @slot_bytes: a power of two
 * @slot_format: enum evring_slot_format
 */
struct evring_geometry {
	u64 slot_count;
	u64 first_sequence;
	u32 slot_bytes;
	u32 slot_format;
};

/**
 * struct evring_ring - the memory of one ring
 * @header: first page of the mapping
 * @slots: slot 0
 * @pages: the pages behind it, @page_count of them
 * @page_count: mapping_bytes / PAGE_SIZE
 * @mapping_bytes: header and slots
 * @slot_mask: slot_count - 1
 * @slot_shift: log2 of slot_bytes
 * @slot_format: enum evring_slot_format
 * @payload_offset: bytes from slot to payload
 * @payload_bytes: bytes of payload in a slot
 */
struct evring_ring {
	struct evring_header *header;
	void *slots;
	struct page **pages;
	unsigned long page_count;
	u64 mapping_bytes;
	u64 slot_mask;
	u32 slot_shift;
	u32 slot_format;
	u32 payload_offset;
	u32 payload_bytes;
};

int evring_geometry_check(const struct evring_geometry *geometry);
int evring_ring_init(struct evring_ring *ring, const struct evring_geometry *geometry,
		     int numa_node);
void evring_ring_destroy(struct evring_ring *ring);
int evring_ring_map(struct evring_ring *ring, struct vm_area_struct *vma);

static inline u64 evring_slot_count(const struct evring_ring *ring)
{
	return ring->slot_mask + 1;
}

static inline void *evring_slot_at(const struct evring_ring *ring, u64 sequence)
{
	return ring->slots + ((sequence & ring->slot_mask) << ring->slot_shift);
}

/* The oldest sequence that a ring with this head can still hold. */
static inline u64 evring_oldest(const struct evring_ring *ring, u64 first_sequence, u64 head)
{
	u64 held = min(head - first_sequence, evring_slot_count(ring));

	return head - held;
}

#endif /* _EVRING_RING_H */

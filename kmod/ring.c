// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation, layout and read-only mapping of ring memory. Process context.
 * All rings together stay below memory_limit_mib, and each is charged to the
 * memory cgroup of whoever added it.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "ring.h"

/* A ring that does not fit fails: it may take time, but calls no OOM killer. */
#define RING_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static unsigned int memory_limit_mib;
module_param(memory_limit_mib, uint, 0644);
MODULE_PARM_DESC(memory_limit_mib, "Memory of all rings together; 0: a quarter of the machine's");

static atomic_long_t pages_in_use;

static unsigned long pages_allowed(void)
{
	unsigned long limit_mib = READ_ONCE(memory_limit_mib);

	return limit_mib ? limit_mib << (20 - PAGE_SHIFT) : totalram_pages() / 4;
}

/*
 * What is there without ending a program for it, less a reserve for what others need.
 * Slabs that say that they can be reclaimed do not count: files in memory alone pin theirs.
 */
static unsigned long pages_available(void)
{
	long slabs = global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B);
	long available = si_mem_available() - slabs - (long)(totalram_pages() / 32);

	return max(available, 0L);
}

static u64 mapping_bytes_of(const struct evring_geometry *geometry)
{
	return PAGE_ALIGN(EVRING_HEADER_BYTES + geometry->slot_count * geometry->slot_bytes);
}

/**
 * evring_geometry_check() - refuse what no ring can look like
 * @geometry: what was asked for
 *
 * Return: 0; -EINVAL for a value that is never right; -E2BIG above a bound.
 */
int evring_geometry_check(const struct evring_geometry *geometry)
{
	if (!is_power_of_2(geometry->slot_count) || !is_power_of_2(geometry->slot_bytes))
		return -EINVAL;
	if (geometry->slot_count < EVRING_SLOT_COUNT_MIN ||
	    geometry->slot_bytes < EVRING_SLOT_BYTES_MIN)
		return -EINVAL;
	if (geometry->slot_format > EVRING_SLOT_FULL)
		return -EINVAL;
	if (geometry->slot_count > EVRING_SLOT_COUNT_MAX ||
	    geometry->slot_bytes > EVRING_SLOT_BYTES_MAX ||
	    mapping_bytes_of(geometry) > EVRING_MAPPING_BYTES_MAX)
		return -E2BIG;
	return 0;
}

static void free_pages_of(struct evring_ring *ring, unsigned long page_count)
{
	unsigned long i;

	for (i = 0; i < page_count; i++)
		put_page(ring->pages[i]);
	kvfree(ring->pages);
	atomic_long_sub(ring->page_count, &pages_in_use);
}

static int allocate_pages(struct evring_ring *ring, int numa_node)
{
	unsigned long i;

	if (atomic_long_add_return(ring->page_count, &pages_in_use) > pages_allowed() ||
	    ring->page_count > pages_available())
		goto no_memory;
	ring->pages = kvmalloc_array(ring->page_count, sizeof(*ring->pages), RING_GFP);
	if (!ring->pages)
		goto no_memory;

	for (i = 0; i < ring->page_count; i++) {
		ring->pages[i] = alloc_pages_node(numa_node, RING_GFP | __GFP_ZERO, 0);
		if (!ring->pages[i] || fatal_signal_pending(current)) {
			free_pages_of(ring, ring->pages[i] ? i + 1 : i);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;

no_memory:
	atomic_long_sub(ring->page_count, &pages_in_use);
	return -ENOMEM;
}

/* Slot i first holds event first + ((i - first) mod slot_count): it is BUSY with that. */
static void stamp_slots(struct evring_ring *ring, u64 first_sequence)
{
	u64 i;

	for (i = 0; i <= ring->slot_mask; i++) {
		u64 *stamp = evring_slot_at(ring, first_sequence + i);

		WRITE_ONCE(*stamp, EVRING_STAMP_BUSY(first_sequence + i));
		if (!(i % 4096))
			cond_resched();
	}
}

static void fill_header(struct evring_ring *ring, const struct evring_geometry *geometry)
{
	struct evring_header *header = ring->header;

	header->layout_major = EVRING_LAYOUT_MAJOR;
	header->layout_minor = EVRING_LAYOUT_MINOR;
	header->mapping_bytes = ring->mapping_bytes;
	header->slots_offset = EVRING_HEADER_BYTES;
	header->slot_count = geometry->slot_count;
	header->slot_bytes = geometry->slot_bytes;
	header->slot_format = geometry->slot_format;
	header->payload_offset = ring->payload_offset;
	header->payload_bytes = ring->payload_bytes;
	header->first_sequence = geometry->first_sequence;
	header->clock = EVRING_CLOCK_MONOTONIC;
	header->head = geometry->first_sequence;
}

/**
 * evring_ring_init() - allocate a ring and write its layout
 * @ring: to be filled
 * @geometry: passed evring_geometry_check()
 * @numa_node: where its memory should lie, or NUMA_NO_NODE
 *
 * The caller completes the header and writes its magic last.
 *
 * Context: Process context.
 * Return: 0, or -ENOMEM: the machine, the cgroup or memory_limit_mib is full.
 */
int evring_ring_init(struct evring_ring *ring, const struct evring_geometry *geometry,
		     int numa_node)
{
	int err;

	ring->mapping_bytes = mapping_bytes_of(geometry);
	ring->page_count = ring->mapping_bytes >> PAGE_SHIFT;
	ring->slot_mask = geometry->slot_count - 1;
	ring->slot_shift = ilog2(geometry->slot_bytes);
	ring->slot_format = geometry->slot_format;
	ring->payload_offset = EVRING_PAYLOAD_OFFSET(geometry->slot_format);
	ring->payload_bytes = geometry->slot_bytes - ring->payload_offset;

	err = allocate_pages(ring, numa_node);
	if (err)
		return err;
	ring->header = vmap(ring->pages, ring->page_count, VM_MAP, PAGE_KERNEL);
	if (!ring->header) {
		free_pages_of(ring, ring->page_count);
		return -ENOMEM;
	}
	ring->slots = (void *)ring->header + EVRING_HEADER_BYTES;
	fill_header(ring, geometry);
	stamp_slots(ring, geometry->first_sequence);
	return 0;
}

/* Pages that consumers still map live on with those mappings. */
void evring_ring_destroy(struct evring_ring *ring)
{
	if (!ring->header)
		return;
	vunmap(ring->header);
	ring->header = NULL;
	free_pages_of(ring, ring->page_count);
}

/**
 * evring_ring_map() - put the whole ring into a consumer's address space
 * @ring: the ring
 * @vma: checked by the caller: exact length, shared, not writable
 *
 * Context: Process context, under the caller's mmap lock.
 * Return: 0 or a negative errno; the caller's mmap undoes what was inserted.
 */
int evring_ring_map(struct evring_ring *ring, struct vm_area_struct *vma)
{
	unsigned long left = ring->page_count;

	return vm_insert_pages(vma, vma->vm_start, ring->pages, &left);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "info.h"
#include "uring.h"

/**
 * evring_device_fill_info() - answer EVRING_IOC_LIST and EVRING_IOC_INFO
 * @device: the device
 * @info: its size is kept
 *
 * Context: Process context.
 */
void evring_device_fill_info(struct evring_device *device, struct evring_device_info *info)
{
	const struct evring_producer *producer = &device->producer;
	const struct evring_driver_state state = evring_device_state(device);
	const struct evring_ring *ring = &device->ring;
	const u32 size = info->size;

	*info = (struct evring_device_info) { .size = size };
	info->device_id = device->id;
	strscpy(info->name, device->name, sizeof(info->name));
	info->source = device->source;
	info->mode = device->mode;
	info->slot_count = evring_slot_count(ring);
	info->slot_bytes = 1U << ring->slot_shift;
	info->slot_format = ring->slot_format;
	info->mapping_bytes = ring->mapping_bytes;
	info->first_sequence = producer->first_sequence;
	info->rate_hz = state.rate_hz;
	info->batch_count = state.batch_count;
	info->home_cpu = device->home_cpu;
	info->capabilities = evring_uring_capabilities() | EVRING_CAP_GATED;
	info->head = READ_ONCE(producer->head);
	info->dropped = READ_ONCE(producer->dropped);
	info->doorbells_rung = READ_ONCE(producer->doorbells_rung);
	info->doorbells_suppressed = atomic64_read(&producer->doorbells_suppressed);
	info->lock_wait_ns = READ_ONCE(producer->lock_wait_ns);
	info->lock_contended = READ_ONCE(producer->lock_contended);
	info->open_count = READ_ONCE(device->openings.count);
	info->registered_count = READ_ONCE(producer->cursors.count);
	info->device_flags = (producer->arm_ipi ? EVRING_DEVICE_ARM_IPI : 0) |
			     (device->doorbell.wakes_in_irq ? EVRING_DEVICE_WAKE_IN_IRQ : 0);
	info->armed_count = READ_ONCE(device->doorbell.sleepers.armed_count);
}

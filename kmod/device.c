// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making and removing devices; see device.h for their life. Process context.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "arm.h"
#include "boot_id.h"
#include "device.h"
#include "file.h"
#include "main.h"
#include "sysfs.h"
#include "table.h"
#include "trace.h"
#include "uring.h"

/* The last reference is gone: no file, no mapping, not in the table. May sleep. */
static void device_release(struct device *dev)
{
	struct evring_device *device = container_of(dev, struct evring_device, dev);

	/* Waits for a grace period: for lookups that failed to get a reference too. */
	evring_doorbell_destroy(&device->doorbell);
	if (device->ops && device->ops->free)
		device->ops->free(device);
	evring_producer_destroy(&device->producer);
	evring_ring_destroy(&device->ring);
	kfree(device);
}

static bool name_is_good(const char *name)
{
	size_t i, length = strnlen(name, EVRING_NAME_BYTES);

	if (!length || length == EVRING_NAME_BYTES || !strcmp(name, "control"))
		return false;
	for (i = 0; i < length; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && name[i] != '-' && name[i] != '_'))
			return false;
	return true;
}

static int plan_check(const struct evring_device_plan *plan)
{
	if (!name_is_good(plan->name) || plan->mode > EVRING_MODE_GATED)
		return -EINVAL;
	return evring_geometry_check(&plan->geometry);
}

static void fill_header(struct evring_device *device)
{
	struct evring_header *header = device->ring.header;
	uuid_t boot_id;

	evring_boot_id(&boot_id);
	memcpy(header->boot_id, boot_id.b, sizeof(header->boot_id));
	header->mode = device->mode;
	header->source = device->source;
	header->home_cpu = device->home_cpu;
	strscpy(header->name, device->name, sizeof(header->name));
}

/**
 * evring_device_name() - what depends on the id
 * @device: its id is set
 *
 * Context: Process context; before the device can be seen.
 */
void evring_device_name(struct evring_device *device)
{
	device->dev.devt = evring_devt(device->id);
	device->doorbell.device_id = device->id;
	device->ring.header->device_id = device->id;
	/* (P7) The constants before magic, or a half-made ring passes. Pairs with (C7). */
	smp_store_release(&device->ring.header->magic, EVRING_MAGIC);
}

static void device_setup(struct evring_device *device, const struct evring_device_plan *plan)
{
	strscpy(device->name, plan->name, sizeof(device->name));
	device->mode = plan->mode;
	device->source = plan->source;
	device->home_cpu = plan->home_cpu;
	device->flags = plan->flags;
	device->producer.arm_ipi = plan->flags & EVRING_DEVICE_ARM_IPI;
	device->rate_hz = plan->rate_hz;
	device->batch_count = plan->batch_count;
	device->ops = plan->ops;
	mutex_init(&device->control_lock);
	evring_openings_init(&device->openings);
	evring_doorbell_init(&device->doorbell, &device->producer, plan->geometry.first_sequence);

	device_initialize(&device->dev);
	device->dev.class = &evring_class;
	device->dev.type = &evring_device_type;
	device->dev.parent = plan->parent;
	device->dev.release = device_release;
	cdev_init(&device->cdev, &evring_file_operations);
	device->cdev.owner = THIS_MODULE;
}

static int device_build(struct evring_device *device, const struct evring_device_plan *plan)
{
	int err;

	err = evring_ring_init(&device->ring, &plan->geometry, plan->numa_node);
	if (err)
		return err;
	err = evring_producer_init(&device->producer, &device->ring, &plan->geometry,
				   plan->mode == EVRING_MODE_GATED, plan->single_context);
	if (err)
		return err;
	fill_header(device);
	err = dev_set_name(&device->dev, "%s", device->name);
	if (!err && device->ops && device->ops->init)
		err = device->ops->init(device);
	return err;
}

static int device_start(struct evring_device *device)
{
	int err = 0;

	if (!device->ops || !device->ops->start)
		return 0;
	mutex_lock(&device->control_lock);
	if (!evring_device_dead(device))
		err = device->ops->start(device);
	mutex_unlock(&device->control_lock);
	return err;
}

/**
 * evring_device_create() - make a device and start its source
 * @plan: what it is to be
 *
 * Context: Process context.
 * Return: the device with a reference of the caller's; -EINVAL, -E2BIG,
 *         -ENOMEM, -EEXIST, -ENOSPC or what the source says.
 */
struct evring_device *evring_device_create(const struct evring_device_plan *plan)
{
	struct evring_device *device;
	int err;

	err = plan_check(plan);
	if (err)
		return ERR_PTR(err);
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return ERR_PTR(-ENOMEM);
	device_setup(device, plan);
	err = device_build(device, plan);
	if (err)
		goto put_device;
	/* The table takes one reference, the caller keeps the other. */
	get_device(&device->dev);
	err = evring_table_add(device);
	if (err) {
		evring_device_put(device);
		goto put_device;
	}
	err = device_start(device);
	if (err) {
		evring_device_remove(device);
		goto put_device;
	}
	return device;

put_device:
	evring_device_put(device);
	return ERR_PTR(err);
}

/**
 * evring_device_remove() - end a device for all who use it
 * @device: the caller holds a reference
 *
 * On return its source is stopped, its name is free, every sleeper was told,
 * and nothing of it runs. Memory stays until the last mapping goes.
 *
 * Context: Process context.
 * Return: false when somebody else removed it.
 */
bool evring_device_remove(struct evring_device *device)
{
	if (!evring_table_remove(device))
		return false;
	trace_evring_remove(device->id, READ_ONCE(device->producer.head),
			    READ_ONCE(device->openings.count));
	mutex_lock(&device->control_lock);
	if (device->ops && device->ops->stop)
		device->ops->stop(device);
	mutex_unlock(&device->control_lock);
	evring_producer_stop(&device->producer);
	evring_producer_set_gone(&device->producer, EVRING_GONE_REMOVED);
	evring_doorbell_close(&device->doorbell);
	evring_openings_end(&device->openings);
	evring_device_put(device);
	return true;
}

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
	const struct evring_ring *ring = &device->ring;

	info->device_id = device->id;
	strscpy(info->name, device->name, sizeof(info->name));
	info->source = device->source;
	info->mode = device->mode;
	info->slot_count = evring_slot_count(ring);
	info->slot_bytes = 1U << ring->slot_shift;
	info->slot_format = ring->slot_format;
	info->mapping_bytes = ring->mapping_bytes;
	info->first_sequence = producer->first_sequence;
	info->rate_hz = READ_ONCE(device->rate_hz);
	info->batch_count = READ_ONCE(device->batch_count);
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
}

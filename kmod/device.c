// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making and removing devices; see device.h for their life. Process context.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/topology.h>

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
	if (device->ops && device->ops->release)
		device->ops->release(device->data);
	evring_producer_destroy(&device->producer);
	evring_ring_destroy(&device->ring);
	kfree(device);
}

static bool name_is_good(const char *name)
{
	size_t i, length = strnlen(name, EVRING_NAME_BYTES);

	if (!length || length == EVRING_NAME_BYTES || name[0] == '.' || !strcmp(name, "control"))
		return false;
	for (i = 0; i < length; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && !strchr("-_.", name[i])))
			return false;
	return true;
}

static struct evring_geometry geometry_of(const struct evring_driver_config *config)
{
	return (struct evring_geometry) {
		.slot_count = config->slot_count,
		.first_sequence = config->first_sequence,
		.slot_bytes = config->slot_bytes,
		.slot_format = config->slot_format,
	};
}

static int config_check(const struct evring_driver_config *config)
{
	const u32 known = EVRING_DRIVER_SINGLE_CONTEXT | EVRING_DRIVER_ARM_IPI |
			  EVRING_DRIVER_REMOVABLE | EVRING_DRIVER_HOME_CPU;
	struct evring_geometry geometry = geometry_of(config);

	if (config->flags & ~known || config->source > EVRING_SOURCE_DRIVER)
		return -EINVAL;
	if (!name_is_good(config->name) || config->mode > EVRING_MODE_GATED)
		return -EINVAL;
	return evring_geometry_check(&geometry);
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

static void device_setup(struct evring_device *device, const struct evring_driver_config *config)
{
	strscpy(device->name, config->name, sizeof(device->name));
	device->mode = config->mode;
	device->source = config->source ?: EVRING_SOURCE_DRIVER;
	device->home_cpu = config->flags & EVRING_DRIVER_HOME_CPU ? config->home_cpu :
								    EVRING_HOME_CPU_ANY;
	device->removable = config->flags & EVRING_DRIVER_REMOVABLE;
	device->producer.arm_ipi = config->flags & EVRING_DRIVER_ARM_IPI;
	device->ops = config->ops;
	device->data = config->data;
	mutex_init(&device->control_lock);
	evring_openings_init(&device->openings);
	evring_doorbell_init(&device->doorbell, &device->producer, config->first_sequence);

	device_initialize(&device->dev);
	device->dev.class = &evring_class;
	device->dev.type = &evring_device_type;
	device->dev.parent = config->parent;
	device->dev.release = device_release;
	cdev_init(&device->cdev, &evring_file_operations);
	device->cdev.owner = THIS_MODULE;
}

static int numa_node_of(const struct evring_driver_config *config)
{
	if (config->flags & EVRING_DRIVER_HOME_CPU)
		return cpu_to_node(config->home_cpu);
	return config->parent ? dev_to_node(config->parent) : NUMA_NO_NODE;
}

static int device_build(struct evring_device *device, const struct evring_driver_config *config)
{
	struct evring_geometry geometry = geometry_of(config);
	int err;

	err = evring_ring_init(&device->ring, &geometry, numa_node_of(config));
	if (err)
		return err;
	err = evring_producer_init(&device->producer, &device->ring, &geometry,
				   config->mode == EVRING_MODE_GATED,
				   config->flags & EVRING_DRIVER_SINGLE_CONTEXT);
	if (err)
		return err;
	fill_header(device);
	return dev_set_name(&device->dev, "%s", device->name);
}

static void device_stop(struct evring_device *device)
{
	if (device->ops && device->ops->stop)
		device->ops->stop(device);
	evring_producer_stop(&device->producer);
}

/* Its source starts before it can be seen: whoever finds it finds all of it. */
static int device_show(struct evring_device *device)
{
	int err = 0;

	if (device->ops && device->ops->start)
		err = device->ops->start(device);
	if (err)
		return err;
	/* The table takes one reference, the caller keeps the other. */
	get_device(&device->dev);
	err = evring_table_add(device);
	if (err) {
		evring_device_put(device);
		device_stop(device);
	}
	return err;
}

/* What is checked before there is a device that could release the data. */
static struct evring_device *device_allocate(const struct evring_driver_config *config)
{
	struct evring_device *device;
	int err = config_check(config);

	if (err)
		return ERR_PTR(err);
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return ERR_PTR(-ENOMEM);
	device_setup(device, config);
	return device;
}

/**
 * evring_device_create() - make a device and start its source
 * @config: what it is to be; see evring_register()
 *
 * Context: Process context.
 * Return: the device with a reference of the caller's; -EINVAL, -E2BIG,
 *         -ENOMEM, -EEXIST, -ENOSPC or what the source says.
 */
struct evring_device *evring_device_create(const struct evring_driver_config *config)
{
	struct evring_device *device = device_allocate(config);
	int err;

	if (IS_ERR(device)) {
		if (config->ops && config->ops->release)
			config->ops->release(config->data);
		return device;
	}
	err = device_build(device, config);
	if (!err)
		err = device_show(device);
	if (err) {
		evring_device_put(device);
		return ERR_PTR(err);
	}
	return device;
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
	device_stop(device);
	mutex_unlock(&device->control_lock);
	evring_producer_set_gone(&device->producer, EVRING_GONE_REMOVED);
	evring_doorbell_close(&device->doorbell);
	evring_openings_end(&device->openings);
	evring_device_put(device);
	return true;
}

/**
 * evring_device_state() - what its source says of itself
 * @device: the device
 *
 * Context: Process context.
 * Return: the state, zero where the source says nothing.
 */
struct evring_driver_state evring_device_state(struct evring_device *device)
{
	struct evring_driver_state state = {};

	if (device->ops && device->ops->state)
		device->ops->state(device, &state);
	return state;
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
	info->device_flags = producer->arm_ipi ? EVRING_DEVICE_ARM_IPI : 0;
	info->armed_count = READ_ONCE(device->doorbell.sleepers.armed_count);
}

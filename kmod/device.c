// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making devices, and freeing them; life.c does what lies between. Process context.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "boot_id.h"
#include "class.h"
#include "device.h"

static struct workqueue_struct *free_queue;

/* A grace period later: over are lookups that got no reference, and the last rounds. */
static void device_free(struct work_struct *work)
{
	struct evring_device *device =
		container_of(to_rcu_work(work), struct evring_device, free_work);

	evring_doorbell_destroy(&device->doorbell);
	kfree(device);
}

/*
 * The last reference is gone: no file, no mapping, not in the table. May sleep. The
 * ring's memory goes at once; the rest waits for a grace period, all devices that go
 * together for the same one.
 */
static void device_release(struct device *dev)
{
	struct evring_device *device = container_of(dev, struct evring_device, dev);

	evring_doorbell_quiet(&device->doorbell);
	if (device->ops && device->ops->release)
		device->ops->release(device->data);
	evring_producer_destroy(&device->producer);
	evring_ring_destroy(&device->ring);
	INIT_RCU_WORK(&device->free_work, device_free);
	queue_rcu_work(free_queue, &device->free_work);
}

int __init evring_devices_init(void)
{
	free_queue = alloc_workqueue("evring", 0, 0);
	return free_queue ? 0 : -ENOMEM;
}

/* No device is left; on return nothing of one is, and no callback of ours waits. */
void evring_devices_exit(void)
{
	rcu_barrier();
	destroy_workqueue(free_queue);
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
			  EVRING_DRIVER_REMOVABLE | EVRING_DRIVER_HOME_CPU |
			  EVRING_DRIVER_WAKE_IN_IRQ | EVRING_DRIVER_INJECT_UNHELD;
	struct evring_geometry geometry = geometry_of(config);

	if (config->flags & ~known || config->source > EVRING_SOURCE_DRIVER)
		return -EINVAL;
	if (!name_is_good(config->name) || config->mode > EVRING_MODE_GATED)
		return -EINVAL;
	if (config->flags & EVRING_DRIVER_HOME_CPU &&
	    (config->home_cpu >= nr_cpu_ids || !cpu_possible(config->home_cpu)))
		return -EINVAL;
	return evring_geometry_check(&geometry);
}

static void fill_header(struct evring_device *device)
{
	struct evring_header *header = device->ring.header;

	memcpy(header->boot_id, evring_boot_id.b, sizeof(header->boot_id));
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

static void device_setup(struct evring_device *device, const struct evring_driver_config *config,
			 const struct evring_faces *faces)
{
	strscpy(device->name, config->name, sizeof(device->name));
	device->mode = config->mode;
	device->source = config->source ?: EVRING_SOURCE_DRIVER;
	device->home_cpu = config->flags & EVRING_DRIVER_HOME_CPU ? config->home_cpu :
								    EVRING_HOME_CPU_ANY;
	device->removable = config->flags & EVRING_DRIVER_REMOVABLE;
	device->inject_unheld = config->flags & EVRING_DRIVER_INJECT_UNHELD;
	device->producer.arm_ipi = config->flags & EVRING_DRIVER_ARM_IPI;
	device->ops = config->ops;
	device->owner = config->owner == THIS_MODULE ? NULL : config->owner;
	device->data = config->data;
	init_rwsem(&device->control_lock);
	init_completion(&device->ended);
	evring_openings_init(&device->openings);
	evring_doorbell_init(&device->doorbell, &device->producer, config->first_sequence,
			     config->flags & EVRING_DRIVER_WAKE_IN_IRQ);

	device_initialize(&device->dev);
	device->dev.class = &evring_class;
	device->dev.type = faces->type;
	device->dev.parent = config->parent;
	device->dev.release = device_release;
	cdev_init(&device->cdev, faces->file_operations);
	device->cdev.owner = config->owner;
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

/* What is checked before there is a device that could release the data. */
static struct evring_device *device_allocate(const struct evring_driver_config *config,
					     const struct evring_faces *faces)
{
	struct evring_device *device;
	int err = config_check(config);

	if (err)
		return ERR_PTR(err);
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return ERR_PTR(-ENOMEM);
	device_setup(device, config, faces);
	return device;
}

/**
 * evring_device_make() - make a device that nobody sees yet; see life.h for the rest
 * @config: what it is to be; see evring_register()
 * @faces: how it is seen
 *
 * Context: Process context.
 * Return: the device with a reference of the caller's; -EINVAL, -E2BIG, -ENOMEM.
 */
struct evring_device *evring_device_make(const struct evring_driver_config *config,
					 const struct evring_faces *faces)
{
	struct evring_device *device = device_allocate(config, faces);
	int err;

	if (IS_ERR(device)) {
		if (config->ops && config->ops->release)
			config->ops->release(config->data);
		return device;
	}
	err = device_build(device, config);
	if (err) {
		evring_device_put(device);
		return ERR_PTR(err);
	}
	return device;
}

/**
 * evring_device_state() - what its source says of itself
 * @device: the device
 *
 * Context: Process context.
 * Return: the state, zero where the source says nothing, and after its end.
 */
struct evring_driver_state evring_device_state(struct evring_device *device)
{
	struct evring_driver_state state = {};

	if (!device->ops || !device->ops->state)
		return state;
	down_read(&device->control_lock);
	if (!evring_device_dead(device))
		device->ops->state(device, &state);
	up_read(&device->control_lock);
	return state;
}

/**
 * evring_device_inject() - have its source publish a batch
 * @device: of a source that injects
 * @request: checked; its out fields are filled in
 * @events: kernel copy of all events
 *
 * Context: Process context.
 * Return: 0, -ENODEV after its end, or what the source says.
 */
int evring_device_inject(struct evring_device *device, struct evring_inject *request,
			 const void *events)
{
	int err = -ENODEV;

	/* Ten callers share the lock's line, for a source that would not notice. */
	if (device->inject_unheld)
		return device->ops->inject(device, request, events);
	down_read(&device->control_lock);
	if (!evring_device_dead(device))
		err = device->ops->inject(device, request, events);
	up_read(&device->control_lock);
	return err;
}

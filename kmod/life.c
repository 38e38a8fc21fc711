// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device, from the start of its source to its removal; see device.h.
 */
#include "arm.h"
#include "life.h"
#include "table.h"
#include "trace.h"

static void device_stop(struct evring_device *device)
{
	down_write(&device->control_lock);
	if (device->ops && device->ops->stop)
		device->ops->stop(device);
	up_write(&device->control_lock);
	evring_producer_stop(&device->producer);
	/* A section that took no lock and began before: interrupts are off in it. */
	if (device->producer.single_context)
		synchronize_rcu();
}

/* Whoever has it open by now is told, and whoever else would end it. */
static void device_end(struct evring_device *device)
{
	WRITE_ONCE(device->dead, true);
	device_stop(device);
	evring_producer_set_gone(&device->producer, EVRING_GONE_REMOVED);
	evring_doorbell_close(&device->doorbell);
	evring_openings_end(&device->openings);
	/* It rang for the last time: the header says as often as INFO does. */
	evring_doorbell_quiet(&device->doorbell);
	evring_producer_refresh(&device->producer);
	complete_all(&device->ended);
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
		device_end(device);
		evring_device_put(device);
	}
	return err;
}

/**
 * evring_device_create() - make a device and start its source
 * @config: what it is to be; see evring_register()
 * @faces: how it is seen
 *
 * Context: Process context.
 * Return: the device with a reference of the caller's; -EINVAL, -E2BIG,
 *         -ENOMEM, -EEXIST, -ENOSPC or what the source says.
 */
struct evring_device *evring_device_create(const struct evring_driver_config *config,
					   const struct evring_faces *faces)
{
	struct evring_device *device = evring_device_make(config, faces);
	int err;

	if (IS_ERR(device))
		return device;
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
 * Return: false when somebody else removed it; that is over then.
 */
bool evring_device_remove(struct evring_device *device)
{
	if (!evring_table_remove(device)) {
		wait_for_completion(&device->ended);
		return false;
	}
	trace_evring_remove(device->id, READ_ONCE(device->producer.head),
			    READ_ONCE(device->openings.count));
	device_end(device);
	evring_device_put(device);
	return true;
}

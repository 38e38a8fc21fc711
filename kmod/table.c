// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device table; see table.h. An entry holds one reference. A lookup under
 * RCU may find a device whose last reference or whose driver is going: then it has
 * found none. What is found holds its driver, for its ops and its release.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "device.h"
#include "table.h"

static DEFINE_XARRAY_ALLOC1(table);
static DEFINE_MUTEX(table_lock);
static u32 next_id;

/* Under RCU. */
static struct evring_device *get_unless_going(struct evring_device *device)
{
	if (!device || !try_module_get(device->owner))
		return NULL;
	if (kobject_get_unless_zero(&device->dev.kobj))
		return device;
	module_put(device->owner);
	return NULL;
}

/**
 * evring_table_put() - give back what a lookup found
 * @device: from evring_table_get(), _get_next() or _get_by_name()
 *
 * Context: Process context, may sleep.
 */
void evring_table_put(struct evring_device *device)
{
	struct module *owner = device->owner;

	evring_device_put(device);
	module_put(owner);
}

/**
 * evring_table_get() - the device of that id
 * @id: also its minor
 *
 * Context: Any that may put it again, which may sleep.
 * Return: the device with a reference, or NULL.
 */
struct evring_device *evring_table_get(u32 id)
{
	struct evring_device *device;

	rcu_read_lock();
	device = get_unless_going(xa_load(&table, id));
	rcu_read_unlock();
	return device;
}

/**
 * evring_table_get_next() - the device with the smallest id from @id on
 * @id: where to begin
 *
 * Return: the device with a reference, or NULL past the last.
 */
struct evring_device *evring_table_get_next(u32 id)
{
	struct evring_device *device = NULL;
	unsigned long index = id;

	rcu_read_lock();
	while (!device) {
		device = xa_find(&table, &index, EVRING_DEVICE_COUNT_MAX, XA_PRESENT);
		if (!device)
			break;
		device = get_unless_going(device);
		index++;
	}
	rcu_read_unlock();
	return device;
}

static struct evring_device *find_name(const char *name)
{
	struct evring_device *device;
	unsigned long id;

	xa_for_each(&table, id, device)
		if (!strcmp(device->name, name))
			return device;
	return NULL;
}

/**
 * evring_table_get_by_name() - the device of that name
 * @name: NUL-terminated
 *
 * Return: the device with a reference, or NULL.
 */
struct evring_device *evring_table_get_by_name(const char *name)
{
	struct evring_device *device;

	rcu_read_lock();
	device = get_unless_going(find_name(name));
	rcu_read_unlock();
	return device;
}

static int add_locked(struct evring_device *device)
{
	int err;

	if (find_name(device->name))
		return -EEXIST;
	/* The entry is empty until all that a lookup may touch is in place. */
	err = xa_alloc_cyclic(&table, &device->id, NULL, XA_LIMIT(1, EVRING_DEVICE_COUNT_MAX),
			      &next_id, GFP_KERNEL);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	evring_device_name(device);
	xa_store(&table, device->id, device, GFP_KERNEL);
	err = cdev_device_add(&device->cdev, &device->dev);
	if (err) {
		xa_erase(&table, device->id);
		return err;
	}
	device->listed = true;
	return 0;
}

/**
 * evring_table_add() - give a device its id and its node
 * @device: complete but for these
 *
 * The table keeps the caller's reference.
 *
 * Context: Process context.
 * Return: 0; -EEXIST for a name in use, -ENOSPC past EVRING_DEVICE_COUNT_MAX,
 *         or what the driver core says.
 */
int evring_table_add(struct evring_device *device)
{
	int err;

	mutex_lock(&table_lock);
	err = add_locked(device);
	mutex_unlock(&table_lock);
	return err;
}

/**
 * evring_table_remove() - take a device out of the table and its node away
 * @device: from evring_table_add()
 *
 * The mutex is held until the name is free again in /dev and in sysfs, or the
 * next device of that name would collide. The caller gets the table's reference.
 *
 * Context: Process context.
 * Return: false when somebody else has done so.
 */
bool evring_table_remove(struct evring_device *device)
{
	bool listed;

	mutex_lock(&table_lock);
	listed = device->listed;
	if (listed) {
		device->listed = false;
		xa_erase(&table, device->id);
		cdev_device_del(&device->cdev, &device->dev);
	}
	mutex_unlock(&table_lock);
	return listed;
}

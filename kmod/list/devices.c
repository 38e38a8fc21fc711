// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of devices. A device lives as long as it is on the list or an ioctl is
 * at work on it. With no lock around the list its devices come from a pool whose
 * memory stays until the module goes, so that a stale pointer to one leads to a
 * device still, though perhaps to another one: hence the look at the id.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "list.h"

static struct my_device_list devices;

static void device_free(struct kref *ref)
{
	struct my_device *device = container_of(ref, struct my_device, ref);

	my_event_list_destroy(&device->events);
	if (my_list_is_guarded(&devices.list))
		guard_free(&devices.list, &device->node);
	else
		kfree(device);
}

void my_device_put(struct my_device *device)
{
	kref_put(&device->ref, device_free);
}

static void reclaim_device(struct my_list *list, struct my_node *node)
{
	my_device_put(container_of(node, struct my_device, node));
}

int my_devices_setup(bool locked)
{
	my_list_init(&devices.list, "devices");
	atomic64_set(&devices.last_id, 0);
	if (locked)
		return 0;
	return guard_init(&devices.list, sizeof(struct my_device), EVRING_LIST_DEVICE_COUNT_MAX,
			  reclaim_device);
}

/* At unload: no descriptor is open, nobody else is here. */
void my_devices_teardown(void)
{
	struct my_node *node;

	while (!IS_ERR_OR_NULL(node = my_list_take_first(&devices.list)))
		my_device_put(container_of(node, struct my_device, node));
	if (!my_list_is_guarded(&devices.list))
		return;
	my_list_audit(&devices.list);	/* those that the list had lost */
	guard_destroy(&devices.list);
}

static struct my_device *device_alloc(void)
{
	struct my_node *node;

	if (!my_list_is_guarded(&devices.list))
		return kzalloc(sizeof(struct my_device), GFP_KERNEL_ACCOUNT);
	node = guard_alloc(&devices.list);
	return node ? container_of(node, struct my_device, node) : NULL;
}

/**
 * my_device_create() - a device that is on no list yet
 * @config: its name and bound
 * @locked: whether its list of events has a mutex
 *
 * Context: Process context. May sleep.
 * Return: the device, with one reference, or an ERR_PTR().
 */
struct my_device *my_device_create(const struct evring_list_device *config, bool locked)
{
	struct my_device *device = device_alloc();
	int ret;

	if (!device)
		return ERR_PTR(my_list_is_guarded(&devices.list) ? -ENOSPC : -ENOMEM);
	strscpy(device->name, config->name, sizeof(device->name));
	device->id = atomic64_inc_return(&devices.last_id);
	ret = my_event_list_init(&device->events, device->name, config->max_events, locked);
	if (ret) {
		if (my_list_is_guarded(&devices.list))
			guard_free(&devices.list, &device->node);
		else
			kfree(device);
		return ERR_PTR(ret);
	}
	kref_init(&device->ref);
	return device;
}

/*
 * With no lock, the device that one now has a reference to may be another one than a
 * moment ago. A cmpxchg is fully ordered, so an id read after it is the id of that one.
 */
static bool still_linked(struct my_node *node)
{
	return !my_list_is_guarded(&devices.list) ||
	       atomic_cmpxchg(&node->state, MY_NODE_LINKED, MY_NODE_LINKED) == MY_NODE_LINKED;
}

/* With a reference: the device with the smallest id in smallest..largest, or NULL. */
static struct my_device *find_locked(u64 smallest, u64 largest)
{
	struct my_walk walk = my_walk_from(&devices.list);
	struct my_device *best = NULL;
	struct my_node *node;

	while ((node = my_walk_next(&walk))) {
		struct my_device *device = container_of(node, struct my_device, node);
		u64 id = READ_ONCE(device->id);

		if (id < smallest || id > largest)
			continue;
		if (!kref_get_unless_zero(&device->ref))
			continue;
		if (!still_linked(node) || READ_ONCE(device->id) != id) {
			my_device_put(device);
			continue;
		}
		if (best)
			my_device_put(best);
		best = device;
		largest = id - 1;
		if (id == smallest)
			break;
	}
	return best;
}

static bool name_taken_locked(const char *name)
{
	struct my_walk walk = my_walk_from(&devices.list);
	struct my_node *node;

	while ((node = my_walk_next(&walk))) {
		struct my_device *device = container_of(node, struct my_device, node);

		/* Without the lock a walk also meets devices that are gone or still to come. */
		if (atomic_read_acquire(&node->state) == MY_NODE_LINKED &&
		    !strncmp(device->name, name, sizeof(device->name)))
			return true;
	}
	return false;
}

/**
 * my_device_add() - put a device on the list
 * @device: of my_device_create(); its reference goes to the list
 *
 * Context: Process context. May sleep.
 * Return: 0; -EEXIST: the name is taken; -ENOSPC: as many as there may be.
 */
int my_device_add(struct my_device *device)
{
	struct my_list *list = &devices.list;
	int ret = 0;

	my_list_lock(list);
	if (name_taken_locked(device->name))
		ret = -EEXIST;
	else if (!my_list_is_guarded(list) && list->length >= EVRING_LIST_DEVICE_COUNT_MAX)
		ret = -ENOSPC;
	else
		my_list_append(list, &device->node);
	my_list_unlock(list);
	return ret;
}

/**
 * my_device_remove() - take a device off the list
 * @id: its id
 *
 * What is still on its own list goes with it, when the last ioctl has left it.
 *
 * Context: Process context. May sleep.
 * Return: 0, -ENOENT, or -EIO: the list turned out to be corrupt.
 */
int my_device_remove(u64 id)
{
	struct my_device *device;
	int ret = -ENOENT;

	my_list_lock(&devices.list);
	device = find_locked(id, id);
	if (device)
		ret = my_list_remove(&devices.list, &device->node);
	my_list_unlock(&devices.list);
	if (!ret)
		my_device_put(device);	/* the list's */
	if (device)
		my_device_put(device);	/* ours */
	return ret;
}

/**
 * my_device_find_from() - look a device up
 * @smallest_id: the device with this id or the next higher one
 *
 * Context: Process context. May sleep.
 * Return: the device, to be put, or NULL.
 */
struct my_device *my_device_find_from(u64 smallest_id)
{
	struct my_device *device;

	my_list_lock(&devices.list);
	device = find_locked(smallest_id, U64_MAX);
	my_list_unlock(&devices.list);
	return device;
}

struct my_device *my_device_find(u64 id)
{
	struct my_device *device;

	my_list_lock(&devices.list);
	device = find_locked(id, id);
	my_list_unlock(&devices.list);
	return device;
}

void my_devices_audit(void)
{
	my_list_audit(&devices.list);
}

/* What the list of devices itself has to tell. */
void my_devices_stats(struct evring_list_stats *stats)
{
	unsigned int kind;

	stats->device_lock_wait_ns = atomic64_read(&devices.list.lock_wait_ns);
	stats->device_lock_contended = atomic64_read(&devices.list.lock_contended);
	for (kind = 0; kind < EVRING_LIST_CORRUPT_KINDS; kind++)
		stats->device_corrupt[kind] = atomic64_read(&devices.list.corrupt[kind]);
}

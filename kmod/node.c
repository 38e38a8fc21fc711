// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of a device node: open, poll, flush, release. Process context.
 * A descriptor keeps the device's memory; mappings keep the descriptor.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "file.h"
#include "node.h"
#include "table.h"
#include "uring.h"

static void poll_wake(struct evring_sleeper *sleeper)
{
	evring_file_wake(container_of(sleeper, struct evring_file, poll_sleeper));
}

static void read_wake(struct evring_sleeper *sleeper)
{
	evring_file_wake(container_of(sleeper, struct evring_file, read_sleeper));
}

static void device_ended(struct evring_opening *opening)
{
	evring_file_wake(container_of(opening, struct evring_file, opening));
}

static struct evring_file *file_allocate(struct evring_device *device)
{
	struct evring_producer *producer = &device->producer;
	struct evring_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return NULL;
	file->device = device;
	file->opening.ended = device_ended;
	init_waitqueue_head(&file->wait);
	mutex_init(&file->cursor_lock);
	mutex_init(&file->read_lock);
	spin_lock_init(&file->commands_lock);
	INIT_LIST_HEAD(&file->commands);
	evring_sleeper_init(&file->poll_sleeper, poll_wake);
	evring_sleeper_init(&file->read_sleeper, read_wake);
	file->read_cursor = evring_oldest(&device->ring, producer->first_sequence,
					  READ_ONCE(producer->head));
	return file;
}

static int evring_open(struct inode *inode, struct file *filp)
{
	struct evring_device *device = evring_table_get(iminor(inode));
	struct evring_file *file;
	int err;

	if (!device)
		return -ENODEV;
	file = file_allocate(device);
	if (!file) {
		err = -ENOMEM;
		goto put_device;
	}
	err = evring_opening_add(&device->openings, &file->opening);
	if (err)
		goto free_file;
	filp->private_data = file;
	return stream_open(inode, filp);

free_file:
	kfree(file);
put_device:
	evring_table_put(device);
	return err;
}

static int evring_release(struct inode *inode, struct file *filp)
{
	struct evring_file *file = filp->private_data;
	struct evring_device *device = file->device;

	evring_opening_remove(&device->openings, &file->opening);
	evring_disarm(&device->doorbell, &file->poll_sleeper);
	evring_disarm(&device->doorbell, &file->read_sleeper);
	if (file->cursor)
		evring_cursor_remove(&device->producer.cursors, file->cursor);
	kfree(file->line);
	/* A round of the doorbell may be about to wake this file's queue. */
	kfree_rcu(file, rcu);
	evring_table_put(device);
	return 0;
}

/*
 * Every close() of a descriptor, the end of a process included. A command holds
 * the file, so without this a parked one would hold it until its time is up;
 * kernels that cannot cancel commands have no other way to end it.
 */
static int evring_flush(struct file *filp, fl_owner_t owner)
{
	evring_uring_cancel(filp->private_data, owner);
	return 0;
}

static __poll_t evring_poll(struct file *filp, poll_table *wait)
{
	struct evring_file *file = filp->private_data;
	struct evring_device *device = file->device;
	__poll_t events = 0;

	poll_wait(filp, &file->wait, wait);
	if (READ_ONCE(file->moderated)) {
		if (READ_ONCE(file->poll_sleeper.state) == EVRING_SLEEPER_FIRED)
			events = EPOLLIN | EPOLLRDNORM;
	} else {
		if (!evring_file_readable(file))
			evring_arm_simple(&device->doorbell, &file->read_sleeper,
					  READ_ONCE(file->read_cursor));
		if (evring_file_readable(file))
			events = EPOLLIN | EPOLLRDNORM;
	}
	if (READ_ONCE(device->doorbell.closed))
		events |= EPOLLHUP | EPOLLERR;
	return events;
}

const struct file_operations evring_file_operations = {
	.owner = THIS_MODULE,
	.open = evring_open,
	.release = evring_release,
	.flush = evring_flush,
	.read = evring_read,
	.poll = evring_poll,
	.mmap = evring_mmap,
	.unlocked_ioctl = evring_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = evring_uring_cmd,
};

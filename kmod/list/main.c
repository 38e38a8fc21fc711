// SPDX-License-Identifier: GPL-2.0-only
/*
 * evring_list.ko: the node /dev/evring_list and its ioctls. It takes calls apart,
 * checks them and hands them on; the lists are in list.c, events.c and devices.c.
 * Loss: a bounded list drops new events, an unbounded one has memory as its bound.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "list.h"

static char *locking = "mutex";
module_param(locking, charp, 0444);
MODULE_PARM_DESC(locking, "mutex, or none: the lists break, and say so (default mutex)");

static ulong max_events;
module_param(max_events, ulong, 0444);
MODULE_PARM_DESC(max_events, "events on a list before new ones are dropped; 0: no bound (default 0)");

static bool locked_by_default;

static long ioctl_add(void __user *argument)
{
	struct evring_list_device config;
	struct my_device *device;
	bool locked;
	int ret;

	if (copy_from_user(&config, argument, sizeof(config)))
		return -EFAULT;
	if (config.reserved || config.flags & ~(EVRING_LIST_MUTEX | EVRING_LIST_UNLOCKED) ||
	    config.flags == (EVRING_LIST_MUTEX | EVRING_LIST_UNLOCKED))
		return -EINVAL;
	if (!config.name[0] || strnlen(config.name, sizeof(config.name)) == sizeof(config.name))
		return -EINVAL;
	if (!config.max_events)
		config.max_events = max_events;
	locked = config.flags ? config.flags & EVRING_LIST_MUTEX : locked_by_default;

	device = my_device_create(&config, locked);
	if (IS_ERR(device))
		return PTR_ERR(device);
	/* First, for once the device is on the list this must not fail any more. */
	config.device_id = device->id;
	ret = -EFAULT;
	if (!copy_to_user(argument, &config, sizeof(config)))
		ret = my_device_add(device);
	if (ret)
		my_device_put(device);
	return ret;
}

static long ioctl_remove(void __user *argument)
{
	u64 id;

	if (copy_from_user(&id, argument, sizeof(id)))
		return -EFAULT;
	return my_device_remove(id);
}

static long ioctl_transfer(void __user *argument, bool inject)
{
	struct evring_baseline_transfer __user *user = argument;
	struct evring_baseline_transfer transfer;
	struct my_device *device;
	int ret;

	if (copy_from_user(&transfer, user, sizeof(transfer)))
		return -EFAULT;
	if (!transfer.event_count || transfer.event_count > EVRING_BASELINE_BATCH_MAX)
		return -EINVAL;
	device = my_device_find(transfer.device_id);
	if (!device)
		return -ENOENT;
	if (inject)
		ret = my_event_list_inject(&device->events, u64_to_user_ptr(transfer.events),
					   transfer.event_count);
	else
		ret = my_event_list_get(&device->events, u64_to_user_ptr(transfer.events),
					transfer.event_count);
	my_device_put(device);
	if (ret < 0)
		return ret;
	return put_user((u32)ret, &user->done_count);
}

static void stats_fill(struct evring_list_stats *stats, struct my_device *device)
{
	struct my_event_list *events = &device->events;
	struct my_list *list = &events->list;
	unsigned int kind;

	stats->device_id = device->id;
	stats->flags = my_list_is_guarded(list) ? EVRING_LIST_UNLOCKED : EVRING_LIST_MUTEX;
	my_list_lock(list);
	stats->injected = atomic64_read(&events->injected);
	stats->delivered = atomic64_read(&events->delivered);
	stats->discarded = atomic64_read(&events->discarded);
	stats->dropped = atomic64_read(&events->dropped);
	stats->length = READ_ONCE(list->length);
	my_list_unlock(list);
	stats->max_events = events->max_events;
	stats->lock_wait_ns = atomic64_read(&list->lock_wait_ns);
	stats->lock_contended = atomic64_read(&list->lock_contended);
	for (kind = 0; kind < EVRING_LIST_CORRUPT_KINDS; kind++)
		stats->corrupt[kind] = atomic64_read(&list->corrupt[kind]);
	my_devices_stats(stats);
	memcpy(stats->name, device->name, sizeof(stats->name));
}

static long ioctl_stats(void __user *argument, bool audit)
{
	struct evring_list_stats stats;
	struct my_device *device;

	if (copy_from_user(&stats, argument, sizeof(stats)))
		return -EFAULT;
	if (stats.reserved0)
		return -EINVAL;
	if (audit)
		my_devices_audit();
	device = my_device_find_from(stats.device_id);
	if (!device)
		return -ENOENT;
	if (audit)
		my_list_audit(&device->events.list);
	memset(&stats, 0, sizeof(stats));
	stats_fill(&stats, device);
	my_device_put(device);
	return copy_to_user(argument, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long list_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	bool may_write = file->f_mode & FMODE_WRITE;
	bool may_read = file->f_mode & FMODE_READ;

	switch (command) {
	case EVRING_LIST_IOC_ADD:
		return may_write ? ioctl_add(user) : -EBADF;
	case EVRING_LIST_IOC_REMOVE:
		return may_write ? ioctl_remove(user) : -EBADF;
	case EVRING_LIST_IOC_INJECT:
		return may_write ? ioctl_transfer(user, true) : -EBADF;
	case EVRING_LIST_IOC_GET:
		return may_read ? ioctl_transfer(user, false) : -EBADF;
	case EVRING_LIST_IOC_STATS:
		return ioctl_stats(user, false);
	case EVRING_LIST_IOC_AUDIT:
		return ioctl_stats(user, true);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations list_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = list_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice list_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "evring_list",
	.fops = &list_fops,
};

static int __init list_module_init(void)
{
	int ret;

	locked_by_default = !strcmp(locking, "mutex");
	if (!locked_by_default && strcmp(locking, "none")) {
		pr_err("locking=%s: expected mutex or none\n", locking);
		return -EINVAL;
	}
	ret = my_events_setup();
	if (ret)
		return ret;
	ret = my_devices_setup(locked_by_default);
	if (ret)
		goto teardown_events;
	ret = misc_register(&list_misc);
	if (ret)
		goto teardown_devices;
	return 0;

teardown_devices:
	my_devices_teardown();
teardown_events:
	my_events_teardown();
	return ret;
}
module_init(list_module_init);

static void __exit list_module_exit(void)
{
	misc_deregister(&list_misc);
	my_devices_teardown();
	my_events_teardown();
}
module_exit(list_module_exit);

MODULE_DESCRIPTION("Baseline for evring: lists of devices and of events behind mutexes");
MODULE_AUTHOR("The evring authors");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/evring/control: add, remove and list devices. Whoever may open it for
 * writing may change; whoever may open it may list, but sees no counters of events.
 * Process context.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "class.h"
#include "control.h"
#include "info.h"
#include "life.h"
#include "table.h"
#include "usercopy.h"

static struct cdev control_cdev;
static const struct evring_control_source *sources;

static bool may_change(const struct file *filp)
{
	return (filp->f_mode & FMODE_WRITE) || capable(CAP_SYS_ADMIN);
}

static const struct evring_control_source *find_source(u32 id)
{
	const struct evring_control_source *source;

	for (source = sources; source->add; source++)
		if (source->id == id)
			return source;
	return NULL;
}

static int control_add(struct evring_device_config __user *user_config)
{
	struct evring_device_config config;
	const struct evring_control_source *source;
	struct evring_device *device;
	int err;

	err = evring_copy_in(&config, sizeof(config), EVRING_DEVICE_CONFIG_SIZE_V0, user_config);
	if (err)
		return err;
	source = find_source(config.source);
	if (!source || config.reserved[0] || config.reserved[1] || config.device_id)
		return -EINVAL;
	device = source->add(&config);
	if (IS_ERR(device))
		return PTR_ERR(device);
	/* A caller that gave an unwritable address has a device all the same. */
	err = put_user((u64)device->id, &user_config->device_id);
	evring_device_put(device);
	return err;
}

/* A driver's device goes when its driver lets go of it. */
static int remove_checked(struct evring_device *device)
{
	if (!device->removable)
		return -EPERM;
	return evring_device_remove(device) ? 0 : -ENOENT;
}

static int control_remove(const void __user *user_name)
{
	struct evring_device_name name;
	struct evring_device *device;
	int err;

	err = evring_copy_in(&name, sizeof(name), EVRING_DEVICE_NAME_SIZE_V0, user_name);
	if (err)
		return err;
	if (name.flags || strnlen(name.name, sizeof(name.name)) == sizeof(name.name))
		return -EINVAL;
	device = evring_table_get_by_name(name.name);
	if (!device)
		return -ENOENT;
	err = remove_checked(device);
	evring_table_put(device);
	return err;
}

/* What tells of events is for who may read the node, as in sysfs. Nothing was published yet. */
static void hide_events(struct evring_device_info *info)
{
	info->head = info->first_sequence;
	info->dropped = 0;
	info->doorbells_rung = 0;
	info->doorbells_suppressed = 0;
	info->lock_wait_ns = 0;
	info->lock_contended = 0;
	info->open_count = 0;
	info->registered_count = 0;
	info->armed_count = 0;
}

static int control_list(void __user *user_info, bool with_events)
{
	struct evring_device_info info;
	struct evring_device *device;
	u64 wanted_id;
	int err;

	err = evring_copy_in(&info, sizeof(info), EVRING_DEVICE_INFO_SIZE_V0, user_info);
	if (err)
		return err;
	if (info.flags)
		return -EINVAL;
	wanted_id = info.device_id;
	if (wanted_id > EVRING_DEVICE_COUNT_MAX)
		return -ENOENT;
	device = evring_table_get_next(wanted_id);
	if (!device)
		return -ENOENT;
	evring_device_fill_info(device, &info);
	if (!with_events)
		hide_events(&info);
	evring_table_put(device);
	return evring_copy_out(user_info, &info, sizeof(info));
}

static long control_ioctl(struct file *filp, unsigned int request, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (EVRING_IOCTL(request)) {
	case EVRING_IOCTL(EVRING_IOC_ADD):
		return may_change(filp) ? control_add(user) : -EBADF;
	case EVRING_IOCTL(EVRING_IOC_REMOVE):
		return may_change(filp) ? control_remove(user) : -EBADF;
	case EVRING_IOCTL(EVRING_IOC_LIST):
		return control_list(user, may_change(filp));
	default:
		return -ENOTTY;
	}
}

static const struct file_operations control_file_operations = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

int __init evring_control_init(const struct evring_control_source *of_module)
{
	struct device *node;
	int err;

	sources = of_module;
	cdev_init(&control_cdev, &control_file_operations);
	control_cdev.owner = THIS_MODULE;
	err = cdev_add(&control_cdev, evring_devt(0), 1);
	if (err)
		return err;
	node = device_create(&evring_class, NULL, evring_devt(0), NULL, "control");
	if (IS_ERR(node)) {
		cdev_del(&control_cdev);
		return PTR_ERR(node);
	}
	return 0;
}

void evring_control_exit(void)
{
	device_destroy(&evring_class, evring_devt(0));
	cdev_del(&control_cdev);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/evring/control: add, remove and list devices. Whoever may open it for
 * writing may change; whoever may open it may list. Process context.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/topology.h>

#include "control.h"
#include "main.h"
#include "source.h"
#include "table.h"
#include "usercopy.h"

static struct cdev control_cdev;

static bool may_change(const struct file *filp)
{
	return (filp->f_mode & FMODE_WRITE) || capable(CAP_SYS_ADMIN);
}

static int check_home_cpu(const struct evring_device_config *config)
{
	if (config->home_cpu == EVRING_HOME_CPU_ANY)
		return 0;
	if (config->home_cpu >= nr_cpu_ids || !cpu_possible(config->home_cpu))
		return -EINVAL;
	return cpu_online(config->home_cpu) ? 0 : -ENXIO;
}

static int check_timer(const struct evring_device_config *config)
{
	if (config->flags & ~EVRING_DEVICE_ARM_IPI)
		return -EINVAL;
	return evring_timer_check(config->rate_hz, config->batch_count) ?: check_home_cpu(config);
}

/* What concerns timers alone is zero, or says nothing. */
static int check_soft(const struct evring_device_config *config)
{
	if (config->flags & ~(EVRING_DEVICE_IRQ_LINE | EVRING_DEVICE_ARM_IPI))
		return -EINVAL;
	if (config->rate_hz || config->batch_count > 1)
		return -EINVAL;
	return 0;
}

static int check_config(const struct evring_device_config *config)
{
	if (config->reserved[0] || config->reserved[1] || config->device_id)
		return -EINVAL;
	switch (config->source) {
	case EVRING_SOURCE_SOFT:
		return check_soft(config);
	case EVRING_SOURCE_TIMER:
		return check_timer(config);
	default:
		return -EINVAL;
	}
}

static void make_plan(const struct evring_device_config *config, struct evring_device_plan *plan)
{
	bool is_timer = config->source == EVRING_SOURCE_TIMER;
	bool is_irq_line = config->flags & EVRING_DEVICE_IRQ_LINE;
	bool has_home = is_timer && config->home_cpu != EVRING_HOME_CPU_ANY;

	*plan = (struct evring_device_plan) {
		.name = config->name,
		.geometry = {
			.slot_count = config->slot_count,
			.first_sequence = config->first_sequence,
			.slot_bytes = config->slot_bytes,
			.slot_format = config->slot_format,
		},
		.mode = config->mode,
		.source = config->source,
		.home_cpu = has_home ? config->home_cpu : EVRING_HOME_CPU_ANY,
		.flags = config->flags,
		.rate_hz = config->rate_hz,
		.batch_count = config->batch_count,
		.single_context = is_timer || is_irq_line,
		.numa_node = has_home ? cpu_to_node(config->home_cpu) : NUMA_NO_NODE,
		.ops = is_timer ? &evring_timer_ops :
		       is_irq_line ? &evring_irq_line_ops : &evring_soft_ops,
	};
}

static int control_add(struct evring_device_config __user *user_config)
{
	struct evring_device_config config;
	struct evring_device_plan plan;
	struct evring_device *device;
	int err;

	err = evring_copy_in(&config, sizeof(config), user_config);
	if (err)
		return err;
	err = check_config(&config);
	if (err)
		return err;
	make_plan(&config, &plan);
	device = evring_device_create(&plan);
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
	if (device->source == EVRING_SOURCE_DRIVER)
		return -EPERM;
	return evring_device_remove(device) ? 0 : -ENOENT;
}

static int control_remove(const void __user *user_name)
{
	struct evring_device_name name;
	struct evring_device *device;
	int err;

	err = evring_copy_in(&name, sizeof(name), user_name);
	if (err)
		return err;
	if (name.flags || strnlen(name.name, sizeof(name.name)) == sizeof(name.name))
		return -EINVAL;
	device = evring_table_get_by_name(name.name);
	if (!device)
		return -ENOENT;
	err = remove_checked(device);
	evring_device_put(device);
	return err;
}

static int control_list(void __user *user_info)
{
	struct evring_device_info info;
	struct evring_device *device;
	u64 wanted_id;
	int err;

	err = evring_copy_in(&info, sizeof(info), user_info);
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
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	evring_device_fill_info(device, &info);
	evring_device_put(device);
	return evring_copy_out(user_info, &info, sizeof(info));
}

static long control_ioctl(struct file *filp, unsigned int request, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (request) {
	case EVRING_IOC_ADD:
		return may_change(filp) ? control_add(user) : -EBADF;
	case EVRING_IOC_REMOVE:
		return may_change(filp) ? control_remove(user) : -EBADF;
	case EVRING_IOC_LIST:
		return control_list(user);
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

int __init evring_control_init(void)
{
	struct device *node;
	int err;

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

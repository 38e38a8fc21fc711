// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading. An open descriptor or a mapping holds the module by
 * fops->owner; devices that nobody has open are removed with it.
 */
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "compat.h"
#include "control.h"
#include "device.h"
#include "main.h"
#include "source/source.h"
#include "table.h"

#define MINOR_COUNT	(EVRING_DEVICE_COUNT_MAX + 1)	/* 0 is the control node */

static dev_t first_devt;

/* Root alone writes: injecting, gating and changing rates need a writable descriptor. */
static char *evring_devnode(EVRING_DEVNODE_CONST struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = MINOR(dev->devt) ? 0640 : 0644;
	return kasprintf(GFP_KERNEL, "evring/%s", dev_name(dev));
}

struct class evring_class = {
	.name = "evring",
	.devnode = evring_devnode,
};

dev_t evring_devt(unsigned int minor)
{
	return MKDEV(MAJOR(first_devt), MINOR(first_devt) + minor);
}

static const struct evring_control_source sources[] = {
	{ EVRING_SOURCE_SOFT, evring_soft_add },
	{ EVRING_SOURCE_TIMER, evring_timer_add },
	{}
};

static int __init evring_init(void)
{
	int err;

	evring_generations_init();
	err = evring_doorbells_init();
	if (err)
		return err;
	err = alloc_chrdev_region(&first_devt, 0, MINOR_COUNT, "evring");
	if (err)
		goto exit_doorbells;
	err = class_register(&evring_class);
	if (err)
		goto unregister_region;
	err = evring_control_init(sources);
	if (err)
		goto unregister_class;
	return 0;

unregister_class:
	class_unregister(&evring_class);
unregister_region:
	unregister_chrdev_region(first_devt, MINOR_COUNT);
exit_doorbells:
	evring_doorbells_exit();
	return err;
}

static void __exit evring_exit(void)
{
	struct evring_device *device;

	evring_control_exit();
	while ((device = evring_table_get_next(1))) {
		evring_device_remove(device);
		evring_device_put(device);
	}
	class_unregister(&evring_class);
	unregister_chrdev_region(first_devt, MINOR_COUNT);
	/* Cursors are freed by a callback of ours. */
	rcu_barrier();
	evring_doorbells_exit();
}

module_init(evring_init);
module_exit(evring_exit);
MODULE_AUTHOR("The evring authors");
MODULE_DESCRIPTION("Event rings: interrupts into mapped memory");
MODULE_LICENSE("GPL");

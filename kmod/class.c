// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/slab.h>

#include <evring/abi.h>

#include "class.h"
#include "compat.h"

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

int __init evring_class_init(void)
{
	int err;

	err = alloc_chrdev_region(&first_devt, 0, MINOR_COUNT, "evring");
	if (err)
		return err;
	err = class_register(&evring_class);
	if (err)
		unregister_chrdev_region(first_devt, MINOR_COUNT);
	return err;
}

void evring_class_exit(void)
{
	class_unregister(&evring_class);
	unregister_chrdev_region(first_devt, MINOR_COUNT);
}

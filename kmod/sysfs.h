/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of a device under /sys/class/evring/NAME; see sysfs.c. */
#ifndef _EVRING_SYSFS_H
#define _EVRING_SYSFS_H

#include <linux/device.h>

extern const struct device_type evring_device_type;

#endif /* _EVRING_SYSFS_H */

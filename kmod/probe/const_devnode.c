// SPDX-License-Identifier: GPL-2.0-only
/* struct class: devnode takes a const device (6.2) */
#include <linux/device.h>

static char *devnode(const struct device *dev, umode_t *mode)
{
	return NULL;
}

struct class probe_class = { .name = "probe", .devnode = devnode };

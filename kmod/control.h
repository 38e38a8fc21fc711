/* SPDX-License-Identifier: GPL-2.0-only */
/* The control node: add, remove, list; see control.c. */
#ifndef _EVRING_CONTROL_H
#define _EVRING_CONTROL_H

#include <linux/types.h>

struct evring_device;
struct evring_device_config;

/**
 * struct evring_control_source - a kind of device that EVRING_IOC_ADD can make
 * @id: enum evring_source
 * @add: makes one by evring_register(), checks what it was asked for; NULL after the last
 */
struct evring_control_source {
	u32 id;
	struct evring_device *(*add)(const struct evring_device_config *config);
};

int evring_control_init(const struct evring_control_source *of_module);
void evring_control_exit(void);

#endif /* _EVRING_CONTROL_H */

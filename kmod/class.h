/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module has once: its class and its range of device numbers. */
#ifndef _EVRING_CLASS_H
#define _EVRING_CLASS_H

#include <linux/device.h>

extern struct class evring_class;

int evring_class_init(void);
void evring_class_exit(void);
dev_t evring_devt(unsigned int minor);

#endif /* _EVRING_CLASS_H */

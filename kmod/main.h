/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module has once: its class and its range of device numbers. */
#ifndef _EVRING_MAIN_H
#define _EVRING_MAIN_H

#include <linux/device.h>

extern struct class evring_class;

dev_t evring_devt(unsigned int minor);

#endif /* _EVRING_MAIN_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Creating and removing devices; see life.c. */
#ifndef _EVRING_LIFE_H
#define _EVRING_LIFE_H

#include "device.h"

struct evring_device *evring_device_create(const struct evring_driver_config *config,
					   const struct evring_faces *faces);
bool evring_device_remove(struct evring_device *device);

#endif /* _EVRING_LIFE_H */

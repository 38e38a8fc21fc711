/* SPDX-License-Identifier: GPL-2.0-only */
/* What EVRING_IOC_LIST and EVRING_IOC_INFO tell of a device. */
#ifndef _EVRING_INFO_H
#define _EVRING_INFO_H

#include "device.h"

void evring_device_fill_info(struct evring_device *device, struct evring_device_info *info);

#endif /* _EVRING_INFO_H */

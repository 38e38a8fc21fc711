/* SPDX-License-Identifier: GPL-2.0-only */
/* The sources that the control node can make. */
#ifndef _EVRING_SOURCE_H
#define _EVRING_SOURCE_H

#include "device.h"

extern const struct evring_source_ops evring_soft_ops;
extern const struct evring_source_ops evring_irq_line_ops;
extern const struct evring_source_ops evring_timer_ops;

int evring_soft_publish(struct evring_device *device, struct evring_inject *request,
			const void *events);
int evring_soft_part(struct evring_device *device, struct evring_inject *request,
		     const void *events);

int evring_timer_check(u64 rate_hz, u32 batch_count);

#endif /* _EVRING_SOURCE_H */

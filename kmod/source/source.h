/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of device that the control node can make. They stand on driver.h alone. */
#ifndef _EVRING_SOURCE_H
#define _EVRING_SOURCE_H

#include "../driver.h"

/* Flags that every kind takes. */
#define EVRING_SOURCE_FLAGS	(EVRING_DEVICE_ARM_IPI | EVRING_DEVICE_WAKE_IN_IRQ)

struct evring_device *evring_soft_add(const struct evring_device_config *config);
struct evring_device *evring_irq_line_add(const struct evring_device_config *config);
struct evring_device *evring_timer_add(const struct evring_device_config *config);

int evring_timers_init(void);
void evring_timers_exit(void);

int evring_soft_part(struct evring_device *device, struct evring_inject *request,
		     const void *events);

/* What every kind takes from a request as it is; evring_register() checks it. */
static inline struct evring_driver_config
evring_source_config(const struct evring_device_config *config)
{
	bool arm_ipi = config->flags & EVRING_DEVICE_ARM_IPI;
	bool wakes_in_irq = config->flags & EVRING_DEVICE_WAKE_IN_IRQ;

	return (struct evring_driver_config) {
		.name = config->name,
		.flags = EVRING_DRIVER_REMOVABLE | (arm_ipi ? EVRING_DRIVER_ARM_IPI : 0) |
			 (wakes_in_irq ? EVRING_DRIVER_WAKE_IN_IRQ : 0),
		.source = config->source,
		.mode = config->mode,
		.slot_count = config->slot_count,
		.slot_bytes = config->slot_bytes,
		.slot_format = config->slot_format,
		.first_sequence = config->first_sequence,
	};
}

#endif /* _EVRING_SOURCE_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The soft source: any number of processes inject by ioctl, one after another
 * through the producer's lock. Others may come in between the parts of a long batch.
 */
#include <linux/err.h>

#include "source.h"

/**
 * evring_soft_part() - publish the next part of a checked batch
 * @device: a soft device
 * @request: its out fields are filled in; published_count says where the part begins
 * @events: kernel copy of all events
 *
 * Context: Any but NMI.
 * Return: 1 when there is more to publish, 0 at the end, -ENODEV.
 */
int evring_soft_part(struct evring_device *device, struct evring_inject *request,
		     const void *events)
{
	u32 done = request->published_count;
	struct evring_reservation part;

	if (!evring_publish_packed(device, events + (size_t)done * request->event_bytes,
				   request->event_bytes, request->event_count - done, &part) &&
	    part.left_count)
		return -ENODEV;
	if (!done)
		request->first_sequence = part.sequence;
	request->published_count += part.event_count;
	request->lock_wait_ns += part.lock_wait_ns;
	return part.left_count > 0;
}

static int soft_inject(struct evring_device *device, struct evring_inject *request,
		       const void *events)
{
	int more;

	request->published_count = 0;
	request->lock_wait_ns = 0;
	do {
		more = evring_soft_part(device, request, events);
	} while (more > 0);
	/* A device that went in the middle has published what it counted. */
	return request->published_count ? 0 : more;
}

static const struct evring_driver_ops soft_ops = {
	.inject = soft_inject,
};

/**
 * evring_soft_add() - make a soft device
 * @config: from EVRING_IOC_ADD; what concerns timers alone is zero, or says nothing
 *
 * Context: Process context.
 * Return: as evring_register().
 */
struct evring_device *evring_soft_add(const struct evring_device_config *config)
{
	struct evring_driver_config driver = evring_source_config(config);

	if (config->flags & ~(EVRING_DEVICE_IRQ_LINE | EVRING_SOURCE_FLAGS) ||
	    config->rate_hz || config->batch_count > 1)
		return ERR_PTR(-EINVAL);
	if (config->flags & EVRING_DEVICE_IRQ_LINE)
		return evring_irq_line_add(config);
	driver.flags |= EVRING_DRIVER_INJECT_UNHELD;
	driver.ops = &soft_ops;
	return evring_register(&driver);
}

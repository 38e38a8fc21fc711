/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device: one ring with its producer, its doorbells and its node.
 * Life: the table and every open file hold a reference on @dev; a mapping holds
 * the file. Removal takes the device out of the table and stops it; the memory
 * goes with the last reference. After @dead is set every entry point of a file
 * that is still open answers -ENODEV.
 */
#ifndef _EVRING_DEVICE_H
#define _EVRING_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/mutex.h>

#include "doorbell.h"
#include "openings.h"
#include "producer.h"
#include "ring.h"

struct evring_device;

/**
 * struct evring_source_ops - what differs between sources; each may be NULL
 * @init: allocates what the source needs; before the device can be seen
 * @start: begins to publish; under control_lock
 * @stop: on return no section of this source runs or will run
 * @set_rate: see struct evring_rate, validated; under control_lock
 * @inject: hands over a checked batch; returns 0 or a negative errno
 * @free: frees what @init allocated; with the last reference
 */
struct evring_source_ops {
	int (*init)(struct evring_device *device);
	int (*start)(struct evring_device *device);
	void (*stop)(struct evring_device *device);
	int (*set_rate)(struct evring_device *device, u64 rate_hz, u32 batch_count);
	int (*inject)(struct evring_device *device, struct evring_inject *request,
		      const void *events);
	void (*free)(struct evring_device *device);
};

/**
 * struct evring_device - one ring device
 * @dev: its place in sysfs, and the reference count of everything here
 * @cdev: its node
 * @id: its key in the table, and its minor
 * @name: of the node under /dev/evring
 * @dead: removed; set once
 * @listed: in the table and on the bus: the control node may remove it
 * @mode: enum evring_mode
 * @source: enum evring_source
 * @home_cpu: CPU of the source, or EVRING_HOME_CPU_ANY
 * @flags: EVRING_DEVICE_*
 * @ring: memory
 * @producer: its one producer
 * @doorbell: who is armed
 * @control_lock: serializes rate changes with removal
 * @rate_hz: timer: 0 while stopped
 * @batch_count: timer: events per interrupt
 * @ticks_skipped: timer: periods that passed without an event
 * @publish_ns: timer: time its handler spent publishing, all together
 * @openings: open descriptors
 * @ops: of the source
 * @source_data: of the source
 */
struct evring_device {
	struct device dev;
	struct cdev cdev;
	u32 id;
	char name[EVRING_NAME_BYTES];
	bool dead;
	bool listed;
	u32 mode;
	u32 source;
	u32 home_cpu;
	u32 flags;
	struct evring_ring ring;
	struct evring_producer producer;
	struct evring_doorbell doorbell;
	struct mutex control_lock;	/* rate and removal */
	u64 rate_hz;
	u32 batch_count;
	u64 ticks_skipped;
	u64 publish_ns;
	struct evring_openings openings;
	const struct evring_source_ops *ops;
	void *source_data;
};

/**
 * struct evring_device_plan - how a device is to be made; see evring_device_create()
 * @name: checked by it
 * @geometry: checked by it
 * @mode: enum evring_mode, checked by it
 * @source: enum evring_source
 * @home_cpu: checked by the caller
 * @flags: EVRING_DEVICE_*, checked by the caller
 * @rate_hz: checked by the caller
 * @batch_count: checked by the caller
 * @single_context: see evring_producer_init()
 * @numa_node: of its memory
 * @parent: in sysfs, or NULL
 * @ops: of the source
 */
struct evring_device_plan {
	const char *name;
	struct evring_geometry geometry;
	u32 mode;
	u32 source;
	u32 home_cpu;
	u32 flags;
	u64 rate_hz;
	u32 batch_count;
	bool single_context;
	int numa_node;
	struct device *parent;
	const struct evring_source_ops *ops;
};

struct evring_device *evring_device_create(const struct evring_device_plan *plan);
void evring_device_name(struct evring_device *device);
bool evring_device_remove(struct evring_device *device);
void evring_device_fill_info(struct evring_device *device, struct evring_device_info *info);

static inline bool evring_device_dead(const struct evring_device *device)
{
	return READ_ONCE(device->dead);
}

static inline void evring_device_put(struct evring_device *device)
{
	put_device(&device->dev);
}

/**
 * evring_device_section_end() - leave a section: doorbells, lock, interrupts
 * @device: whose producer the section is of
 * @section: the section
 *
 * Context: Inside a section that evring_section_commit() has closed.
 */
static inline void evring_device_section_end(struct evring_device *device,
					     struct evring_section *section)
{
	evring_doorbell_look(&device->doorbell, section->now_ns);
	evring_section_unlock(&device->producer);
	local_irq_restore(section->irq_flags);
}

#endif /* _EVRING_DEVICE_H */

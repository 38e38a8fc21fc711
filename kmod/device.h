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
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>

#include "doorbell.h"
#include "driver.h"
#include "openings.h"
#include "producer.h"
#include "ring.h"

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
 * @removable: by the control node
 * @inject_unheld: EVRING_DRIVER_INJECT_UNHELD
 * @ring: memory
 * @producer: its one producer
 * @doorbell: who is armed
 * @control_lock: rate changes and the stop write, other calls of @ops read
 * @ended: removed, and all told
 * @openings: open descriptors
 * @ops: of the source, or NULL
 * @owner: the source's module, for lookups to hold; NULL for our own, which runs them
 * @data: of the source
 * @free_work: frees it after a grace period
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
	bool removable;
	bool inject_unheld;
	struct evring_ring ring;
	struct evring_producer producer;
	struct evring_doorbell doorbell;
	struct rw_semaphore control_lock;
	struct completion ended;
	struct evring_openings openings;
	const struct evring_driver_ops *ops;
	struct module *owner;
	void *data;
	struct rcu_work free_work;
};

/**
 * struct evring_faces - how a device is seen; higher floors say it
 * @file_operations: of its node
 * @type: its attributes in sysfs
 */
struct evring_faces {
	const struct file_operations *file_operations;
	const struct device_type *type;
};

int evring_devices_init(void);
void evring_devices_exit(void);
struct evring_device *evring_device_make(const struct evring_driver_config *config,
					 const struct evring_faces *faces);
void evring_device_name(struct evring_device *device);
struct evring_driver_state evring_device_state(struct evring_device *device);
int evring_device_inject(struct evring_device *device, struct evring_inject *request,
			 const void *events);

static inline bool evring_device_dead(const struct evring_device *device)
{
	return READ_ONCE(device->dead);
}

static inline void evring_device_put(struct evring_device *device)
{
	put_device(&device->dev);
}

/**
 * evring_device_section_end() - publish what was written, and leave
 * @device: whose producer the section is of
 * @section: the section
 * @count: events written from head on, at least one
 *
 * Context: Inside a section; that ends here.
 */
static __always_inline void evring_device_section_end(struct evring_device *device,
						      const struct evring_section *section,
						      u32 count)
{
	evring_section_commit(&device->producer, count, section->now_ns);
	evring_doorbell_look(&device->doorbell, section->now_ns);
	evring_section_leave(&device->producer, section->irq_flags);
}

#endif /* _EVRING_DEVICE_H */

// SPDX-License-Identifier: GPL-2.0-only
/* Attributes of a device, one value a file, all read-only. Process context. */
#include <linux/sysfs.h>

#include "device.h"
#include "sysfs.h"

static struct evring_device *device_of(struct device *dev)
{
	return container_of(dev, struct evring_device, dev);
}

#define ATTRIBUTE_U64(name_, mode_, expression)						\
static ssize_t name_##_show(struct device *dev, struct device_attribute *attribute,	\
			    char *text)							\
{											\
	struct evring_device *device = device_of(dev);					\
											\
	return sysfs_emit(text, "%llu\n", (u64)(expression));				\
}											\
static DEVICE_ATTR(name_, mode_, name_##_show, NULL)

/* What tells of events is for whoever may read the node: root, and its group. */
#define COUNTER_U64(name_, expression)	ATTRIBUTE_U64(name_, 0440, expression)
#define CONSTANT_U64(name_, expression)	ATTRIBUTE_U64(name_, 0444, expression)

COUNTER_U64(head, READ_ONCE(device->producer.head));
CONSTANT_U64(first_sequence, device->producer.first_sequence);
COUNTER_U64(dropped, READ_ONCE(device->producer.dropped));
CONSTANT_U64(generation, device->producer.generation);
COUNTER_U64(doorbells_rung, READ_ONCE(device->producer.doorbells_rung));
COUNTER_U64(doorbells_suppressed, atomic64_read(&device->producer.doorbells_suppressed));
COUNTER_U64(armed_count, READ_ONCE(device->doorbell.sleepers.armed_count));
COUNTER_U64(lock_wait_ns, READ_ONCE(device->producer.lock_wait_ns));
COUNTER_U64(lock_contended, READ_ONCE(device->producer.lock_contended));
CONSTANT_U64(slot_count, evring_slot_count(&device->ring));
CONSTANT_U64(slot_bytes, 1ULL << device->ring.slot_shift);
CONSTANT_U64(mapping_bytes, device->ring.mapping_bytes);
COUNTER_U64(open_count, READ_ONCE(device->openings.count));
COUNTER_U64(registered_count, READ_ONCE(device->producer.cursors.count));
CONSTANT_U64(rate_hz, evring_device_state(device).rate_hz);
CONSTANT_U64(batch_count, evring_device_state(device).batch_count);
COUNTER_U64(ticks_skipped, evring_device_state(device).ticks_skipped);
COUNTER_U64(publish_ns, evring_device_state(device).publish_ns);

static ssize_t mode_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%s\n",
			  device_of(dev)->mode == EVRING_MODE_GATED ? "gated" : "overwrite");
}
static DEVICE_ATTR_RO(mode);

static ssize_t source_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	static const char * const names[] = {
		[EVRING_SOURCE_LOCAL] = "local",
		[EVRING_SOURCE_SOFT] = "soft",
		[EVRING_SOURCE_TIMER] = "timer",
		[EVRING_SOURCE_DRIVER] = "driver",
	};

	return sysfs_emit(text, "%s\n", names[device_of(dev)->source]);
}
static DEVICE_ATTR_RO(source);

static ssize_t home_cpu_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	u32 home_cpu = device_of(dev)->home_cpu;

	if (home_cpu == EVRING_HOME_CPU_ANY)
		return sysfs_emit(text, "any\n");
	return sysfs_emit(text, "%u\n", home_cpu);
}
static DEVICE_ATTR_RO(home_cpu);

static struct attribute *device_attribute_attrs[] = {
	&dev_attr_head.attr,
	&dev_attr_first_sequence.attr,
	&dev_attr_dropped.attr,
	&dev_attr_generation.attr,
	&dev_attr_doorbells_rung.attr,
	&dev_attr_doorbells_suppressed.attr,
	&dev_attr_armed_count.attr,
	&dev_attr_lock_wait_ns.attr,
	&dev_attr_lock_contended.attr,
	&dev_attr_slot_count.attr,
	&dev_attr_slot_bytes.attr,
	&dev_attr_mapping_bytes.attr,
	&dev_attr_open_count.attr,
	&dev_attr_registered_count.attr,
	&dev_attr_rate_hz.attr,
	&dev_attr_batch_count.attr,
	&dev_attr_ticks_skipped.attr,
	&dev_attr_publish_ns.attr,
	&dev_attr_mode.attr,
	&dev_attr_source.attr,
	&dev_attr_home_cpu.attr,
	NULL
};
ATTRIBUTE_GROUPS(device_attribute);

const struct device_type evring_device_type = {
	.name = "evring",
	.groups = device_attribute_groups,
};

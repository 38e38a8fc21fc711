// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that users hold on to: its device may be removed by the control node, and ends by
 * a write to the parameter "end" or with the module. Warns where an op comes after the end.
 * For each batch that is injected it publishes one event of its own.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>

#include <evring/driver.h>

static struct evring_device *ring;
static DEFINE_MUTEX(ring_lock);
static bool stopping, stopped;

module_param(stopping, bool, 0444);
MODULE_PARM_DESC(stopping, "The device is being stopped, which takes its time");

static unsigned int home_cpu = EVRING_HOME_CPU_ANY;
module_param(home_cpu, uint, 0444);
MODULE_PARM_DESC(home_cpu, "The CPU that the driver names");

static unsigned int mode = EVRING_MODE_OVERWRITE;
module_param(mode, uint, 0444);
MODULE_PARM_DESC(mode, "enum evring_mode");

static unsigned int slot_format = EVRING_SLOT_FULL;
module_param(slot_format, uint, 0444);
MODULE_PARM_DESC(slot_format, "enum evring_slot_format");

static unsigned int length_bytes = 8;
module_param(length_bytes, uint, 0444);
MODULE_PARM_DESC(length_bytes, "Of what it publishes, however much of that fits in a slot");

/* Each byte is its place, from 1. */
static u8 payload[128];

static void held_stop(struct evring_device *device)
{
	WRITE_ONCE(stopping, true);
	msleep(300);
	WRITE_ONCE(stopped, true);
}

static int held_inject(struct evring_device *device, struct evring_inject *request,
		       const void *events)
{
	WARN_ON(READ_ONCE(stopped));
	request->published_count = evring_publish(device, 1, payload, length_bytes);
	return 0;
}

static void held_state(struct evring_device *device, struct evring_driver_state *state)
{
	WARN_ON(READ_ONCE(stopped));
	state->rate_hz = 1;
}

static void held_release(void *data)
{
	WARN_ON(data != &ring);
}

static const struct evring_driver_ops ops = {
	.stop = held_stop,
	.inject = held_inject,
	.state = held_state,
	.release = held_release,
};

/* -EIO when the device is not stopped after that. */
static int end(const char *text, const struct kernel_param *parameter)
{
	int err = 0;

	mutex_lock(&ring_lock);
	if (ring) {
		evring_unregister(ring);
		err = READ_ONCE(stopped) ? 0 : -EIO;
		evring_put(ring);
		ring = NULL;
	}
	mutex_unlock(&ring_lock);
	return err;
}

static const struct kernel_param_ops end_ops = { .set = end };
module_param_cb(end, &end_ops, NULL, 0200);
MODULE_PARM_DESC(end, "Whatever is written ends the device");

static int __init held_init(void)
{
	const struct evring_driver_config config = {
		.name = "held",
		.ops = &ops,
		.data = &ring,
		.flags = EVRING_DRIVER_REMOVABLE |
			 (home_cpu == EVRING_HOME_CPU_ANY ? 0 : EVRING_DRIVER_HOME_CPU),
		.home_cpu = home_cpu,
		.mode = mode,
		.slot_count = 64,
		.slot_bytes = EVRING_SLOT_BYTES_DEFAULT,
		.slot_format = slot_format,
	};
	unsigned int i;

	if (length_bytes > sizeof(payload))
		return -EINVAL;
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i + 1;
	ring = evring_register(&config);
	return PTR_ERR_OR_ZERO(ring);
}

static void __exit held_exit(void)
{
	end(NULL, NULL);
}

module_init(held_init);
module_exit(held_exit);
MODULE_DESCRIPTION("A device that its users hold on to");
MODULE_LICENSE("GPL");

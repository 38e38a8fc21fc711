// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading. An open descriptor or a mapping holds the module by
 * fops->owner; devices that nobody has open are removed with it.
 */
#include <linux/module.h>

#include "boot_id.h"
#include "class.h"
#include "control.h"
#include "life.h"
#include "source/source.h"
#include "table.h"

static const struct evring_control_source sources[] = {
	{ EVRING_SOURCE_SOFT, evring_soft_add },
	{ EVRING_SOURCE_TIMER, evring_timer_add },
	{}
};

static int __init evring_init(void)
{
	int err;

	evring_boot_id_init();
	evring_generations_init();
	err = evring_doorbells_init();
	if (err)
		return err;
	err = evring_devices_init();
	if (err)
		goto exit_doorbells;
	err = evring_timers_init();
	if (err)
		goto exit_devices;
	err = evring_class_init();
	if (err)
		goto exit_timers;
	err = evring_control_init(sources);
	if (err)
		goto exit_class;
	return 0;

exit_class:
	evring_class_exit();
exit_timers:
	evring_timers_exit();
exit_devices:
	evring_devices_exit();
exit_doorbells:
	evring_doorbells_exit();
	return err;
}

static void __exit evring_exit(void)
{
	struct evring_device *device;

	evring_control_exit();
	while ((device = evring_table_get_next(1))) {
		evring_device_remove(device);
		evring_table_put(device);
	}
	evring_class_exit();
	evring_timers_exit();
	evring_devices_exit();
	evring_doorbells_exit();
}

module_init(evring_init);
module_exit(evring_exit);
MODULE_AUTHOR("The evring authors");
MODULE_DESCRIPTION("Event rings: interrupts into mapped memory");
MODULE_LICENSE("GPL");

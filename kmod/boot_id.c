// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boot id, as /proc/sys/kernel/random/boot_id shows it. No interface of the
 * kernel hands it to a module, so it is read where user space reads it.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/uuid.h>

#include "boot_id.h"

uuid_t evring_boot_id __ro_after_init;

/*
 * Once, under the root of whoever loads the module: under that of whoever adds a device
 * the file could be anything.
 */
void __init evring_boot_id_init(void)
{
	char text[UUID_STRING_LEN + 1] = {};
	struct file *file;
	loff_t offset = 0;

	file = filp_open("/proc/sys/kernel/random/boot_id", O_RDONLY, 0);
	if (IS_ERR(file))
		return;
	if (kernel_read(file, text, UUID_STRING_LEN, &offset) != UUID_STRING_LEN ||
	    uuid_parse(text, &evring_boot_id))
		evring_boot_id = uuid_null;
	filp_close(file, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boot id, as /proc/sys/kernel/random/boot_id shows it. No interface of the
 * kernel hands it to a module, so it is read where user space reads it.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/uuid.h>

#include "boot_id.h"

/**
 * evring_boot_id() - this boot's id
 * @boot_id: out; zero when /proc is not mounted
 *
 * Context: Process context.
 */
void evring_boot_id(uuid_t *boot_id)
{
	char text[UUID_STRING_LEN + 1] = {};
	struct file *file;
	loff_t offset = 0;

	*boot_id = uuid_null;
	file = filp_open("/proc/sys/kernel/random/boot_id", O_RDONLY, 0);
	if (IS_ERR(file))
		return;
	if (kernel_read(file, text, UUID_STRING_LEN, &offset) != UUID_STRING_LEN ||
	    uuid_parse(text, boot_id))
		*boot_id = uuid_null;
	filp_close(file, NULL);
}

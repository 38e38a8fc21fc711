// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that goes wrong as asked, to show that the guest's runner tells each way apart.
 * Loaded by tests/guest/selftest alone.
 */
#include <linux/delay.h>
#include <linux/module.h>

static int *nowhere;
static char *kind = "none";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "none, refuse, warn, oops, panic or hang");

static int __init fault_init(void)
{
	if (!strcmp(kind, "refuse"))
		return -ENODEV;
	if (!strcmp(kind, "warn"))
		WARN(1, "a planted warning\n");
	if (!strcmp(kind, "oops"))
		WRITE_ONCE(*READ_ONCE(nowhere), 1);
	if (!strcmp(kind, "panic"))
		panic("a planted panic");
	while (!strcmp(kind, "hang"))
		msleep(100);
	return 0;
}

static void __exit fault_exit(void)
{
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Planted faults for the guest's runner");
MODULE_LICENSE("GPL");

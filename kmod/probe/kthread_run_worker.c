// SPDX-License-Identifier: GPL-2.0-only
/* kthread_run_worker() instead of kthread_create_worker() (6.14) */
#include <linux/kthread.h>

struct kthread_worker *probe(void);
struct kthread_worker *probe(void)
{
	return kthread_run_worker(0, "probe");
}

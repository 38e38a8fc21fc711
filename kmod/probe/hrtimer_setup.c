// SPDX-License-Identifier: GPL-2.0-only
/* hrtimer_setup() instead of hrtimer_init() (6.13) */
#include <linux/hrtimer.h>

static enum hrtimer_restart probe_function(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

void probe(struct hrtimer *timer);
void probe(struct hrtimer *timer)
{
	hrtimer_setup(timer, probe_function, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Going to sleep at a doorbell, and no longer; see arm.c. */
#ifndef _EVRING_ARM_H
#define _EVRING_ARM_H

#include "doorbell.h"

#define EVRING_IDLE_BOUND_MS	10000	/* the longest park; the next command follows */

int evring_arm(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
	       const struct evring_arm *request);
int evring_arm_simple(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
		      u64 cursor);
void evring_disarm(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper);
void evring_cancel(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper);
void evring_doorbell_close(struct evring_doorbell *doorbell);

#endif /* _EVRING_ARM_H */

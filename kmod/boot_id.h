/* SPDX-License-Identifier: GPL-2.0-only */
/* This boot's id; see boot_id.c. */
#ifndef _EVRING_BOOT_ID_H
#define _EVRING_BOOT_ID_H

#include <linux/uuid.h>

extern uuid_t evring_boot_id;	/* zero when /proc was not mounted */

void evring_boot_id_init(void);

#endif /* _EVRING_BOOT_ID_H */

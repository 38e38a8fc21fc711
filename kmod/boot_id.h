/* SPDX-License-Identifier: GPL-2.0-only */
/* This boot's id; see boot_id.c. */
#ifndef _EVRING_BOOT_ID_H
#define _EVRING_BOOT_ID_H

#include <linux/uuid.h>

void evring_boot_id(uuid_t *boot_id);

#endif /* _EVRING_BOOT_ID_H */

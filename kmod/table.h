/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device table: an xarray by id, read under RCU. Lookups take no lock while
 * devices come and go; changes, the node's included, are serialized by one mutex.
 */
#ifndef _EVRING_TABLE_H
#define _EVRING_TABLE_H

#include <linux/types.h>

struct evring_device;

int evring_table_add(struct evring_device *device);
bool evring_table_remove(struct evring_device *device);
struct evring_device *evring_table_get(u32 id);
struct evring_device *evring_table_get_next(u32 id);
struct evring_device *evring_table_get_by_name(const char *name);
void evring_table_put(struct evring_device *device);

#endif /* _EVRING_TABLE_H */

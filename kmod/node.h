/* SPDX-License-Identifier: GPL-2.0-only */
/* What a device node can do; see node.c. */
#ifndef _EVRING_NODE_H
#define _EVRING_NODE_H

#include <linux/fs.h>

extern const struct file_operations evring_file_operations;

#endif /* _EVRING_NODE_H */

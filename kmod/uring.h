/* SPDX-License-Identifier: GPL-2.0-only */
/* The io_uring commands of a device node; see uring.c. */
#ifndef _EVRING_URING_H
#define _EVRING_URING_H

#include <linux/types.h>

struct evring_file;
struct io_uring_cmd;

u64 evring_uring_capabilities(void);
int evring_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
void evring_uring_cancel(struct evring_file *file, const void *owner);

#endif /* _EVRING_URING_H */

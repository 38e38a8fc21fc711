/* SPDX-License-Identifier: GPL-2.0-only */
/* The control node: add, remove, list; see control.c. */
#ifndef _EVRING_CONTROL_H
#define _EVRING_CONTROL_H

int evring_control_init(void);
void evring_control_exit(void);

#endif /* _EVRING_CONTROL_H */

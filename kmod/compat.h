/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One face for the kernel interfaces that changed between 6.1 and today. Each
 * EVRING_HAVE_… is found by compiling probe/…c against the headers in use.
 */
#ifndef _EVRING_COMPAT_H
#define _EVRING_COMPAT_H

#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "evring_probed.h"

#if EVRING_HAVE_HEX
#include <linux/hex.h>
#endif

#if EVRING_HAVE_CONST_DEVNODE
#define EVRING_DEVNODE_CONST	const
#else
#define EVRING_DEVNODE_CONST
#endif

#if !EVRING_HAVE_VM_FLAGS_MOD
static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

#if !EVRING_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#if !EVRING_HAVE_KTHREAD_RUN_WORKER
#define kthread_run_worker	kthread_create_worker
#endif

#endif /* _EVRING_COMPAT_H */

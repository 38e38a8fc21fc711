/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open descriptor of a device node: its read position, its arms, its cursor.
 * node.c opens, polls and closes; read.c, ioctl.c, map.c and uring.c do the rest.
 * No lock is held over a copy to or from user space: that may take the mmap lock,
 * under which map.c takes @cursor_lock.
 */
#ifndef _EVRING_FILE_H
#define _EVRING_FILE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "arm.h"
#include "device.h"

/**
 * struct evring_file - private data of an open descriptor
 * @device: its device; the descriptor holds a reference
 * @opening: among those of the device
 * @wait: poll and read
 * @poll_sleeper: armed by EVRING_IOC_ARM
 * @read_sleeper: armed by poll and read on their own, for the first event at @read_cursor
 * @moderated: EVRING_IOC_ARM was called: poll follows @poll_sleeper
 * @commands_lock: protects @commands and @command_count
 * @commands: io_uring commands on their way
 * @command_count: how many
 * @cursor_lock: protects @cursor and @registering
 * @cursor: registered, or NULL
 * @registering: a registration is on its way; it sets @cursor when it has answered
 * @read_lock: protects what follows
 * @read_cursor: next sequence that read() prints; read without the lock as a hint
 * @line: text not yet handed out
 * @line_bytes: its length
 * @line_taken: how much of it is handed out
 * @line_takes: how often something was taken
 * @rcu: a wake-up may still look at @wait
 */
struct evring_file {
	struct evring_device *device;
	struct evring_opening opening;
	wait_queue_head_t wait;
	struct evring_sleeper poll_sleeper;
	struct evring_sleeper read_sleeper;
	bool moderated;
	spinlock_t commands_lock;	/* @commands, @command_count */
	struct list_head commands;
	unsigned int command_count;
	struct mutex cursor_lock;	/* @cursor, @registering */
	struct evring_cursor *cursor;
	bool registering;
	struct mutex read_lock;		/* the rest */
	u64 read_cursor;
	char *line;
	size_t line_bytes;
	size_t line_taken;
	u64 line_takes;
	struct rcu_head rcu;
};

/*
 * Without saying for what: a poll of io_uring believes what it is told, and one that was
 * posted since the doorbell would end by a wake-up that is late. All others look for
 * themselves anyway.
 */
static inline void evring_file_wake(struct evring_file *file)
{
	wake_up_interruptible(&file->wait);
}

/* Is there an event that read() has not printed? */
static inline bool evring_file_readable(const struct evring_file *file)
{
	return READ_ONCE(file->device->producer.head) != READ_ONCE(file->read_cursor);
}

ssize_t evring_read(struct file *filp, char __user *to, size_t size_bytes, loff_t *offset);
long evring_ioctl(struct file *filp, unsigned int request, unsigned long argument);
int evring_mmap(struct file *filp, struct vm_area_struct *vma);

#endif /* _EVRING_FILE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has a device open: its descriptors, and how many each user has. A user is a
 * uid; one that holds EVRING_OPEN_COUNT_MAX descriptors takes none from another.
 */
#ifndef _EVRING_OPENINGS_H
#define _EVRING_OPENINGS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

#include <evring/abi.h>

#define EVRING_OPENINGS_MAX	4096	/* of all users together; root gets in past it */

/**
 * struct evring_user - what one user has of a device; lives with its descriptors
 * @node: in the device's users
 * @uid: whose
 * @open_count: descriptors
 * @command_count: io_uring commands on their way through them
 */
struct evring_user {
	struct list_head node;
	kuid_t uid;
	unsigned int open_count;
	atomic_t command_count;
};

/**
 * struct evring_opening - one descriptor; a part of what it belongs to
 * @node: in the device's openings
 * @user: who opened it
 * @ended: told once when the device is removed; under a spinlock
 */
struct evring_opening {
	struct list_head node;
	struct evring_user *user;
	void (*ended)(struct evring_opening *opening);
};

/**
 * struct evring_openings - all of a device
 * @lock: protects the rest
 * @all: the descriptors; those that were told the end are not in it
 * @users: who has one or more
 * @count: descriptors; read without the lock
 * @over: the device was removed: nobody opens it any more
 */
struct evring_openings {
	spinlock_t lock;	/* the rest */
	struct list_head all;
	struct list_head users;
	unsigned int count;
	bool over;
};

void evring_openings_init(struct evring_openings *openings);
void evring_openings_end(struct evring_openings *openings);
int evring_opening_add(struct evring_openings *openings, struct evring_opening *opening);
void evring_opening_remove(struct evring_openings *openings, struct evring_opening *opening);

#endif /* _EVRING_OPENINGS_H */

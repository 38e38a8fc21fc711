// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "openings.h"

void evring_openings_init(struct evring_openings *openings)
{
	spin_lock_init(&openings->lock);
	INIT_LIST_HEAD(&openings->all);
	INIT_LIST_HEAD(&openings->users);
}

/* Under the lock. The account of @fresh's uid: one that there is, or @fresh. */
static struct evring_user *user_of(struct evring_openings *openings, struct evring_user *fresh)
{
	struct evring_user *user;

	list_for_each_entry(user, &openings->users, node)
		if (uid_eq(user->uid, fresh->uid))
			return user;
	return fresh;
}

/* Under the lock. */
static int admit(struct evring_openings *openings, struct evring_opening *opening,
		 struct evring_user *user)
{
	if (openings->over)
		return -ENODEV;
	if (user->open_count == EVRING_OPEN_COUNT_MAX)
		return -EBUSY;
	/* Many uids may be one person's: together they do not keep root out. */
	if (openings->count >= EVRING_OPENINGS_MAX && !capable(CAP_SYS_ADMIN))
		return -EBUSY;
	if (!user->open_count)
		list_add(&user->node, &openings->users);
	user->open_count++;
	WRITE_ONCE(openings->count, openings->count + 1);
	opening->user = user;
	list_add_tail(&opening->node, &openings->all);
	return 0;
}

/**
 * evring_opening_add() - one more descriptor, of the caller's user
 * @openings: of the device
 * @opening: with @ended set
 *
 * Context: Process context.
 * Return: 0; -ENODEV after the end; -EBUSY past the bound of the user, or of all; -ENOMEM.
 */
int evring_opening_add(struct evring_openings *openings, struct evring_opening *opening)
{
	struct evring_user *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct evring_user *user;
	int err;

	if (!fresh)
		return -ENOMEM;
	fresh->uid = current_uid();
	spin_lock(&openings->lock);
	user = user_of(openings, fresh);
	err = admit(openings, opening, user);
	spin_unlock(&openings->lock);
	if (err || user != fresh)
		kfree(fresh);
	return err;
}

/**
 * evring_opening_remove() - one descriptor less
 * @openings: of the device
 * @opening: added to it
 *
 * Context: Process context.
 */
void evring_opening_remove(struct evring_openings *openings, struct evring_opening *opening)
{
	struct evring_user *user = opening->user;
	bool last;

	spin_lock(&openings->lock);
	list_del(&opening->node);
	WRITE_ONCE(openings->count, openings->count - 1);
	last = !--user->open_count;
	if (last)
		list_del(&user->node);
	spin_unlock(&openings->lock);
	if (last)
		kfree(user);
}

/**
 * evring_openings_end() - the device is removed: tell every descriptor, admit none
 * @openings: of the device
 *
 * Context: Process context, may sleep.
 */
void evring_openings_end(struct evring_openings *openings)
{
	struct evring_opening *opening;

	do {
		spin_lock(&openings->lock);
		openings->over = true;
		opening = list_first_entry_or_null(&openings->all, struct evring_opening, node);
		if (opening) {
			list_del_init(&opening->node);
			opening->ended(opening);
		}
		spin_unlock(&openings->lock);
		cond_resched();
	} while (opening);
}

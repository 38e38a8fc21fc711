// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a device node. Each checks all it was given before it changes
 * anything. What changes a ring needs a descriptor open for writing: -EBADF.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "file.h"
#include "info.h"
#include "uring.h"
#include "usercopy.h"

#define INJECT_STACK_BYTES	256

static int ioctl_info(struct evring_device *device, void __user *user)
{
	struct evring_device_info info;
	int err;

	err = evring_copy_in(&info, sizeof(info), EVRING_DEVICE_INFO_SIZE_V0, user);
	if (err)
		return err;
	if (info.flags)
		return -EINVAL;
	evring_device_fill_info(device, &info);
	return evring_copy_out(user, &info, sizeof(info));
}

static int inject_check(const struct evring_ring *ring, const struct evring_inject *request)
{
	if (request->flags || request->reserved0)
		return -EINVAL;
	if (!request->event_count || request->event_count > EVRING_BATCH_COUNT_MAX)
		return -EINVAL;
	if (request->event_bytes < 8 || request->event_bytes % 8 ||
	    request->event_bytes > 8 + ring->payload_bytes)
		return -EINVAL;
	if ((u64)request->event_count * request->event_bytes > EVRING_INJECT_BYTES_MAX)
		return -E2BIG;
	return 0;
}

/* The copy is checked, so that what is published is what was checked. */
static int inject_check_events(const struct evring_inject *request, const void *events)
{
	u32 i;

	for (i = 0; i < request->event_count; i++) {
		const u32 *type_length = events + (size_t)i * request->event_bytes;

		if (type_length[1] > request->event_bytes - 8)
			return -EINVAL;
	}
	return 0;
}

/* A few events word by word: a call of copy_from_user() costs more than that. */
static int copy_events(void *to, const void __user *from, size_t bytes)
{
	if (bytes <= INJECT_STACK_BYTES)
		return evring_get_words(to, from, bytes / 8);
	return copy_from_user(to, from, bytes) ? -EFAULT : 0;
}

static int inject_copied(struct evring_device *device, struct evring_inject *request, void *events)
{
	size_t bytes = (size_t)request->event_count * request->event_bytes;
	int err;

	if (copy_events(events, u64_to_user_ptr(request->events), bytes))
		return -EFAULT;
	err = inject_check_events(request, events);
	if (err)
		return err;
	return evring_device_inject(device, request, events);
}

static int inject_through(struct evring_device *device, struct evring_inject *request)
{
	size_t bytes = (size_t)request->event_count * request->event_bytes;
	u64 on_stack[INJECT_STACK_BYTES / 8] __uninitialized;
	void *events;
	int err;

	if (bytes <= sizeof(on_stack))
		return inject_copied(device, request, on_stack);
	events = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!events)
		return -ENOMEM;
	err = inject_copied(device, request, events);
	kvfree(events);
	return err;
}

/* The fields that are out, and nothing else. */
static int inject_answer(struct evring_inject __user *user, const struct evring_inject *request)
{
	if (!user_write_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_put_user(request->published_count, &user->published_count, fault);
	unsafe_put_user(request->first_sequence, &user->first_sequence, fault);
	unsafe_put_user(request->lock_wait_ns, &user->lock_wait_ns, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/*
 * The request, and a first answer: whether it can be written is found out before
 * anything is published. One access when all is well.
 */
static int inject_request(struct evring_inject *request, struct evring_inject __user *user)
{
	const u64 __user *words = (const u64 __user *)user;
	u64 *to = (u64 *)request;
	int err;
	u32 i;

	if (user_access_begin(user, sizeof(*user))) {
		for (i = 0; i < sizeof(*request) / 8; i++)
			unsafe_get_user(to[i], words + i, slow);
		if (request->size != sizeof(*request))
			goto slow;
		unsafe_put_user(0, &user->published_count, slow);
		user_access_end();
		return 0;
slow:
		user_access_end();
	}
	err = evring_copy_in(request, sizeof(*request), EVRING_INJECT_SIZE_V0, user);
	return err ?: put_user(0, &user->published_count);
}

static int ioctl_inject(struct evring_device *device, struct evring_inject __user *user)
{
	struct evring_inject request __uninitialized;
	int err;

	err = inject_request(&request, user);
	if (err)
		return err;
	if (!device->ops || !device->ops->inject)
		return -EOPNOTSUPP;
	err = inject_check(&device->ring, &request);
	if (err)
		return err;
	err = inject_through(device, &request);
	if (err)
		return err;
	return inject_answer(user, &request);
}

/* One at a time, with no lock held while it answers; see file.h. */
static bool registration_begin(struct evring_file *file)
{
	bool begun;

	mutex_lock(&file->cursor_lock);
	begun = !file->cursor && !file->registering;
	if (begun)
		file->registering = true;
	mutex_unlock(&file->cursor_lock);
	return begun;
}

static void registration_end(struct evring_file *file, struct evring_cursor *cursor)
{
	mutex_lock(&file->cursor_lock);
	file->registering = false;
	file->cursor = cursor;
	mutex_unlock(&file->cursor_lock);
}

static int ioctl_register(struct evring_file *file, void __user *user)
{
	struct evring_register request;
	struct evring_cursor *cursor;
	int err;

	err = evring_copy_in(&request, sizeof(request), EVRING_REGISTER_SIZE_V0, user);
	if (err)
		return err;
	if (request.flags || request.reserved0)
		return -EINVAL;
	if (!file->device->producer.gated)
		return -EOPNOTSUPP;

	if (!registration_begin(file))
		return -EBUSY;
	cursor = evring_cursor_add(&file->device->producer.cursors, &request);
	err = PTR_ERR_OR_ZERO(cursor);
	if (!err)
		err = evring_copy_out(user, &request, sizeof(request));
	registration_end(file, err ? NULL : cursor);
	if (err && !IS_ERR(cursor))
		evring_cursor_remove(&file->device->producer.cursors, cursor);
	return err;
}

static int ioctl_unregister(struct evring_file *file)
{
	int err = 0;

	mutex_lock(&file->cursor_lock);
	if (file->cursor) {
		evring_cursor_remove(&file->device->producer.cursors, file->cursor);
		file->cursor = NULL;
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&file->cursor_lock);
	return err;
}

static int ioctl_set_rate(struct evring_device *device, const void __user *user)
{
	struct evring_rate request;
	int err;

	err = evring_copy_in(&request, sizeof(request), EVRING_RATE_SIZE_V0, user);
	if (err)
		return err;
	if (request.flags || request.reserved0)
		return -EINVAL;
	if (!device->ops || !device->ops->set_rate)
		return -EOPNOTSUPP;
	down_write(&device->control_lock);
	err = evring_device_dead(device) ? -ENODEV :
	      device->ops->set_rate(device, request.rate_hz, request.batch_count);
	up_write(&device->control_lock);
	return err;
}

static int ioctl_arm(struct evring_file *file, const void __user *user)
{
	struct evring_arm request;
	int err;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	err = evring_arm(&file->device->doorbell, &file->poll_sleeper, &request);
	if (!err)
		WRITE_ONCE(file->moderated, true);
	return err;
}

static int ioctl_disarm(struct evring_file *file)
{
	WRITE_ONCE(file->moderated, false);
	evring_disarm(&file->device->doorbell, &file->poll_sleeper);
	evring_uring_cancel(file, NULL);
	return 0;
}

/* What only a descriptor open for writing may do; @request without its size. */
static bool is_change(unsigned int request)
{
	return request == EVRING_IOCTL(EVRING_IOC_INJECT) ||
	       request == EVRING_IOCTL(EVRING_IOC_REGISTER) ||
	       request == EVRING_IOCTL(EVRING_IOC_UNREGISTER) ||
	       request == EVRING_IOCTL(EVRING_IOC_SET_RATE);
}

long evring_ioctl(struct file *filp, unsigned int request, unsigned long argument)
{
	struct evring_file *file = filp->private_data;
	struct evring_device *device = file->device;
	void __user *user = (void __user *)argument;

	if (is_change(EVRING_IOCTL(request)) && !(filp->f_mode & FMODE_WRITE))
		return -EBADF;
	if (_IOC_TYPE(request) == EVRING_IOC_TYPE && evring_device_dead(device))
		return -ENODEV;

	switch (EVRING_IOCTL(request)) {
	case EVRING_IOCTL(EVRING_IOC_INFO):
		return ioctl_info(device, user);
	case EVRING_IOCTL(EVRING_IOC_INJECT):
		return ioctl_inject(device, user);
	case EVRING_IOCTL(EVRING_IOC_REGISTER):
		return ioctl_register(file, user);
	case EVRING_IOCTL(EVRING_IOC_UNREGISTER):
		return ioctl_unregister(file);
	case EVRING_IOCTL(EVRING_IOC_SET_RATE):
		return ioctl_set_rate(device, user);
	case EVRING_IOCTL(EVRING_IOC_ARM):	/* does not say its size, so cannot grow */
		return request == EVRING_IOC_ARM ? ioctl_arm(file, user) : -ENOTTY;
	case EVRING_IOCTL(EVRING_IOC_DISARM):
		return ioctl_disarm(file);
	default:
		return -ENOTTY;
	}
}

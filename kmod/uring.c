// SPDX-License-Identifier: GPL-2.0-only
/*
 * EVRING_URING_ARM parks in io_uring until the doorbell rings; EVRING_URING_DISARM
 * ends every arm of the descriptor. A command is always finished by
 * io_uring_cmd_done(), in the task that submitted it: never by returning a
 * result once it was marked cancelable.
 */
#include <linux/slab.h>

#include "compat_uring.h"
#include "file.h"
#include "uring.h"

#define COMMANDS_PER_FILE_MAX	16

u64 evring_uring_capabilities(void)
{
	if (!IS_ENABLED(CONFIG_IO_URING))
		return 0;
	return EVRING_CAP_URING_CMD | (EVRING_HAVE_URING_CANCEL ? EVRING_CAP_URING_CANCEL : 0);
}

static struct evring_armed **armed_slot(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct evring_armed *) > sizeof(cmd->pdu));
	return (struct evring_armed **)cmd->pdu;
}

/*
 * The arm is freed last: a cancel may look at it until the command is done. The
 * file is not touched after that, though it outlives this: its last put is
 * task work of its own.
 */
static void command_finish(struct io_uring_cmd *cmd, int result, unsigned int issue_flags)
{
	struct evring_armed *armed = *armed_slot(cmd);

	atomic_dec(&armed->file->command_count);
	compat_uring_done(cmd, result, issue_flags);
	kfree(armed);
}

/* In the submitting task, or in a worker of io_uring when that is gone. */
static void complete_in_task(COMPAT_URING_TASK_ARGS)
{
	struct io_uring_cmd *cmd = COMPAT_URING_TASK_CMD;

	command_finish(cmd, (*armed_slot(cmd))->result, COMPAT_URING_TASK_FLAGS);
}

/**
 * evring_uring_complete_later() - finish a claimed command in its task
 * @armed: of a command; the caller's last look at it
 *
 * Context: Any that may wake a task: hard interrupt, but not on PREEMPT_RT.
 */
void evring_uring_complete_later(struct evring_armed *armed)
{
	io_uring_cmd_complete_in_task(armed->cmd, complete_in_task);
}

/* The memory is shared with user space: each field is read once. */
static void read_request(struct io_uring_cmd *cmd, struct evring_arm *request)
{
	const struct evring_arm *shared = compat_uring_payload(cmd);

	request->cursor = READ_ONCE(shared->cursor);
	request->wake_us = READ_ONCE(shared->wake_us);
	request->wake_events = READ_ONCE(shared->wake_events);
	request->max_idle_ms = READ_ONCE(shared->max_idle_ms);
}

static struct evring_armed *armed_allocate(struct evring_file *file, struct io_uring_cmd *cmd)
{
	struct evring_armed *armed;

	if (atomic_inc_return(&file->command_count) > COMMANDS_PER_FILE_MAX) {
		atomic_dec(&file->command_count);
		return ERR_PTR(-EBUSY);
	}
	armed = kzalloc(sizeof(*armed), GFP_KERNEL_ACCOUNT);
	if (!armed) {
		atomic_dec(&file->command_count);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&armed->node);
	armed->file = file;
	armed->owner = current->files;
	armed->cmd = cmd;
	return armed;
}

static int command_arm(struct evring_file *file, struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct evring_doorbell *doorbell = &file->device->doorbell;
	struct evring_armed *armed;
	struct evring_arm request;
	int err;

	if (evring_device_dead(file->device))
		return -ENODEV;
	armed = armed_allocate(file, cmd);
	if (IS_ERR(armed))
		return PTR_ERR(armed);
	read_request(cmd, &request);
	*armed_slot(cmd) = armed;
	compat_uring_mark_cancelable(cmd, issue_flags);

	err = evring_arm_set(doorbell, armed, &request);
	if (err)
		command_finish(cmd, err, issue_flags);
	return -EIOCBQUEUED;
}

static int command_disarm(struct evring_file *file)
{
	struct evring_doorbell *doorbell = &file->device->doorbell;

	evring_arm_clear(doorbell, &file->poll_armed);
	evring_arm_cancel_file(doorbell, file, NULL);
	return 0;
}

/**
 * evring_uring_cmd() - ->uring_cmd of a device node
 * @cmd: the command
 * @issue_flags: of io_uring; a call for cancellation comes here too
 *
 * Context: Process context, may sleep.
 * Return: -EIOCBQUEUED when completed now or later, 0 or a negative errno.
 */
int evring_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct evring_file *file = cmd->file->private_data;

	if (compat_uring_is_cancel(issue_flags)) {
		evring_arm_cancel(&file->device->doorbell, *armed_slot(cmd));
		return 0;
	}
	switch (cmd->cmd_op) {
	case EVRING_URING_ARM:
		return command_arm(file, cmd, issue_flags);
	case EVRING_URING_DISARM:
		return command_disarm(file);
	default:
		return -ENOTTY;
	}
}

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

/**
 * struct evring_command - a command that parks
 * @sleeper: at the device's doorbell
 * @cmd: to be completed
 * @file: the descriptor that it came through
 * @owner: the table of descriptors it was submitted from; for ->flush
 * @node: in the file's commands
 */
struct evring_command {
	struct evring_sleeper sleeper;
	struct io_uring_cmd *cmd;
	struct evring_file *file;
	const void *owner;
	struct list_head node;
};

static struct evring_command **command_slot(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct evring_command *) > sizeof(cmd->pdu));
	return (struct evring_command **)cmd->pdu;
}

/*
 * The command is freed last: a cancel of io_uring may look at it until it is done.
 * The file is not touched after that: see complete_in_task().
 */
static void command_finish(struct io_uring_cmd *cmd, int result, unsigned int issue_flags)
{
	struct evring_command *command = *command_slot(cmd);
	struct evring_file *file = command->file;

	atomic_dec(&file->opening.user->command_count);
	spin_lock(&file->commands_lock);
	list_del(&command->node);
	file->command_count--;
	spin_unlock(&file->commands_lock);
	compat_uring_done(cmd, result, issue_flags);
	kfree(command);
}

/*
 * In the submitting task, which puts the file later by task work of its own; or in a worker
 * when that task is gone: there another worker may put the file, and with it this module's
 * last reference, while this returns. No reference of a command's own would outlast that.
 */
static void complete_in_task(COMPAT_URING_TASK_ARGS)
{
	struct io_uring_cmd *cmd = COMPAT_URING_TASK_CMD;

	command_finish(cmd, (*command_slot(cmd))->sleeper.result, COMPAT_URING_TASK_FLAGS);
}

/* It may be finished, and free, before this returns. */
static void command_wake(struct evring_sleeper *sleeper)
{
	struct evring_command *command = container_of(sleeper, struct evring_command, sleeper);

	io_uring_cmd_complete_in_task(command->cmd, complete_in_task);
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

/* Bounded for each descriptor and for each user; see openings.h. */
static int command_enlist(struct evring_command *command)
{
	struct evring_file *file = command->file;
	atomic_t *of_user = &file->opening.user->command_count;
	int err = -EBUSY;

	if (atomic_inc_return(of_user) > EVRING_COMMAND_COUNT_MAX) {
		atomic_dec(of_user);
		return err;
	}
	spin_lock(&file->commands_lock);
	if (file->command_count < COMMANDS_PER_FILE_MAX) {
		file->command_count++;
		list_add_tail(&command->node, &file->commands);
		err = 0;
	}
	spin_unlock(&file->commands_lock);
	if (err)
		atomic_dec(of_user);
	return err;
}

static struct evring_command *command_allocate(struct evring_file *file, struct io_uring_cmd *cmd)
{
	struct evring_command *command = kzalloc(sizeof(*command), GFP_KERNEL_ACCOUNT);
	int err;

	if (!command)
		return ERR_PTR(-ENOMEM);
	evring_sleeper_init(&command->sleeper, command_wake);
	command->cmd = cmd;
	command->file = file;
	command->owner = current->files;
	err = command_enlist(command);
	if (err) {
		kfree(command);
		return ERR_PTR(err);
	}
	return command;
}

static int command_arm(struct evring_file *file, struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct evring_command *command;
	struct evring_arm request;
	int err;

	if (evring_device_dead(file->device))
		return -ENODEV;
	read_request(cmd, &request);
	command = command_allocate(file, cmd);
	if (IS_ERR(command))
		return PTR_ERR(command);
	*command_slot(cmd) = command;
	compat_uring_mark_cancelable(cmd, issue_flags);

	err = evring_arm(&file->device->doorbell, &command->sleeper, &request);
	if (err)
		command_finish(cmd, err, issue_flags);
	return -EIOCBQUEUED;
}

/**
 * evring_uring_cancel() - end the commands of a descriptor with -ECANCELED
 * @file: whose commands
 * @owner: only those submitted from this table of descriptors; NULL for all
 *
 * Context: Process context.
 */
void evring_uring_cancel(struct evring_file *file, const void *owner)
{
	struct evring_command *command;

	spin_lock(&file->commands_lock);
	list_for_each_entry(command, &file->commands, node)
		if (!owner || command->owner == owner)
			evring_cancel(&file->device->doorbell, &command->sleeper);
	spin_unlock(&file->commands_lock);
}

static int command_disarm(struct evring_file *file)
{
	evring_disarm(&file->device->doorbell, &file->poll_sleeper);
	evring_uring_cancel(file, NULL);
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
		evring_cancel(&file->device->doorbell, &(*command_slot(cmd))->sleeper);
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

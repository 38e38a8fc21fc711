/* SPDX-License-Identifier: GPL-2.0-only */
/* The io_uring command interface as uring.c uses it, on every kernel. */
#ifndef _EVRING_COMPAT_URING_H
#define _EVRING_COMPAT_URING_H

#include "compat.h"

#if EVRING_HAVE_URING_HEADER
#include <linux/io_uring/cmd.h>
#else
#include <linux/io_uring.h>
#endif

static inline const void *compat_uring_payload(struct io_uring_cmd *cmd)
{
#if EVRING_HAVE_URING_SQE_TYPED
	return io_uring_sqe_cmd(cmd->sqe, u64[2]);
#elif EVRING_HAVE_URING_HEADER || EVRING_HAVE_URING_SQE
	return io_uring_sqe_cmd(cmd->sqe);
#else
	return cmd->cmd;
#endif
}

static inline void compat_uring_done(struct io_uring_cmd *cmd, int result, unsigned int issue_flags)
{
#if EVRING_HAVE_URING_DONE_THREE
	io_uring_cmd_done(cmd, result, issue_flags);
#else
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#endif
}

/* The head of a callback that io_uring runs in the submitting task. */
#if EVRING_HAVE_URING_TASK_TOKEN
#define COMPAT_URING_TASK_ARGS	struct io_tw_req tw_req, io_tw_token_t token
#define COMPAT_URING_TASK_CMD	io_uring_cmd_from_tw(tw_req)
#define COMPAT_URING_TASK_FLAGS	IO_URING_CMD_TASK_WORK_ISSUE_FLAGS
#else
#define COMPAT_URING_TASK_ARGS	struct io_uring_cmd *task_cmd, unsigned int task_flags
#define COMPAT_URING_TASK_CMD	task_cmd
#define COMPAT_URING_TASK_FLAGS	task_flags
#endif

static inline bool compat_uring_is_cancel(unsigned int issue_flags)
{
#if EVRING_HAVE_URING_CANCEL
	return issue_flags & IO_URING_F_CANCEL;
#else
	return false;
#endif
}

static inline void compat_uring_mark_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
#if EVRING_HAVE_URING_CANCEL
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
#endif
}

#endif /* _EVRING_COMPAT_URING_H */

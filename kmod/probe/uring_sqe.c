// SPDX-License-Identifier: GPL-2.0-only
/* linux/io_uring.h with cmd->sqe instead of cmd->cmd (6.6) */
#include <linux/io_uring.h>

const void *probe(struct io_uring_cmd *cmd);
const void *probe(struct io_uring_cmd *cmd)
{
	return io_uring_sqe_cmd(cmd->sqe);
}

// SPDX-License-Identifier: GPL-2.0-only
/* io_uring_sqe_cmd() takes the type as well */
#include <linux/io_uring/cmd.h>

const u64 *probe(struct io_uring_cmd *cmd);
const u64 *probe(struct io_uring_cmd *cmd)
{
	return io_uring_sqe_cmd(cmd->sqe, u64);
}

// SPDX-License-Identifier: GPL-2.0-only
/* linux/io_uring/cmd.h holds the command interface (6.8) */
#include <linux/io_uring/cmd.h>

unsigned int probe(struct io_uring_cmd *cmd);
unsigned int probe(struct io_uring_cmd *cmd)
{
	return cmd->cmd_op;
}

// SPDX-License-Identifier: GPL-2.0-only
/* io_uring_cmd_done() without a second result (6.18) */
#include <linux/io_uring/cmd.h>

void probe(struct io_uring_cmd *cmd, unsigned int issue_flags);
void probe(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	io_uring_cmd_done(cmd, 0, issue_flags);
}

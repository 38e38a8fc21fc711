/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structs that begin with their size, as user space knows it: a longer one is
 * fine when the rest is zero, a shorter one is not: there is no older version.
 */
#ifndef _EVRING_USERCOPY_H
#define _EVRING_USERCOPY_H

#include <linux/mm.h>
#include <linux/uaccess.h>

static inline int evring_copy_in(void *to, size_t to_bytes, const void __user *from)
{
	u32 from_bytes;

	if (get_user(from_bytes, (const u32 __user *)from))
		return -EFAULT;
	if (from_bytes < to_bytes)
		return -EINVAL;
	if (from_bytes > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, to_bytes, from, from_bytes);
}

/* On a fault @to is written in part. */
static inline int evring_get_words(u64 *to, const u64 __user *from, size_t word_count)
{
	size_t i;

	if (!user_read_access_begin(from, 8 * word_count))
		return -EFAULT;
	for (i = 0; i < word_count; i++)
		unsafe_get_user(to[i], from + i, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static inline int evring_copy_out(void __user *to, const void *from, size_t from_bytes)
{
	return copy_to_user(to, from, from_bytes) ? -EFAULT : 0;
}

#endif /* _EVRING_USERCOPY_H */

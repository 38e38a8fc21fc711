/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structs that begin with their size, as user space knows it, and grow at their end.
 * A longer one than ours is fine when the rest is zero. Of a shorter one, but not
 * shorter than its first version, the rest counts as zero, and answers are cut to it.
 */
#ifndef _EVRING_USERCOPY_H
#define _EVRING_USERCOPY_H

#include <linux/mm.h>
#include <linux/uaccess.h>

static inline int evring_copy_in(void *to, size_t to_bytes, size_t first_bytes,
				 const void __user *from)
{
	u32 from_bytes;
	int err;

	if (get_user(from_bytes, (const u32 __user *)from))
		return -EFAULT;
	if (from_bytes < first_bytes)
		return -EINVAL;
	if (from_bytes > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(to, to_bytes, from, from_bytes);
	if (!err)
		*(u32 *)to = from_bytes;	/* it may say something else by now */
	return err;
}

/* An ioctl's number without the size of its struct, which grows. */
#define EVRING_IOCTL(request)	((request) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))

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

/* @from begins with the size that the caller gave. */
static inline int evring_copy_out(void __user *to, const void *from, size_t from_bytes)
{
	size_t to_bytes = *(const u32 *)from;

	return copy_to_user(to, from, min(to_bytes, from_bytes)) ? -EFAULT : 0;
}

#endif /* _EVRING_USERCOPY_H */

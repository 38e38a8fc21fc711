// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap of a device node: the ring read-only, the consumer page of a registered
 * descriptor writable. Anything but exactly these is refused.
 */
#include <linux/mm.h>

#include "compat.h"
#include "file.h"

static int map_ring(struct evring_device *device, struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != device->ring.mapping_bytes)
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	return evring_ring_map(&device->ring, vma);
}

static int map_consumer(struct evring_file *file, struct vm_area_struct *vma)
{
	int err = -ENXIO;

	if (vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC || !(file->device->producer.gated))
		return -EPERM;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);

	mutex_lock(&file->cursor_lock);
	if (file->cursor)
		err = vm_insert_page(vma, vma->vm_start, file->cursor->page);
	mutex_unlock(&file->cursor_lock);
	return err;
}

/*
 * A shared mapping of a descriptor that is open for reading alone has VM_MAYSHARE
 * without VM_SHARED.
 */
int evring_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct evring_file *file = filp->private_data;

	if (evring_device_dead(file->device))
		return -ENODEV;
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_pgoff == EVRING_MMAP_RING >> PAGE_SHIFT)
		return map_ring(file->device, vma);
	if (vma->vm_pgoff == EVRING_MMAP_CONSUMER >> PAGE_SHIFT)
		return map_consumer(file, vma);
	return -EINVAL;
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm_flags_mod() instead of assignment to vma->vm_flags (6.3) */
#include <linux/mm.h>

void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma)
{
	vm_flags_mod(vma, VM_DONTEXPAND, VM_MAYWRITE);
}

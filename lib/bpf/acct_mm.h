/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_MM_H
#define VZ_BPF_ACCT_MM_H

/*
 * privvmpages, exactly: private memory that may be written, as the kernel has
 * it in each address space (data_vm, stack_vm), looked at after each system
 * call that changes it and before each growth is allowed.
 */

static __always_inline struct vz_acct_row *look_at(struct mm_struct *mm, int begin)
{
	__u64 key = (__u64)mm;
	struct owner *o = bpf_map_lookup_elem(&owners, &key);
	struct vz_acct_row *row;
	__s64 now, more;

	if (!o) {
		struct owner new = { .id = VZ_UBC_PRIVVMPAGES };

		if (!begin || !row_of_current(&new.group))
			return NULL;
		bpf_map_update_elem(&owners, &key, &new, BPF_NOEXIST);
		o = bpf_map_lookup_elem(&owners, &key);
		if (!o)
			return NULL;
	}
	row = bpf_map_lookup_elem(&rows, &o->group);
	if (!row)
		return NULL;
	now = BPF_CORE_READ(mm, data_vm) + BPF_CORE_READ(mm, stack_vm);
	/* Two threads may be here at once: what is added is what was taken. */
	more = now - __sync_lock_test_and_set(&o->n, now);
	if (more) {
		struct vz_acct_count *c = &row->c[VZ_UBC_PRIVVMPAGES];

		raise_max(c, __sync_fetch_and_add(&c->held, more) + more);
	}
	return row;
}

/* A stack that grows does so in a page fault, not in a system call. */
static __always_inline int in_page_fault(void)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return bpf_core_field_exists(regs->orig_ax) &&
	       (long)BPF_CORE_READ(regs, orig_ax) == -1;
}

/*
 * Who writes to a tmpfs is asked here, too, but changes no address space, which
 * would be locked for that. RWSEM_WRITER_LOCKED is its lowest bit.
 */
static __always_inline int is_changed(struct mm_struct *mm)
{
	return BPF_CORE_READ(mm, mmap_lock.count.counter) & 1;
}

SEC("fmod_ret/security_vm_enough_memory_mm")
int BPF_PROG(memory_asked, struct mm_struct *mm, long pages)
{
	struct vz_acct_row *row = mm ? look_at(mm, 1) : NULL;
	struct vz_acct_count *c;
	__s64 bound;

	if (!row)
		return 0;
	c = &row->c[VZ_UBC_PRIVVMPAGES];
	if (in_page_fault())
		bound = c->limit;
	else if (is_changed(mm))
		bound = c->barrier;
	else
		return 0;
	if (c->held + pages <= bound)
		return 0;
	refused(c);
	return -ENOMEM;
}

static __always_inline int look_at_current(int begin)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (mm)
		look_at(mm, begin);
	return 0;
}

/* lockedpages is each process's limit: what the kernel refuses by it is counted. */
SEC("fexit/do_mlock")
int BPF_PROG(memory_locked, unsigned long start, unsigned long len, unsigned long flags,
	     int ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct vz_acct_row *row;
	__u64 group;

	if (ret != -ENOMEM)
		return 0;
	row = row_of_current(&group);
	/* A place where nothing is mapped is refused, too. */
	if (row &&
	    (__s64)BPF_CORE_READ(task, mm, locked_vm) + (__s64)((len + 4095) >> 12) >
		    row->c[VZ_UBC_LOCKEDPAGES].limit)
		refused(&row->c[VZ_UBC_LOCKEDPAGES]);
	return 0;
}

SEC("fexit/vm_mmap_pgoff")
int BPF_PROG(mapped)
{
	return look_at_current(0);
}

/* Their names differ between machines: those that are not there are left out. */
#define AFTER(name, call)                                                                \
	SEC("fexit/" #call)                                                              \
	int BPF_PROG(name)                                                               \
	{                                                                                \
		return look_at_current(0);                                               \
	}
AFTER(unmapped, __x64_sys_munmap)
AFTER(unmapped_32, __ia32_sys_munmap)
AFTER(broken, __x64_sys_brk)
AFTER(broken_32, __ia32_sys_brk)
AFTER(remapped, __x64_sys_mremap)
AFTER(remapped_32, __ia32_sys_mremap)
AFTER(protected, __x64_sys_mprotect)
AFTER(protected_32, __ia32_sys_mprotect)

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct *task)
{
	return look_at_current(1);
}

#define CLONE_VM 0x100

SEC("tp_btf/task_newtask")
int BPF_PROG(forked, struct task_struct *task, unsigned long flags)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (mm && !(flags & CLONE_VM))
		look_at(mm, 1);
	return 0;
}

SEC("fentry/exit_mmap")
int BPF_PROG(memory_freed, struct mm_struct *mm)
{
	disown(mm);
	return 0;
}

#endif

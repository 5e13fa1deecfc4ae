/*
 * Makes new tasks and processes: clone(2), of which fork(2) and vfork(2) are special cases.
 */
#include "kernel/task/clone.h"
#include "kernel/arch/fpu.h"
#include "kernel/fs/errno.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/task/fd_work.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/space_work.h"
#include "kernel/task/wait_until.h"

/*
 * The flags that are accepted; those for namespaces are refused. CLONE_FS and CLONE_SIGHAND have an effect only
 * together with
 * CLONE_THREAD: without it the child gets copies.
 */
#define CLONE_KNOWN                                                                                      \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_PARENT | CLONE_THREAD | \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED |    \
	 CLONE_CHILD_SETTID | CLONE_EXIT_SIGNAL | CLONE_PTRACE | CLONE_UNTRACED)

static int check(const struct clone_arguments *a)
{
	uint64_t flags = a->flags;

	if (flags & CLONE_NAMESPACES)
		return refuse_feature(-EINVAL, "clone: namespaces", flags & CLONE_NAMESPACES);
	if (flags & ~(uint64_t)CLONE_KNOWN || (flags & CLONE_EXIT_SIGNAL) > SIGNALS)
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	/* With CLONE_PARENT the child gets the caller's parent, which the first process does not have. */
	if ((flags & CLONE_PARENT) && !process_current()->parent)
		return -EINVAL;
	if ((flags & CLONE_SETTLS) && a->tls >= USER_END)
		return -EPERM;
	if (!process_may_clone(flags & CLONE_THREAD))
		return -EAGAIN;
	return 0;
}

/* Give the child the parent's registers, with the result 0. */
static void copy_registers(struct task *child, const struct clone_arguments *a)
{
	struct trap_frame *frame = task_frame(child);

	*frame = *task_frame(task_current());
	frame->rax = 0;
	if (a->stack)
		frame->rsp = a->stack;
	fpu_save(child->fpu);
	child->fs_base = a->flags & CLONE_SETTLS ? a->tls : task_get_fs_base();
	child->gs_base = task_get_gs_base();
}

/*
 * Make or share the address space for the child's process; *ret is a reference. Call before the process is made: other
 * tasks may run during a long copy, and must not find a process without memory. Returns 0, -ENOMEM, -EINTR.
 */
static int make_space(uint64_t flags, struct user_space **ret)
{
	struct user_space *space = process_current()->space;

	if (!(flags & CLONE_VM))
		return space_fork(space, task_frame(task_current())->rsp, ret);
	user_space_get(space);
	*ret = space;
	return 0;
}

/*
 * Copy or share the descriptor table for the child's process; *ret is a reference. Like make_space(), call this before
 * the process is made.
 */
static int make_files(uint64_t flags, struct fd_table **ret)
{
	struct fd_table *fds = process_current()->fds;

	if (!(flags & CLONE_FILES))
		return fd_work_copy(fds, ret);
	*ret = fd_table_get(fds);
	return 0;
}

/*
 * The address space and the descriptor table of a new process, which are made before the process itself. Both pointers
 * are NULL for a new thread of the current process.
 */
struct parts {
	struct user_space *space;
	struct fd_table *fds;
};

static void (*begin_hook)(struct task *task, const struct task *from); /* fixed after boot */

void process_set_begin_hook(void (*hook)(struct task *task, const struct task *from))
{
	begin_hook = hook;
}

static void put_parts(const struct parts *parts)
{
	if (parts->fds) {
		if (parts->fds->refs == 1)
			fd_work_close(parts->fds, 0, UINT32_MAX, FD_ALL);
		fd_table_put(parts->fds);
	}
	if (parts->space) {
		space_shed(parts->space);
		user_space_put(parts->space);
	}
}

/*
 * Make a process for the new task; the process takes over the caller's references to the parts. Returns 0, or an error
 * with everything undone; then the references are still the caller's.
 */
static int make_process(struct task *child, uint64_t flags, const struct parts *parts)
{
	struct process *maker = process_current(), *parent = maker, *process;
	int error;

	if (flags & CLONE_PARENT)
		parent = maker->parent;
	error = process_create(child->tid, parent, maker, &process);
	if (error)
		return error;
	process->space = parts->space;
	process->fds = parts->fds;
	/* With CLONE_PARENT the parent gets the same signal for the child as for the calling process (clone(2)). */
	process->exit_signal = flags & CLONE_PARENT ? maker->exit_signal : (int)(flags & CLONE_EXIT_SIGNAL);
	process_add_task(process, child);
	return 0;
}

/* Wait until the child of vfork(2), which uses this task's memory, calls execve(2) or ends. */
static void wait_for_vfork(struct task *task)
{
	(void)WAIT_UNTIL_KILLABLE(!task->vfork_child);
	/* A parent that is killed stops waiting, and the child must not wake it later. */
	if (task->vfork_child)
		task->vfork_child->vfork_parent = NULL;
	task->vfork_child = NULL;
}

void process_end_vfork(struct process *process)
{
	struct task *parent = process->vfork_parent;

	if (!parent)
		return;
	process->vfork_parent = NULL;
	parent->vfork_child = NULL;
	task_wake(parent);
}

/*
 * Write the child's tid to the address of CLONE_PARENT_SETTID. When child and parent share their memory, clone_into()
 * calls this before the child starts, since the child may read its own tid there. Otherwise it calls this after the
 * copy of the memory, so that the child does not see the tid; the child exists by then, and cannot be undone. Returns
 * OK or ERR_NO_MEMORY: as on Linux, a bad address is no error.
 */
static enum status tell_parent(const struct clone_arguments *a, int tid)
{
	return put_user_u32(user_pointer(a->parent_tid), (uint32_t)tid) == ERR_NO_MEMORY ? ERR_NO_MEMORY : OK;
}

/*
 * Make a task: in a new process with the parts, or, if parts->space is NULL, in the current process. On error the
 * references to the parts stay the caller's.
 */
static int64_t clone_into(const struct clone_arguments *a, const struct parts *parts)
{
	struct task *parent = task_current(), *child;
	enum ptrace_event event;
	bool tells = a->flags & CLONE_PARENT_SETTID, shares = a->flags & CLONE_VM, vforks;
	int error, tid;

	error = task_create(parent->name, true, &child);
	if (error)
		return error;
	error = rights_begin(child, rights_current());
	if (!error && tells && shares && tell_parent(a, child->tid) != OK)
		error = -ERESTART_MEMORY;
	if (error)
		goto destroy;
	child->sched = sched_inherited(&parent->sched);
	child->may = parent->may;
	child->rank = sched_rank(&child->sched);
	child->signals.blocked = parent->signals.blocked;
	child->personality = parent->personality;
	child->memory_policy = parent->memory_policy;
	child->slack_ns = child->slack_default_ns = parent->slack_ns;
	child->io_priority = parent->io_priority;
	copy_registers(child, a);
	error = ptrace_take_child(child, a->flags, &event);
	if (error)
		goto destroy;
	if (!parts->space) {
		/*
		 * If another thread's execve(2) wants this thread to end, the new thread must end, too: execve(2) has
		 * marked only the threads that existed then (process_end_others()).
		 */
		child->end_wanted = parent->end_wanted;
		process_add_task(process_current(), child);
	} else {
		error = make_process(child, a->flags, parts);
		if (error)
			goto drop;
	}
	if (begin_hook)
		begin_hook(child, parent);
	tid = child->tid;
	if (a->made)
		*a->made = process_get(child->process);
	if (a->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = a->child_tid;
	if (a->flags & CLONE_CHILD_SETTID)
		child->set_child_tid = a->child_tid;
	vforks = a->flags & CLONE_VFORK && !(a->flags & CLONE_THREAD);
	if (vforks) {
		parent->vfork_child = child->process;
		child->process->vfork_parent = parent;
	}
	/*
	 * The process may have got a signal before it had a task, from a terminal's interrupt handler:
	 * signal_recompute() sets child->signals.wanted for that.
	 */
	child->signals.stop_wanted |= child->process->stopped;
	signal_recompute(child);
	ptrace_stop_child(child);
	task_start_user(child);
	if (event)
		ptrace_event(event, (uint64_t)tid);
	if (vforks) {
		wait_for_vfork(parent);
		ptrace_event(PTRACE_EVENT_VFORK_DONE, (uint64_t)tid);
	}
	while (tells && !shares && tell_parent(a, tid) == ERR_NO_MEMORY && task_find_memory())
		;
	return tid;

drop:
	ptrace_drop_child(child);
destroy:
	task_destroy(child);
	return error;
}

int64_t process_clone(const struct clone_arguments *a)
{
	struct parts parts = { NULL, NULL };
	int64_t tid = check(a);

	if (!tid && !(a->flags & CLONE_THREAD))
		tid = make_space(a->flags, &parts.space);
	if (!tid && !(a->flags & CLONE_THREAD))
		tid = make_files(a->flags, &parts.fds);
	if (!tid)
		tid = clone_into(a, &parts);
	if (tid < 0)
		put_parts(&parts);
	return tid;
}

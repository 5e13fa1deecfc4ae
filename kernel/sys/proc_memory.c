/*
 * Makes files of /proc/PID that come from the process's memory: cmdline, environ, auxv; sums of its memory for stat and
 * status; and mounts and mountinfo. proc_maps.c makes maps, proc_mem.c serves mem.
 */
#include "kernel/fs/mount.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sys/proc.h"
#include "kernel/task/rights.h"

struct proc_memory proc_measure(const struct process *process)
{
	/* No reference to the process's user memory is needed, since nothing below lets another task run. */
	const struct user_space *space = process->space;
	uint64_t own;

	if (!space)
		return (struct proc_memory){ 0 };
	own = (align_up(space->code_end, PAGE_SIZE) - align_down(space->code_start, PAGE_SIZE)) / PAGE_SIZE;
	/* The process may have unmapped some of its program's code: then code_pages may be less than `own`. */
	return (struct proc_memory){ .pages = space->mapped_pages,
				     .resident = space->resident_pages,
				     .locked = space->locked_pages,
				     .code = own,
				     .data = space->data_pages,
				     .stack = space->stack_pages,
				     .library = space->code_pages > own ? space->code_pages - own : 0,
				     .code_start = space->code_start,
				     .code_end = space->code_end,
				     .data_start = space->data_start,
				     .data_end = space->data_end };
}

/*
 * Add the bytes [start, end) of the process's memory, which are strings with their NULs; fewer when the process has
 * unmapped some. Returns 0 or -ENOMEM.
 */
static int add_memory(const struct process *process, vaddr_t start, vaddr_t end, struct text *ret)
{
	HELD_SPACE struct user_space *space = process_get_space(process);
	context_token_t token;
	struct user_io io;
	char piece[256];

	if (!space || end <= start)
		return 0;
	user_io_init(&io, space, start, end - start);
	while (io.left && !ret->lost) {
		size_t moved = 0;
		enum status status;

		token = kernel_context_enter();
		status = user_io_get_bulk(&io, piece, io.left < sizeof(piece) ? io.left : sizeof(piece), &moved);
		kernel_context_leave(token);
		text_add_bytes(ret, piece, moved);
		/* If memory runs out, fail: the reader must not take a part of the strings for all of them. */
		if (status == ERR_NO_MEMORY)
			return -ENOMEM;
		if (status != OK)
			break;
	}
	return 0;
}

int proc_make_cmdline(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	return error ? error : add_memory(subject.process, subject.process->args_start, subject.process->args_end, ret);
}

int proc_make_environ(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	/*
	 * After the file was opened the process may have executed a program that the reader may not look into: show
	 * nothing.
	 */
	if (error || !rights_may_look(subject.process))
		return error;
	return add_memory(subject.process, subject.process->env_start, subject.process->env_end, ret);
}

int proc_make_auxv(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (error || !rights_may_look(subject.process))
		return error;
	return add_memory(subject.process, subject.process->aux_start, subject.process->aux_end, ret);
}

static int more_mounts(enum mount_listing what, struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);
	bool more;

	if (error)
		return error;
	if (!subject.process->paths.root.node)
		return -EINVAL;
	more = mount_list_some(what, &subject.process->paths.root, place, enough, ret);
	return more && !ret->size ? -EAGAIN : 0;
}

int proc_more_mounts(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	return more_mounts(MOUNT_LINES, node, place, enough, ret);
}

int proc_more_mountinfo(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	return more_mounts(MOUNT_INFO_LINES, node, place, enough, ret);
}

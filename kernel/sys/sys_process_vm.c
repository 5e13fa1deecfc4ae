/*
 * process_vm_readv(2) and process_vm_writev(2): copies between the memory of two processes.
 */
#include "kernel/mm/user/user_foreign.h"
#include "kernel/sys/user_args.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/give_way.h"
#include "kernel/task/space_work.h"

#define STEP 32768 /* most bytes moved in one step; other tasks can run between steps */

/* Move all bytes, as far as both sides have them. Returns how many; or, if none, -EFAULT, -ERESTART_MEMORY. */
static int64_t move_all(struct user_space *space, const struct user_pieces *remote, struct user_io *io,
			user_foreign_fn *move)
{
	enum status status = OK;
	uint64_t total = 0;

	for (size_t i = 0; status == OK && io->left && i < remote->count; i++) {
		const struct user_iovec *piece = &remote->pieces[i];
		uint64_t done = 0;

		while (status == OK && io->left && done < piece->size) {
			uint64_t bytes = piece->size - done < STEP ? piece->size - done : STEP;
			size_t moved;

			status = move(space, piece->base + done, io, bytes < io->left ? bytes : io->left, &moved);
			done += moved;
			total += moved;
			if (status == OK && task_give_way())
				status = ERR_FAULT;
		}
		if (!piece->size && task_give_way())
			status = ERR_FAULT;
	}
	return total || status == OK ? (int64_t)total : copy_errno(status);
}

/* Get a reference to the memory of the process with the task `pid`. Returns 0, -ESRCH, -EPERM. */
static int space_of(int pid, struct user_space **ret)
{
	HELD_TASK struct task *task = task_find(pid);

	if (!task || !task->process)
		return -ESRCH;
	if (!rights_may_trace(task->process))
		return -EPERM;
	*ret = process_get_space(task->process);
	return *ret ? 0 : -ESRCH;
}

static int64_t move_pieces(uint64_t pid, const uint64_t local[2], const uint64_t remote[2], uint64_t flags,
			   user_foreign_fn *move)
{
	struct user_space *space;
	struct user_pieces pieces, there;
	int64_t result;

	if (flags || local[1] > PIECES_MAX)
		return -EINVAL;
	result = user_pieces_get(&pieces, local[0], (uint32_t)local[1]);
	if (result)
		return result;
	result = user_pieces_load(&there, remote[0], remote[1]);
	if (!result) {
		result = pieces.io.left ? space_of((int)pid, &space) : 0;
		if (!result && pieces.io.left) {
			result = move_all(space, &there, &pieces.io, move);
			/* The process may have ended meanwhile: then its memory is freed here, in pieces. */
			space_shed(space);
			user_space_put(space);
		}
		user_pieces_put(&there);
	}
	user_pieces_put(&pieces);
	return result;
}

SYSCALL_6(process_vm_readv, pid, local, local_count, remote, remote_count, flags)
{
	return move_pieces(pid, (uint64_t[]){ local, local_count }, (uint64_t[]){ remote, remote_count }, flags,
			   user_foreign_get);
}

SYSCALL_6(process_vm_writev, pid, local, local_count, remote, remote_count, flags)
{
	return move_pieces(pid, (uint64_t[]){ local, local_count }, (uint64_t[]){ remote, remote_count }, flags,
			   user_foreign_put);
}

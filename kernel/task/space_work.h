/*
 * Long work on a process's address space, done in pieces (kernel/mm/user/user_piece.h), between which other tasks run.
 * Meanwhile space->in_pieces is set: other tasks of the process may use the memory, but wait before they change its
 * areas.
 */
#pragma once

#include "kernel/mm/user/user_piece.h"

/* Make user_pause() of kernel/mm/user let other tasks run. Call once. */
void space_work_init(void);

/* Do space_wait() for a space with in_pieces set. For space_wait() only. */
MUST_CHECK int space_wait_slowly(struct user_space *space);

/*
 * Wait until no task works on the space in pieces: its areas may be changed then. Returns 0, or -EINTR: the task must
 * end.
 */
MUST_CHECK static inline int space_wait(struct user_space *space)
{
	return unlikely(space->in_pieces) ? space_wait_slowly(space) : 0;
}

/*
 * space_work_begin() waits as space_wait() does, and begins work in pieces, which space_work_end() ends. Returns 0; or
 * -EINTR, with nothing begun, when the task must end.
 */
MUST_CHECK int space_work_begin(struct user_space *space);
void space_work_end(struct user_space *space);

/*
 * Call `step` for each piece of [start, end), in rising order, and let other tasks run in between. Call after
 * space_work_begin(). Returns OK; or, with the later pieces not done, the first error of a step, or ERR_NOT_FOUND when
 * the task must end.
 */
typedef enum status space_step_fn(struct user_space *space, vaddr_t start, uint64_t size, void *ctx);
enum status space_work(struct user_space *space, vaddr_t start, vaddr_t end, space_step_fn *step, void *ctx);

/*
 * Unmap all of a space in pieces, so that a user_space_put() afterwards takes little time. Does nothing unless the
 * caller has the only reference, and the space is large or is the last one that maps a large object.
 */
void space_shed(struct user_space *space);

/*
 * Copy the space as user_space_fork() does; both sides get their own copy of the page at `stack` at once
 * (user_fork_part), unless the space is large. Returns 0, or -ENOMEM, -EINTR.
 */
MUST_CHECK int space_fork(struct user_space *space, vaddr_t stack, struct user_space **ret);

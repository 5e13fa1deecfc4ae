/*
 * Work on a program's memory that takes long: done piece by piece (kernel/mm/user/user_piece.h), between which other tasks
 * run. Other tasks of the program may touch its memory meanwhile; those that change areas wait.
 */
#pragma once

#include "kernel/mm/user/user_piece.h"

/* Let long work of kernel/mm/user give way to other tasks. Called once. */
void space_work_init(void);

/* Return 0 once nobody works on the space in pieces, so that its areas can be changed at once; -EINTR: the task is to end. */
MUST_CHECK int space_wait_slowly(struct user_space *space);

MUST_CHECK static inline int space_wait(struct user_space *space)
{
	return unlikely(space->in_pieces) ? space_wait_slowly(space) : 0;
}

/* Begin work in pieces, once nobody else does any, or end it. -EINTR: the task is to end; nothing has begun. */
MUST_CHECK int space_work_begin(struct user_space *space);
void space_work_end(struct user_space *space);

/*
 * Do `step` for each piece of [start, end), in rising order, and let others run between two. The caller has begun the work.
 * Stops at the first status that is not OK, and returns it; or OK. A task that is to end stops too, with ERR_NOT_FOUND.
 */
typedef enum status space_step_fn(struct user_space *space, vaddr_t start, uint64_t size, void *ctx);
enum status space_work(struct user_space *space, vaddr_t start, vaddr_t end, space_step_fn *step, void *ctx);

/* Unmap all that the space has, when that takes long and nobody else has the space: what is left can be put at once. */
void space_shed(struct user_space *space);

/* Copy the space as user_space_fork() does. Returns 0, or -ENOMEM, -EINTR. */
MUST_CHECK int space_fork(struct user_space *space, struct user_space **ret);

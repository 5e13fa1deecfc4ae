/*
 * Long work on a space, cut into pieces. A piece has so few areas and mapped pages that each function that works on one
 * takes less than a third of a millisecond. Between two pieces the task that does the work lets other tasks run.
 * Meanwhile the space's field in_pieces says that it is being worked on, and calls that change its areas wait
 * (kernel/task/space_work.h).
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Return whether work on the whole space is so long that it must be done in pieces. The limits are cheap to compare and
 * on the safe side: work on a space below all of them takes a few pieces at most (PIECE_WORK in user_piece.c), which is
 * still less than a millisecond.
 */
static inline bool user_is_long(const struct user_space *space)
{
	return space->resident_pages > 2048 || space->areas.count > 512 || space->context.space.tables > 128;
}

/*
 * Return where the first piece of [start, end) ends: above `start`, and at `end` at the latest. Both must be
 * page-aligned. A piece ends where a leaf ends.
 */
vaddr_t user_piece(const struct user_space *space, vaddr_t start, vaddr_t end);

/*
 * Return where the next piece for user_fork_piece() ends, as user_piece() does for [start, USER_END), but without the
 * work for pages that a fork does not look at, since the child gets them from elsewhere or not at all.
 */
vaddr_t user_fork_next(const struct user_space *space, vaddr_t start);

/* Return whether no area of [va, va + size) is shared or has an object. Holes do not count. */
bool user_is_private(const struct user_space *space, vaddr_t va, uint64_t size);

/*
 * Check the arguments of user_remap(), but not memory and limits. Returns OK, or the error that user_remap() would
 * return: ERR_RANGE, ERR_FAULT, ERR_NO_MEMORY (the new size is beyond the address space).
 */
MUST_CHECK enum status user_remap_check(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size,
					unsigned flags, vaddr_t to);

/* Have user_pause() call `pause`, which lets other tasks run. Call once. */
void user_set_pause(void (*pause)(void));

/*
 * Let other tasks run in the middle of work, while space->in_pieces is set. Call in the kernel context, with the token
 * of kernel_context_enter(): this leaves the context, and enters it again with a new *token. Does nothing when
 * user_set_pause() was not called.
 */
void user_pause(context_token_t *token);

/*
 * Begin to copy a space as user_space_fork() does, piece by piece: *ret is a space without areas, with one reference.
 * Then user_fork_piece() copies what [start, end) has: pieces from user_fork_next(), in rising order, up to USER_SIZE.
 * Both return OK or ERR_NO_MEMORY; after an error of user_fork_piece() the caller drops its reference to the child.
 */
MUST_CHECK enum status user_fork_begin(const struct user_space *space, struct user_space **ret);
MUST_CHECK enum status user_fork_piece(struct user_space *space, struct user_space *child, vaddr_t start, vaddr_t end);

/*
 * After a fork give the child a frame of its own for the page at `va`, and its parent the right to write back: for the
 * stack's top, which both write to at once, so that neither has a fault there. Does nothing if the page is not mapped,
 * or may not be written to, or is shared memory, or a part of a 2 MiB frame, or if there is no frame.
 */
void user_fork_part(struct user_space *space, struct user_space *child, vaddr_t va);

/*
 * The pages that user_populate_piece() has brought into private areas so far, in rising order. At most USER_TAKEN_RUNS
 * runs of pages are recorded; pages beyond these are never given back. All zeros: no pages. Guard: only the calling
 * task uses it.
 */
#define USER_TAKEN_RUNS 32
struct user_taken {
	size_t count;
	struct {
		vaddr_t start, end;
	} runs[USER_TAKEN_RUNS];
};

/*
 * Touch the pages of [*va, end) as user_populate_all() does, but stop after one piece. *va becomes where the next piece
 * begins; on error, the address of the page that could not be fetched. Returns what user_fault returns.
 */
MUST_CHECK enum status user_populate_piece(struct user_space *space, vaddr_t *va, vaddr_t end, enum user_rights access,
					   struct user_taken *taken);

/* Unmap a piece of the pages that `taken` records. Returns whether there is more. */
bool user_give_back(struct user_space *space, struct user_taken *taken);

/*
 * Moves the bytes of read and write calls between user memory and the kernel: through uaccess, or frame by frame in the
 * kernel context.
 */
#include "kernel/mm/user/user_io.h"

#include "kernel/arch/cpu_user.h"
#include "kernel/lib/string.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_pages.h"
#include "paging/leaves.h"

void user_io_init(struct user_io *io, struct user_space *space, uint64_t base, uint64_t size)
{
	io->single = (struct user_iovec){ base, size };
	io->space = space;
	io->piece = &io->single;
	io->pieces = 1;
	io->at = 0;
	io->left = size;
}

enum status user_io_init_vector(struct user_io *io, struct user_space *space, const struct user_iovec *pieces,
				size_t count)
{
	uint64_t left = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].size > INT64_MAX - left)
			return ERR_RANGE;
		left += pieces[i].size;
	}
	*io = (struct user_io){ .space = space, .piece = pieces, .pieces = count, .left = left };
	return OK;
}

void user_io_init_kernel(struct user_io *io, void *buffer, size_t size)
{
	user_io_init(io, NULL, (uint64_t)(uintptr_t)buffer, size);
}

/* Consecutive bytes within one piece of the caller's memory. */
struct row {
	uint64_t base;
	size_t size;
};

/* Get the next consecutive bytes, `most` at the most. Returns false when none are left. */
static inline __attribute__((always_inline)) bool next_row(struct user_io *io, size_t most, struct row *ret)
{
	while (io->pieces && io->at == io->piece->size) {
		io->piece++;
		io->pieces--;
		io->at = 0;
	}
	if (!io->pieces)
		return false;
	ret->base = io->piece->base + io->at;
	ret->size = io->piece->size - io->at;
	if (ret->size > most)
		ret->size = most;
	return true;
}

static void advance(struct user_io *io, size_t bytes)
{
	io->at += bytes;
	io->left -= bytes;
}

void user_io_skip(struct user_io *io, size_t bytes)
{
	struct row row;

	for (; bytes && next_row(io, bytes, &row); bytes -= row.size)
		advance(io, row.size);
}

/* ---- small moves, in the user context ---- */

/* Return how many of the row's bytes lie in the range of user addresses. */
static size_t within_users(struct row row)
{
	if (row.base >= USER_END)
		return 0;
	return row.size < USER_END - row.base ? row.size : USER_END - row.base;
}

enum status user_io_get(struct user_io *io, void *to, size_t bytes, size_t *ret_moved)
{
	enum status status = OK;
	struct row row;
	size_t done = 0, moved, undone;

	while (status == OK && done < bytes && next_row(io, bytes - done, &row)) {
		if (io->space) {
			moved = within_users(row);
			undone = user_copy((char *)to + done, (__force const void *)user_pointer(row.base), moved);
			moved -= undone;
			if (moved < row.size)
				status = undone ? copy_failure() : ERR_FAULT;
		} else {
			moved = row.size;
			memcpy((char *)to + done, (const void *)row.base, moved);
		}
		advance(io, moved);
		done += moved;
	}
	*ret_moved = done;
	return status;
}

enum status user_io_put(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved)
{
	enum status status = OK;
	struct row row;
	size_t done = 0, moved, undone;

	while (status == OK && done < bytes && next_row(io, bytes - done, &row)) {
		if (io->space) {
			moved = within_users(row);
			undone = user_copy((__force void *)user_pointer(row.base), (const char *)from + done, moved);
			moved -= undone;
			if (moved < row.size)
				status = undone ? copy_failure() : ERR_FAULT;
		} else {
			moved = row.size;
			memcpy((void *)row.base, (const char *)from + done, moved);
		}
		advance(io, moved);
		done += moved;
	}
	*ret_moved = done;
	return status;
}

enum status user_io_zero(struct user_io *io, size_t bytes, size_t *ret_moved)
{
	enum status status = OK;
	struct row row;
	size_t done = 0, moved, undone;

	while (status == OK && done < bytes && next_row(io, bytes - done, &row)) {
		if (io->space) {
			moved = within_users(row);
			undone = user_clear((__force void *)user_pointer(row.base), moved);
			moved -= undone;
			if (moved < row.size)
				status = undone ? copy_failure() : ERR_FAULT;
		} else {
			moved = row.size;
			memset((void *)row.base, 0, moved);
		}
		advance(io, moved);
		done += moved;
	}
	*ret_moved = done;
	return status;
}

/* ---- bulk moves, in the kernel context ---- */

/*
 * Return the direct-map pointer to the user's byte at `va`, valid up to the page's end; NULL: copy_failure() says why
 * not. `run` caches the leaves found by the last call, up to `last`; for the first call it has count 0.
 */
static inline char *reach(struct user_space *space, struct space_run *run, vaddr_t va, vaddr_t last,
			  enum user_rights access)
{
	/*
	 * The first attempt may find the page absent, or read-only when it is to be written: then serve the fault and
	 * look again.
	 */
	for (int attempt = 0; va < USER_END && attempt < 2; attempt++) {
		bool known = va >= run->va && va < space_run_end(run);

		if (!known)
			known = space_run(&space->context.space, align_down(va, PAGE_SIZE),
					  last < USER_END ? last : USER_END - 1, run) &&
				va >= run->va;
		if (known) {
			uint64_t offset = va - run->va;
			size_t index = run->level == 1 ? offset / PAGE_SIZE : 0;
			pte_t e = pte_read(&run->at[index]);

			if (pte_present(e) && (access == USER_READ || e.raw & PTE_WRITABLE))
				return (char *)user_frame_ptr(space, pte_paddr(e, run->level)) + offset -
				       index * PAGE_SIZE;
		}
		/* user_fault() may change the page tables: look them up again. */
		run->count = 0;
		if (copy_fault(space, va, access) != OK)
			return NULL;
	}
	/* The address is not a user's, or the fault was served and the page is still not mapped. */
	copy_fault_refused();
	return NULL;
}

/* The kernel's side of a move: one buffer, or an array of frames, or zeros without any memory. */
struct bulk {
	char *buffer;          /* the buffer; with `frames`: the direct-map pointer of address 0; NULL: zeros */
	const paddr_t *frames; /* NULL: one buffer, or zeros */
	size_t at;             /* offset of the next byte */
};

/*
 * Return where the kernel's next bytes are, and lower *part to how many of them are consecutive there. NULL: zeros.
 */
static inline char *bulk_next(const struct bulk *bulk, size_t *part)
{
	size_t offset = bulk->at % PAGE_SIZE;

	if (!bulk->buffer)
		return NULL;
	if (!bulk->frames)
		return bulk->buffer + bulk->at;
	if (*part > PAGE_SIZE - offset)
		*part = PAGE_SIZE - offset;
	return bulk->buffer + bulk->frames[bulk->at / PAGE_SIZE].raw + offset;
}

/* Move bytes within one page of the user's. */
static inline void move_page(char *user, struct bulk *bulk, size_t bytes, enum user_rights access)
{
	for (size_t part; bytes; bytes -= part) {
		char *kernel;

		part = bytes;
		kernel = bulk_next(bulk, &part);
		if (!kernel)
			cpu_zero_bulk(user, part);
		else if (access == USER_WRITE)
			cpu_copy_bulk(user, kernel, part);
		else
			cpu_copy_bulk(kernel, user, part);
		bulk->at += part;
		user += part;
	}
}

/* Move bytes, for each of the functions below. Inlined into each for speed: pipes and files spend their time here. */
static inline __attribute__((always_inline)) enum status move_bulk(struct user_io *io, struct bulk bulk, size_t bytes,
								   size_t *ret_moved, enum user_rights access)
{
	struct space_run run = { .count = 0, .level = 1 };
	enum status status = OK;
	struct row row;
	size_t done = 0;

	ASSERT_KERNEL_CONTEXT();
	while (status == OK && done < bytes && next_row(io, bytes - done, &row)) {
		uint64_t at = row.base, end = row.base + row.size;

		while (at != end) {
			uint64_t to_end = PAGE_SIZE - at % PAGE_SIZE;
			char *user = io->space ? reach(io->space, &run, at, end - 1, access) : (char *)(uintptr_t)at;

			if (!user) {
				status = copy_failure();
				break;
			}
			if (to_end > end - at)
				to_end = end - at;
			move_page(user, &bulk, to_end, access);
			at += to_end;
		}
		advance(io, at - row.base);
		done += at - row.base;
	}
	*ret_moved = done;
	return status;
}

enum status user_io_get_bulk(struct user_io *io, void *to, size_t bytes, size_t *ret_moved)
{
	return move_bulk(io, (struct bulk){ .buffer = to }, bytes, ret_moved, USER_READ);
}

enum status user_io_put_bulk(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved)
{
	/* The cast is harmless, as the buffer is only read: USER_WRITE is the access to the user's memory. */
	return move_bulk(io, (struct bulk){ .buffer = (char *)(uintptr_t)from }, bytes, ret_moved, USER_WRITE);
}

enum status user_io_get_frames(struct user_io *io, const struct user_frames *to, size_t bytes, size_t *ret_moved)
{
	const struct bulk bulk = { to->direct, to->frames, to->start };

	return move_bulk(io, bulk, bytes, ret_moved, USER_READ);
}

enum status user_io_put_frames(struct user_io *io, const struct user_frames *from, size_t bytes, size_t *ret_moved)
{
	const struct bulk bulk = { from->direct, from->frames, from->start };

	return move_bulk(io, bulk, bytes, ret_moved, USER_WRITE);
}

enum status user_io_zero_bulk(struct user_io *io, size_t bytes, size_t *ret_moved)
{
	return move_bulk(io, (struct bulk){ .buffer = NULL }, bytes, ret_moved, USER_WRITE);
}

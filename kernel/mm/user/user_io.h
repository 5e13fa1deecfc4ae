/*
 * Where the bytes of a read or a write call go: a list of pieces of user memory, or of the kernel's, and how far the call
 * has come. Files and devices take bytes from it and put bytes to it and need not know which of both it is.
 *
 * The small calls move bytes between it and a buffer that every context has (heap, stack, image), through uaccess: in the
 * user context. The bulk calls move bytes between it and frames, by a direct-map pointer: they walk the user's tables,
 * fetch pages that are not there, and copy between two direct-map addresses; in the kernel context, which the caller
 * has entered (its pointer is worth nothing elsewhere).
 *
 * Every call moves as many bytes as it can, advances by them, and says how many in *ret_moved, on error too: OK means all
 * that were asked for, or all that were left; ERR_FAULT: the next byte is not the user's to read or write; ERR_NO_MEMORY:
 * it is, and there is no frame for it (kernel/mm/user/copy_fault.h).
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* As in readv(2) and writev(2): Linux's struct iovec. */
struct user_iovec {
	uint64_t base; /* a user's pointer; with no space an address of the kernel's */
	uint64_t size;
};

struct user_io {
	struct user_space *space;       /* NULL: the kernel's own memory */
	const struct user_iovec *piece; /* the one that is next; the array is the kernel's */
	size_t pieces;                  /* from there on, that one included */
	uint64_t at;                    /* bytes of it that are done */
	uint64_t left;                  /* bytes of all pieces that are not done */
	struct user_iovec single;       /* the array of user_io_init */
};

/* One piece at `base`. `io` must stay where it is. */
void user_io_init(struct user_io *io, struct user_space *space, uint64_t base, uint64_t size);

/*
 * `count` pieces, an array that is kept. Returns ERR_RANGE: together they are 2^63 bytes or more.
 */
MUST_CHECK enum status user_io_init_vector(struct user_io *io, struct user_space *space,
					   const struct user_iovec *pieces, size_t count);

/* For the kernel itself, on memory that every context has. */
void user_io_init_kernel(struct user_io *io, void *buffer, size_t size);

/* From it, for write(2), and to it, for read(2). In the user context of io->space. */
MUST_CHECK enum status user_io_get(struct user_io *io, void *to, size_t bytes, size_t *ret_moved);
MUST_CHECK enum status user_io_put(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved);

/* All of an object. ERR_FAULT also when there is less room, or less to come, than the object takes. */
MUST_CHECK static inline enum status user_io_get_all(struct user_io *io, void *to, size_t size)
{
	size_t moved;
	enum status status = user_io_get(io, to, size, &moved);

	return status == OK && moved < size ? ERR_FAULT : status;
}

MUST_CHECK static inline enum status user_io_put_all(struct user_io *io, const void *from, size_t size)
{
	size_t moved;
	enum status status = user_io_put(io, from, size, &moved);

	return status == OK && moved < size ? ERR_FAULT : status;
}

/* Move on by bytes that another copy of the same user_io has moved. They are there. */
void user_io_skip(struct user_io *io, size_t bytes);

/* As user_io_get and user_io_put, `to` and `from` being direct-map pointers. In the kernel context. */
MUST_CHECK enum status user_io_get_bulk(struct user_io *io, void *to, size_t bytes, size_t *ret_moved);
MUST_CHECK enum status user_io_put_bulk(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved);

/* Bytes that lie in frames: from byte `start` on of the page that frames[0] is, and of those that follow. */
struct user_frames {
	void *direct; /* where the frame at 0 would be seen */
	const paddr_t *frames;
	size_t start; /* may lie behind the first page */
};

/* Move bytes as above, to and from frames. In the kernel context. */
MUST_CHECK enum status user_io_get_frames(struct user_io *io, const struct user_frames *to, size_t bytes,
					  size_t *ret_moved);
MUST_CHECK enum status user_io_put_frames(struct user_io *io, const struct user_frames *from, size_t bytes,
					  size_t *ret_moved);

/* `bytes` zeros to it, for holes in files. In the kernel context. */
MUST_CHECK enum status user_io_zero_bulk(struct user_io *io, size_t bytes, size_t *ret_moved);

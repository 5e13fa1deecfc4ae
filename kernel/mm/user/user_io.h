/*
 * A struct user_io says where the bytes of a read or a write call go to or come from: a list of pieces of user memory,
 * or of the kernel's own, and how far the call has come. Files and devices put bytes to it and take bytes from it
 * without knowing whose memory it is. (Linux: struct iov_iter.)
 *
 * The small calls move bytes between the pieces and a buffer that every context has (heap, stack, image), through
 * uaccess: call them in the user context. The bulk calls move bytes between the pieces and frames, by a direct-map
 * pointer: they walk the user's tables, map pages that are not there yet, and copy between two direct-map addresses:
 * call them in the kernel context, the only one with the direct map.
 *
 * Every call moves as many bytes as it can, advances by them, and says how many in *ret_moved, on error too. OK means
 * all that were asked for, or all that were left; ERR_FAULT: the next byte is not the user's to read or write;
 * ERR_NO_MEMORY: there is no frame for the next byte's page (kernel/mm/user/copy_fault.h).
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* A piece of memory, as in readv(2) and writev(2): Linux's struct iovec. */
struct user_iovec {
	uint64_t base; /* a user's pointer; or, when the field `space` of struct user_io is NULL, a kernel address */
	uint64_t size;
};

struct user_io {
	struct user_space *space;       /* whose memory the pieces are; NULL: the kernel's own */
	const struct user_iovec *piece; /* the next piece; the array is in the kernel's memory */
	size_t pieces;                  /* how many pieces are left, the next one included */
	uint64_t at;                    /* bytes of the next piece that are done */
	uint64_t left;                  /* bytes of all pieces that are not done */
	struct user_iovec single;       /* the only piece, after user_io_init(): `piece` then points here */
};

/*
 * Begin with one piece, [base, base + size). io->piece points to io->single, in copies of the structure too: so `io`
 * must stay in its place as long as it or a copy is used.
 */
void user_io_init(struct user_io *io, struct user_space *space, uint64_t base, uint64_t size);

/* Begin with `count` pieces; the array must stay valid. Returns ERR_RANGE: together they are 2^63 bytes or more. */
MUST_CHECK enum status user_io_init_vector(struct user_io *io, struct user_space *space,
					   const struct user_iovec *pieces, size_t count);

/* Begin with memory of the kernel's own, which every context has. */
void user_io_init_kernel(struct user_io *io, void *buffer, size_t size);

/*
 * Take bytes from the pieces (get: for write(2)), or put bytes to them (put: for read(2)). Call while the context of
 * io->space is loaded.
 */
MUST_CHECK enum status user_io_get(struct user_io *io, void *to, size_t bytes, size_t *ret_moved);
MUST_CHECK enum status user_io_put(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved);
/* Put `bytes` zeros to the pieces, as user_io_put() puts bytes, but without a buffer to copy them from. */
MUST_CHECK enum status user_io_zero(struct user_io *io, size_t bytes, size_t *ret_moved);

/* Move a whole object of `size` bytes, or fail: ERR_FAULT also when fewer bytes are left. */
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

/* Advance by `bytes`, which were moved through a copy of this user_io. At least `bytes` must be left. */
void user_io_skip(struct user_io *io, size_t bytes);

/* Move bytes as user_io_get and user_io_put do; `to` and `from` are direct-map pointers. Call in the kernel context. */
MUST_CHECK enum status user_io_get_bulk(struct user_io *io, void *to, size_t bytes, size_t *ret_moved);
MUST_CHECK enum status user_io_put_bulk(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved);

/*
 * Bytes that lie in frames: the first one lies `start` bytes after the start of frames[0], and the others follow it
 * through the array's frames.
 */
struct user_frames {
	void *direct; /* the direct-map pointer that the frame at address 0 would have */
	const paddr_t *frames;
	size_t start; /* may be a page or more: then the first byte is not in frames[0] */
};

/* Move bytes as user_io_get and user_io_put do, to and from frames. Call in the kernel context. */
MUST_CHECK enum status user_io_get_frames(struct user_io *io, const struct user_frames *to, size_t bytes,
					  size_t *ret_moved);
MUST_CHECK enum status user_io_put_frames(struct user_io *io, const struct user_frames *from, size_t bytes,
					  size_t *ret_moved);

/* Put `bytes` zeros, for holes in files. Call in the kernel context. */
MUST_CHECK enum status user_io_zero_bulk(struct user_io *io, size_t bytes, size_t *ret_moved);

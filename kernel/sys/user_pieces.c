/*
 * Copies the list of pieces of memory (struct iovec) that a program passes to a call, and checks it.
 */
#include "kernel/sys/user_pieces.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"

/*
 * Shorten the pieces to TRANSFER_MAX bytes in all. Returns 0, or -EFAULT when a piece does not lie in the range of
 * users' addresses.
 */
static int limit_pieces(struct user_iovec *pieces, size_t count)
{
	uint64_t left = TRANSFER_MAX;

	for (size_t i = 0; i < count; i++) {
		if (!user_piece_ok(pieces[i].base, pieces[i].size))
			return -EFAULT;
		if (pieces[i].size > left)
			pieces[i].size = left;
		left -= pieces[i].size;
	}
	return 0;
}

int user_pieces_load(struct user_pieces *ret, uint64_t from, uint64_t count)
{
	int error;

	if (count > PIECES_MAX)
		return -EINVAL;
	ret->count = count;
	ret->pieces = count > PIECES_STACK ? kmalloc(count * sizeof(*ret->pieces)) : ret->small;
	if (!ret->pieces)
		return -ENOMEM;
	error = args_get(ret->pieces, from, count * sizeof(*ret->pieces));
	for (size_t i = 0; !error && i < count; i++)
		if (ret->pieces[i].size > INT64_MAX)
			error = -EINVAL;
	if (error)
		user_pieces_put(ret);
	return error;
}

int user_pieces_get(struct user_pieces *ret, uint64_t from, uint32_t count)
{
	int error = user_pieces_load(ret, from, count);

	if (error)
		return error;
	error = limit_pieces(ret->pieces, count);
	if (!error)
		error = errno_of(user_io_init_vector(&ret->io, process_current()->space, ret->pieces, count));
	if (error)
		user_pieces_put(ret);
	return error;
}

void user_pieces_put(struct user_pieces *pieces)
{
	if (pieces->pieces != pieces->small)
		kfree(pieces->pieces);
}

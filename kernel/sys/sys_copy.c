/*
 * System calls that copy from file to file: sendfile(2) and copy_file_range(2). splice(2) is in sys_splice.c.
 */
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/splice.h"
#include "kernel/sys/user_args.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/give_way.h"
#include "kernel/task/signal.h"

/*
 * Copy one piece of `in`, from *offset on, to `out` through `buffer`, and advance *offset by the bytes written. Returns
 * how many bytes, 0 at the end of `in`, or an error.
 */
static int64_t send_piece(struct file *out, struct file *in, void *buffer, uint64_t size, uint64_t *offset,
			  const uint64_t *out_offset)
{
	struct user_io io;
	int64_t moved;

	user_io_init_kernel(&io, buffer, size < SPLICE_PIECE ? size : SPLICE_PIECE);
	moved = file_transfer(in, FILE_PREAD, &io, *offset);
	if (moved <= 0)
		return moved;
	user_io_init_kernel(&io, buffer, (size_t)moved);
	moved = file_transfer(out, out_offset ? FILE_PWRITE : FILE_WRITE, &io, out_offset ? *out_offset : 0);
	if (moved > 0)
		*offset += (uint64_t)moved;
	return moved;
}

/*
 * Copy up to `size` bytes of `in`, from *offset on, to `out`: to *out_offset on, or if that is NULL to the position of
 * `out`. Both offsets are advanced. A signal ends the copy early. Returns how many bytes were copied, or an error if
 * there were none.
 */
static int64_t send_all(struct file *out, struct file *in, uint64_t size, uint64_t *offset, uint64_t *out_offset)
{
	void *buffer = kmalloc(SPLICE_PIECE);
	uint64_t start = *offset, used = size < SPLICE_PIECE ? size : SPLICE_PIECE;
	int64_t moved = 0;

	if (!buffer)
		return -ENOMEM;
	while (size) {
		moved = send_piece(out, in, buffer, size, offset, out_offset);
		if (moved <= 0)
			break;
		size -= (uint64_t)moved;
		if (out_offset)
			*out_offset += (uint64_t)moved;
		if (task_give_way() || signal_pending(task_current()))
			break;
	}
	wipe(buffer, used);
	kfree(buffer);
	return *offset != start ? (int64_t)(*offset - start) : moved;
}

SYSCALL_4(sendfile, out_fd, in_fd, offset_at, size)
{
	HELD_FILE struct file *in = args_file_get(in_fd), *out = args_file_get(out_fd);
	uint64_t offset;
	int64_t result;
	int error;

	if (!in || !file_reads(in))
		return -EBADF;
	offset = in->offset;
	error = args_get_if(&offset, offset_at, sizeof(offset));
	if (error)
		return error;
	if (offset_at && !(in->properties & FILE_SEEKS))
		return -ESPIPE;
	if (offset > INT64_MAX || size > INT64_MAX - offset)
		return -EINVAL;
	if (!out || !file_writes(out))
		return -EBADF;
	if (size > TRANSFER_MAX)
		size = TRANSFER_MAX;
	if (out->node->pipe)
		result = splice_to_pipe(in, &offset, out, size, out->flags & O_NONBLOCK);
	else if (!(in->properties & FILE_SEEKS) || out->flags & O_APPEND)
		return -EINVAL;
	else
		result = send_all(out, in, size, &offset, NULL);
	if (!offset_at)
		in->offset = offset;
	error = args_put_late(offset_at, &offset, sizeof(offset));
	return error ? error : result;
}

/* Return the error with which copy_file_range(2) refuses a pair of files, neither opened with O_PATH; or 0. */
static int check_copy(const struct file *in, const struct file *out)
{
	if (node_is(in->node, S_IFDIR) || node_is(out->node, S_IFDIR))
		return -EISDIR;
	if (!node_is(in->node, S_IFREG) || !node_is(out->node, S_IFREG))
		return -EINVAL;
	if (!file_reads(in) || !file_writes(out) || out->flags & O_APPEND)
		return -EBADF;
	return in->node->fs == out->node->fs ? 0 : -EXDEV;
}

/* Check the range of copy_file_range(2), and shorten *size to the end of `in`. Returns 0 or an error. */
static int check_copied_range(const struct file *in, const struct file *out, uint64_t from, uint64_t to, uint64_t *size)
{
	const uint64_t end = in->node->size;

	if (from + *size < from || to + *size < to)
		return -EOVERFLOW;
	if (*size > TRANSFER_MAX)
		*size = TRANSFER_MAX;
	if (*size > (from < end ? end - from : 0))
		*size = from < end ? end - from : 0;
	/* Refuse ranges of one file that overlap: the copy would read what it has written. */
	if (in->node == out->node && from < to + *size && to < from + *size)
		return -EINVAL;
	return from > INT64_MAX || to > INT64_MAX || *size > INT64_MAX - to ? -EINVAL : 0;
}

SYSCALL_6(copy_file_range, in_fd, in_at, out_fd, out_at, size, flags)
{
	HELD_FILE struct file *in = args_file_get(in_fd), *out = args_file_get(out_fd);
	uint64_t from, to;
	int64_t result, error;

	if (!in || !out || (in->flags | out->flags) & O_PATH)
		return -EBADF;
	from = in->offset;
	to = out->offset;
	result = args_get_if(&from, in_at, sizeof(from));
	if (!result)
		result = args_get_if(&to, out_at, sizeof(to));
	if (!result)
		result = flags ? -EINVAL : check_copy(in, out);
	if (!result)
		result = check_copied_range(in, out, from, to, &size);
	if (result)
		return result;
	result = send_all(out, in, size, &from, &to);
	if (!in_at)
		in->offset = from;
	if (!out_at)
		out->offset = to;
	error = args_put_late(in_at, &from, sizeof(from));
	if (!error)
		error = args_put_late(out_at, &to, sizeof(to));
	return error ? error : result;
}

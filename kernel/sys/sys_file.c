/*
 * System calls that read, write and seek open files.
 */
#include "kernel/fs/notify.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/user_args.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/user_return.h"

#define SENDFILE_PIECE 16384

static int64_t transfer(uint64_t fd, uint64_t base, uint64_t size, enum file_move how, uint64_t offset)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct user_io io;

	if (!file)
		return -EBADF;
	if (unlikely(size > TRANSFER_MAX)) {
		if (!(how == FILE_READ || how == FILE_PREAD ? file_reads(file) : file_writes(file)))
			return -EBADF;
		/* As on Linux all of the range is checked, though not all of it will be moved. */
		if (!user_piece_ok(base, size))
			return -EFAULT;
		size = TRANSFER_MAX;
	}
	user_io_init(&io, process_current()->space, base, size);
	return file_transfer(file, how, &io, offset);
}

SYSCALL_3(read, fd, base, size)
{
	return transfer(fd, base, size, FILE_READ, 0);
}

SYSCALL_3(write, fd, base, size)
{
	return transfer(fd, base, size, FILE_WRITE, 0);
}

SYSCALL_4(pread64, fd, base, size, offset)
{
	return transfer(fd, base, size, FILE_PREAD, offset);
}

SYSCALL_4(pwrite64, fd, base, size, offset)
{
	return transfer(fd, base, size, FILE_PWRITE, offset);
}

#define RWF_KNOWN 0xf /* RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT: hints, as nothing here waits for a disk */

/* Do readv(2), writev(2), preadv(2) or pwritev(2). As on Linux only the low 32 bits of their `count` are used. */
static int64_t transfer_vector(uint64_t fd, uint64_t from, uint32_t count, enum file_move how, uint64_t offset,
			       uint64_t flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct user_pieces pieces;
	int64_t result;

	if (!file)
		return -EBADF;
	result = user_pieces_get(&pieces, from, count);
	if (result)
		return result;
	if (pieces.io.left && (uint32_t)flags & ~(uint32_t)RWF_KNOWN)
		result = -EOPNOTSUPP;
	if (!result)
		result = file_transfer(file, how, &pieces.io, offset);
	user_pieces_put(&pieces);
	return result;
}

SYSCALL_3(readv, fd, pieces, count)
{
	return transfer_vector(fd, pieces, (uint32_t)count, FILE_READ, 0, 0);
}

SYSCALL_3(writev, fd, pieces, count)
{
	return transfer_vector(fd, pieces, (uint32_t)count, FILE_WRITE, 0, 0);
}

/* The ABI has the offset in two halves; on x86-64 the low half is the whole offset, and the other is ignored. */
SYSCALL_4(preadv, fd, pieces, count, offset)
{
	return transfer_vector(fd, pieces, (uint32_t)count, FILE_PREAD, offset, 0);
}

SYSCALL_4(pwritev, fd, pieces, count, offset)
{
	return transfer_vector(fd, pieces, (uint32_t)count, FILE_PWRITE, offset, 0);
}

/*
 * Do preadv2(2) or pwritev2(2). Offset -1 means the file's position. As on Linux, RWF_NOWAIT does not keep a read of a
 * pipe from waiting.
 */
static int64_t transfer_vector2(uint64_t fd, uint64_t pieces, uint64_t count, enum file_move how, uint64_t offset,
				uint64_t flags)
{
	bool reads = how == FILE_PREAD;

	if (offset == UINT64_MAX)
		return transfer_vector(fd, pieces, (uint32_t)count, reads ? FILE_READ : FILE_WRITE, 0, flags);
	return transfer_vector(fd, pieces, (uint32_t)count, how, offset, flags);
}

SYSCALL_6(preadv2, fd, pieces, count, offset, high, flags)
{
	(void)high;
	return transfer_vector2(fd, pieces, count, FILE_PREAD, offset, flags);
}

SYSCALL_6(pwritev2, fd, pieces, count, offset, high, flags)
{
	(void)high;
	return transfer_vector2(fd, pieces, count, FILE_PWRITE, offset, flags);
}

#define LISTING_STEP  8192 /* bytes of entries in one step; other tasks can run between steps */
#define LISTING_LEAST 280  /* bytes into which any entry fits */

SYSCALL_3(lseek, fd, offset, whence)
{
	HELD_FILE struct file *file = args_file_get(fd);

	return file ? file_transfer_seek(file, (int64_t)offset, (int)whence) : -EBADF;
}

/*
 * Fill a buffer with entries in steps of LISTING_STEP bytes; after an error the call returns the bytes of the entries
 * that were listed before it, if any.
 */
SYSCALL_3(getdents64, fd, to, size)
{
	HELD_FILE struct file *file = args_file_get(fd);
	uint64_t left = (uint32_t)size;
	int64_t total = 0, listed;
	struct user_io io;

	if (!file)
		return -EBADF;
	user_io_init(&io, process_current()->space, to, left);
	do {
		io.left = left < LISTING_STEP ? left : LISTING_STEP;
		listed = file_getdents(file, &io);
		if (listed > 0) {
			total += listed;
			left -= (uint64_t)listed;
		}
	} while (listed > 0 && left >= LISTING_LEAST && !task_give_way());
	if (listed >= 0)
		notify_node(file->node, IN_ACCESS);
	return total ? total : listed;
}

SYSCALL_2(ftruncate, fd, size)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file)
		return -EBADF;
	if (size > INT64_MAX)
		return -EINVAL;
	if (!file_writes(file) || !node_is(file->node, S_IFREG))
		return -EINVAL;
	return file_transfer_resize(file->node, size);
}

/* There is no disk to which fsync, fdatasync or sync could write: files are in memory. */
SYSCALL_1(fsync, fd)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || file->flags & O_PATH)
		return -EBADF;
	return node_is(file->node, S_IFREG) || node_is(file->node, S_IFDIR) ? 0 : -EINVAL;
}

SYSCALL_1(fdatasync, fd)
{
	return sys_fsync(fd, 0, 0, 0, 0, 0);
}

SYSCALL_0(sync)
{
	return 0;
}

/*
 * Copy one piece of `in`, from *offset on, to `out` through `buffer`, and advance *offset by the bytes written. Returns
 * how many bytes, 0 at the end of `in`, or an error.
 */
static int64_t send_piece(struct file *out, struct file *in, void *buffer, uint64_t size, uint64_t *offset,
			  const uint64_t *out_offset)
{
	struct user_io io;
	int64_t moved;

	user_io_init_kernel(&io, buffer, size < SENDFILE_PIECE ? size : SENDFILE_PIECE);
	moved = file_transfer(in, FILE_PREAD, &io, *offset);
	if (moved <= 0)
		return moved;
	user_io_init_kernel(&io, buffer, (size_t)moved);
	moved = file_transfer(out, out_offset ? FILE_PWRITE : FILE_WRITE, &io, out_offset ? *out_offset : 0);
	if (moved > 0)
		*offset += (uint64_t)moved;
	return moved;
}

/* Copy up to `size` bytes. out_offset: where they go, is advanced; NULL: to the position of `out`. */
static int64_t send_all(struct file *out, struct file *in, uint64_t size, uint64_t *offset, uint64_t *out_offset)
{
	void *buffer = kmalloc(SENDFILE_PIECE);
	uint64_t start = *offset, used = size < SENDFILE_PIECE ? size : SENDFILE_PIECE;
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

	if (!in || !out || !file_reads(in) || !file_writes(out))
		return -EBADF;
	if (!(in->properties & FILE_SEEKS) || out->flags & O_APPEND)
		return -EINVAL;
	offset = in->offset;
	error = args_get_if(&offset, offset_at, sizeof(offset));
	if (error)
		return error;
	result = send_all(out, in, size < TRANSFER_MAX ? size : TRANSFER_MAX, &offset, NULL);
	if (!offset_at)
		in->offset = offset;
	error = args_put_late(offset_at, &offset, sizeof(offset));
	return error ? error : result;
}

/* Return the error with which copy_file_range(2) refuses a pair of files, or 0. */
static int check_copy(const struct file *in, const struct file *out)
{
	if (!in || !out || !file_reads(in) || !file_writes(out) || out->flags & O_APPEND)
		return -EBADF;
	if (node_is(in->node, S_IFDIR) || node_is(out->node, S_IFDIR))
		return -EISDIR;
	return node_is(in->node, S_IFREG) && node_is(out->node, S_IFREG) ? 0 : -EINVAL;
}

SYSCALL_6(copy_file_range, in_fd, in_at, out_fd, out_at, size, flags)
{
	HELD_FILE struct file *in = args_file_get(in_fd), *out = args_file_get(out_fd);
	uint64_t from, to;
	int64_t result = flags ? -EINVAL : check_copy(in, out), error;

	if (result)
		return result;
	from = in->offset;
	to = out->offset;
	result = args_get_if(&from, in_at, sizeof(from));
	if (!result)
		result = args_get_if(&to, out_at, sizeof(to));
	if (result)
		return result;
	if (from > INT64_MAX || to > INT64_MAX)
		return -EINVAL;
	if (size > TRANSFER_MAX)
		size = TRANSFER_MAX;
	/* A copy within one file must not read what it has written. */
	if (in->node == out->node && from < to + size && to < from + size)
		return -EINVAL;
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

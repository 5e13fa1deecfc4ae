/*
 * System calls that read, write and seek open files.
 */
#include "kernel/fs/notify.h"
#include "kernel/sys/file_resize.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/transfer_flags.h"
#include "kernel/sys/user_args.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/user_return.h"

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

/* Do readv(2), writev(2), preadv(2) or pwritev(2). As on Linux only the low 32 bits of their `count` are used. */
static int64_t transfer_vector(uint64_t fd, uint64_t from, uint32_t count, enum file_move how, uint64_t offset,
			       uint32_t flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct user_pieces pieces;
	int64_t result;

	if (!file)
		return -EBADF;
	result = user_pieces_get(&pieces, from, count);
	if (result)
		return result;
	result = unlikely(flags) && pieces.io.left ? transfer_flagged(file, how, &pieces.io, offset, flags)
						   : file_transfer(file, how, &pieces.io, offset);
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

/* The ABI passes the offset in two halves. On x86-64 the low half is the whole offset, and the high half is ignored. */
SYSCALL_4(preadv, fd, pieces, count, offset)
{
	return transfer_vector(fd, pieces, (uint32_t)count, FILE_PREAD, offset, 0);
}

SYSCALL_4(pwritev, fd, pieces, count, offset)
{
	return transfer_vector(fd, pieces, (uint32_t)count, FILE_PWRITE, offset, 0);
}

/* Do preadv2(2) or pwritev2(2). Offset -1 means the file's position. */
static int64_t transfer_vector2(uint64_t fd, uint64_t pieces, uint64_t count, enum file_move how, uint64_t offset,
				uint32_t flags)
{
	bool reads = how == FILE_PREAD;

	if (offset == UINT64_MAX)
		return transfer_vector(fd, pieces, (uint32_t)count, reads ? FILE_READ : FILE_WRITE, 0, flags);
	return transfer_vector(fd, pieces, (uint32_t)count, how, offset, flags);
}

SYSCALL_6(preadv2, fd, pieces, count, offset, high, flags)
{
	(void)high;
	return transfer_vector2(fd, pieces, count, FILE_PREAD, offset, (uint32_t)flags);
}

SYSCALL_6(pwritev2, fd, pieces, count, offset, high, flags)
{
	(void)high;
	return transfer_vector2(fd, pieces, count, FILE_PWRITE, offset, (uint32_t)flags);
}

#define LISTING_STEP  8192 /* bytes of entries in one step; other tasks can run between steps */
#define LISTING_LEAST 280  /* bytes into which any entry fits */

SYSCALL_3(lseek, fd, offset, whence)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file)
		return -EBADF;
	return (uint32_t)whence > SEEK_HOLE ? -EINVAL : file_transfer_seek(file, (int64_t)offset, (int)whence);
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
	return file_resize(file->node, size);
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

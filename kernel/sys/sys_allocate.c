/*
 * System calls about the memory of files: fallocate(2); and calls with advice and orders about a disk, which check
 * their arguments and do nothing more, as there is no disk.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/context.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"
#include "kernel/task/turn.h"

/* ---- fallocate(2) ---- */

enum fallocate_mode {
	FALLOC_KEEP_SIZE = 1,
	FALLOC_PUNCH_HOLE = 2,
	FALLOC_COLLAPSE_RANGE = 8,
	FALLOC_ZERO_RANGE = 0x10,
	FALLOC_INSERT_RANGE = 0x20,
	FALLOC_UNSHARE_RANGE = 0x40,
	FALLOC_KNOWN = 0x7b,
};

/* Return the error with which Linux refuses a mode, whatever the file is; or 0. */
static int check_mode(unsigned mode)
{
	const unsigned both = FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE;

	if (mode & ~(unsigned)FALLOC_KNOWN || (mode & both) == both)
		return -EOPNOTSUPP;
	if (mode & FALLOC_PUNCH_HOLE && !(mode & FALLOC_KEEP_SIZE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_COLLAPSE_RANGE && mode != FALLOC_COLLAPSE_RANGE) ||
	    (mode & FALLOC_INSERT_RANGE && mode != FALLOC_INSERT_RANGE) ||
	    (mode & FALLOC_UNSHARE_RANGE && mode & ~(unsigned)(FALLOC_UNSHARE_RANGE | FALLOC_KEEP_SIZE)))
		return -EINVAL;
	return 0;
}

/* Return the error with which Linux refuses a file or a range, or 0. */
static int check_range(const struct file *file, uint64_t offset, uint64_t size)
{
	if (!file_writes(file))
		return -EBADF;
	if (node_is(file->node, S_IFIFO))
		return -ESPIPE;
	if (!node_is(file->node, S_IFREG) && !node_is(file->node, S_IFBLK))
		return -ENODEV;
	return offset + size > CONTENT_MAX ? -EFBIG : 0;
}

static uint64_t free_frames(void)
{
	context_token_t token = kernel_context_enter();
	uint64_t frames = frame_free_count(&machine_frames);

	kernel_context_leave(token);
	return frames;
}

/* Allocate the pages of [offset, end). As on Linux any signal ends this, with -EINTR; what is allocated stays. */
static int fill(struct node *node, unsigned mode, uint64_t offset, uint64_t end)
{
	struct content *content = node_content(node);
	const uint64_t last = content_pages(end);
	uint64_t next = offset / PAGE_SIZE;
	int error = 0;

	if (end > node->size) {
		error = file_size_check(end);
		if (!error)
			error = content_seals_permit_size(content, end);
	}
	if (!error && ((node->fs->pages_max && last - next > node->fs->pages_max) || last - next > free_frames()))
		error = -ENOSPC;
	while (!error && next < last) {
		error = content_fill_some(content, &next, last);
		if (!error && next < last && (task_give_way() || signal_pending(task_current())))
			error = -EINTR;
	}
	if (!error && !(mode & FALLOC_KEEP_SIZE) && end > node->size)
		error = node_truncate(node, end);
	return error;
}

/* Zero the bytes of [offset, end), and free the whole pages in it. */
static int punch(struct node *node, uint64_t offset, uint64_t end)
{
	struct content *content = node_content(node);
	const uint64_t first = content_pages(offset), last = end / PAGE_SIZE;
	struct object_hole hole = { .object = &content->object, .next = first, .end = last };
	uint64_t head = align_up(offset, PAGE_SIZE) < end ? align_up(offset, PAGE_SIZE) : end;
	int error = content->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EPERM : 0;
	bool ends = false;

	if (!error && head > offset)
		error = content_zero(content, offset, head - offset);
	if (!error && end % PAGE_SIZE && last >= first)
		error = content_zero(content, last * PAGE_SIZE, end % PAGE_SIZE);
	if (error || first >= last)
		return error;
	while (object_hole_piece(&hole) && !(ends && !hole.taken.count))
		ends |= task_give_way();
	return ends ? -EINTR : 0;
}

SYSCALL_4(fallocate, fd, mode, offset, size)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct turn_holder writing;
	struct node *node;
	int error;

	if (!file || file->flags & O_PATH)
		return -EBADF;
	if ((int64_t)offset < 0 || (int64_t)size <= 0)
		return -EINVAL;
	error = check_mode((unsigned)mode);
	if (!error)
		error = check_range(file, offset, size);
	if (error)
		return error;
	node = file->node;
	if (!node_content(node) || (unsigned)mode & ~(unsigned)(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE))
		return -EOPNOTSUPP;
	error = turn_take(&node->writing, &writing);
	if (error)
		return error;
	error = mode & FALLOC_PUNCH_HOLE ? punch(node, offset, offset + size)
					 : fill(node, (unsigned)mode, offset, offset + size);
	if (!error) {
		node_written(node, rights_current());
		node->mtime = node->ctime = node_now();
		notify_node(node, IN_MODIFY);
	}
	turn_end(&node->writing, &writing);
	return error;
}

/* ---- advice, and orders about a disk ---- */

#define SYNC_RANGE_KNOWN 7 /* SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE, _WAIT_AFTER */

SYSCALL_4(sync_file_range, fd, offset, size, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || file->flags & O_PATH)
		return -EBADF;
	if (flags & ~(uint64_t)SYNC_RANGE_KNOWN || (int64_t)offset < 0 || offset + size > INT64_MAX ||
	    offset + size < offset)
		return -EINVAL;
	return node_is(file->node, S_IFREG) || node_is(file->node, S_IFBLK) || node_is(file->node, S_IFDIR) ? 0
													    : -ESPIPE;
}

SYSCALL_1(readahead, fd)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || !file_reads(file))
		return -EBADF;
	return node_is(file->node, S_IFREG) || node_is(file->node, S_IFBLK) ? 0 : -EINVAL;
}

#define ADVICE_LAST 5 /* POSIX_FADV_NOREUSE */

SYSCALL_4(fadvise64, fd, offset, size, advice)
{
	HELD_FILE struct file *file = args_file_get(fd);

	(void)offset;
	if (!file || file->flags & O_PATH)
		return -EBADF;
	if (node_is(file->node, S_IFIFO))
		return -ESPIPE;
	return (int)advice < 0 || (int)advice > ADVICE_LAST || size > INT64_MAX ? -EINVAL : 0;
}

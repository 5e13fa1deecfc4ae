/*
 * System calls on descriptors: open, close, dup, pipe, memfd_create, fcntl, ioctl.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/place.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/sys/file_locking.h"
#include "kernel/sys/file_resize.h"
#include "kernel/sys/file_signals.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/open_path.h"
#include "kernel/task/dir_notify.h"
#include "kernel/task/fd_work.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/turn.h"
#include "kernel/task/wait_until.h"

static struct fd_table *fds_here(void)
{
	return process_current()->fds;
}

/* Make a file without a name in the file system of a directory, and open it. *ret is a reference to the file. */
static int make_unnamed(const struct place *dir, uint32_t permissions, unsigned flags, struct file **ret)
{
	struct place place = { dir->mount, NULL };
	int error = node_permit(dir->node, rights_current(), ACCESS_WRITE | ACCESS_EXECUTE);

	if (!error && (fs_is_read_only(dir->node->fs) || mount_is_read_only(dir->mount)))
		error = -EROFS;
	if (!error && !tmpfs_is(dir->node))
		error = -EOPNOTSUPP;
	if (!error)
		error = tmpfs_create_unnamed(dir->node, permissions, &place.node);
	if (error)
		return error;
	node_own(place.node, rights_current());
	error = file_open(&place, flags, ret);
	node_put(place.node);
	return error;
}

/* Do open(2) with O_TMPFILE. */
static int64_t open_unnamed(const struct user_path *path, uint64_t flags, uint32_t permissions, unsigned resolve)
{
	struct place dir;
	struct file *file;
	int error = path_lookup_place(&path->base, path->text, PATH_DIRECTORY | PATH_RESTRICTED(resolve & ~OPEN_START),
				      &dir);

	if (error)
		return error;
	error = fd_has_room(fds_here())
			? make_unnamed(&dir, permissions, (unsigned)flags & ~(unsigned)(O_DIRECTORY | O_TMPFILE), &file)
			: -EMFILE;
	place_put(dir);
	return error ? error : args_install(file, flags);
}

/* Find and open the file for open_user_path(). */
static int open_path(const struct user_path *path, unsigned flags, uint32_t permissions, unsigned resolve,
		     struct file **ret)
{
	flags &= ~(unsigned)O_CLOEXEC;
	if (resolve & OPEN_START)
		return path_open_start(&path->base, flags, ret);
	return path_open_restricted(&path->base, path->text, flags, permissions, resolve, ret);
}

int64_t open_user_path(const struct user_path *path, uint64_t flags, uint64_t mode, unsigned resolve)
{
	uint32_t permissions = mode & MODE_PERMISSIONS & ~process_current()->paths.umask;
	struct file *file;
	int error;

	if (flags & O_TMPFILE)
		return open_unnamed(path, flags, permissions, resolve);
	/* Look for a free descriptor first: without one no file must be created or truncated. */
	error = fd_has_room(fds_here()) ? open_path(path, (unsigned)flags, permissions, resolve, &file) : -EMFILE;
	if (error)
		return error;
	/* Emptying a large file takes long: do it here, in pieces, and not in path_open(). */
	if ((flags & (O_TRUNC | O_PATH)) == O_TRUNC && node_is(file->node, S_IFREG) && file->node->size) {
		error = (int)file_resize_unopened(file->node, 0);
		if (error) {
			file_put(file);
			return error;
		}
	}
	/* Opening a FIFO waits until its other end is open. */
	if (!(flags & (O_NONBLOCK | O_PATH)) && !pipe_open_ready(file)) {
		error = file_wait(file, pipe_open_ready);
		if (error) {
			file_put(file);
			return error;
		}
	}
	if (!(flags & O_PATH))
		notify_node(file->node, IN_OPEN);
	return args_install(file, flags);
}

static int64_t open_at(uint64_t fd, uint64_t from, uint64_t flags, uint64_t mode)
{
	struct user_path path;
	int64_t result = open_flags_are_wrong(flags) ? -EINVAL : user_path_get(fd, from, &path);

	if (result)
		return result;
	result = open_user_path(&path, flags, mode, 0);
	user_path_put(&path);
	return result;
}

SYSCALL_3(open, path, flags, mode)
{
	return open_at((uint64_t)AT_FDCWD, path, flags, mode);
}

SYSCALL_4(openat, fd, path, flags, mode)
{
	return open_at(fd, path, flags, mode);
}

SYSCALL_2(creat, path, mode)
{
	return open_at((uint64_t)AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

#define MFD_CLOEXEC       1
#define MFD_ALLOW_SEALING 2
#define MFD_NAME          250 /* bytes of the name, its NUL included */

/* The root of a tmpfs that has only memfd_create(2)'s files; as on Linux its size has no limit. Fixed after boot. */
static struct node *memory_files;

int memory_files_init(void)
{
	return tmpfs_create(&memory_files);
}

/* memfd_create(2): make a file without a name. The name in the arguments is only checked. There are no huge pages. */
SYSCALL_2(memfd_create, from, flags)
{
	char name[MFD_NAME];
	struct node *node;
	struct file *file;
	size_t length;
	enum status status;
	int error;

	if ((unsigned)flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	status = strncpy_from_user(name, user_pointer(from), sizeof(name), &length);
	if (status != OK)
		return copy_errno(status);
	error = tmpfs_create_unnamed(memory_files, S_IFREG | 0777, &node);
	if (error)
		return error;
	node_own(node, rights_current());
	if (flags & MFD_ALLOW_SEALING)
		node_content(node)->seals = 0;
	error = file_open(&(struct place){ NULL, node }, O_RDWR, &file);
	node_put(node);
	if (error)
		return error;
	/* A file that is open for writing cannot be executed. As on Linux only later opens count, not this one. */
	file_uncount_writer(file);
	return args_install(file, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

SYSCALL_1(close, fd)
{
	fd_work_unlock(fds_here(), (int)fd);
	return fd_close(fds_here(), (int)fd);
}

#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4
#define CLOSE_RANGE_KNOWN   6

/*
 * Give the process a table of descriptors of its own. Returns 0, -ENOMEM, or -EINVAL: the process has several threads,
 * which cannot have different tables here.
 */
static int unshare_fds(void)
{
	struct process *process = process_current();
	struct fd_table *old = process->fds, *own;
	int error;

	if (process->task_count > 1)
		return refuse_feature(-EINVAL, "close_range: a thread's own descriptors, CLOSE_RANGE_UNSHARE", 0);
	if (old->refs == 1)
		return 0;
	error = fd_work_copy(old, &own);
	if (error)
		return error;
	process->fds = own;
	fd_table_put(old);
	return 0;
}

SYSCALL_3(close_range, first, last, flags)
{
	int error = 0;

	if ((uint32_t)flags & ~(uint32_t)CLOSE_RANGE_KNOWN || (uint32_t)first > (uint32_t)last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE)
		error = unshare_fds();
	if (error)
		return error;
	if (flags & CLOSE_RANGE_CLOEXEC)
		fd_cloexec_range(fds_here(), (unsigned)first, (unsigned)last);
	else
		fd_work_close(fds_here(), (unsigned)first, (unsigned)last, FD_ALL);
	return 0;
}

/* Copy a descriptor to the lowest free number from `lowest` on; the table grows first, in pieces. */
static int64_t dup_from(uint64_t fd, uint64_t lowest, unsigned flags)
{
	struct fd_table *fds = fds_here();

	if (fd_file_peek(fds, (int)fd) && (uint32_t)lowest <= INT32_MAX)
		fd_work_grow(fds, (unsigned)lowest);
	return fd_dup(fds, (int)fd, (int)lowest, flags);
}

/*
 * Copy a descriptor to the number `to`. What may take long is done first, in pieces: the table grows, and the file that
 * has the number until now loses its record locks.
 */
static int64_t dup_to(uint64_t fd, uint64_t to, unsigned flags)
{
	struct fd_table *fds = fds_here();

	if (fd_file_peek(fds, (int)fd) && (int)fd != (int)to && (int)to >= 0) {
		if ((unsigned)to >= fds->capacity)
			fd_work_grow(fds, (unsigned)to);
		fd_work_unlock(fds, (int)to);
	}
	return fd_dup_to(fds, (int)fd, (int)to, flags);
}

SYSCALL_1(dup, fd)
{
	return dup_from(fd, 0, 0);
}

SYSCALL_2(dup2, fd, to)
{
	return dup_to(fd, to, 0);
}

SYSCALL_3(dup3, fd, to, flags)
{
	if ((int)fd == (int)to || (uint32_t)flags & ~(uint32_t)O_CLOEXEC)
		return -EINVAL;
	return dup_to(fd, to, flags ? FD_CLOEXEC : 0);
}

SYSCALL_2(pipe2, to, flags)
{
	struct fd_table *fds = fds_here();
	struct file *ends[2];
	int32_t numbers[2];
	int error;

	if ((uint32_t)flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	error = pipe_create(rights_current(), (unsigned)flags & (O_NONBLOCK | O_DIRECT), &ends[0], &ends[1]);
	if (error)
		return error;
	node_own(ends[0]->node, rights_current());
	numbers[0] = (int32_t)args_install(ends[0], flags);
	if (numbers[0] < 0) {
		file_put(ends[1]);
		return numbers[0];
	}
	numbers[1] = (int32_t)args_install(ends[1], flags);
	error = numbers[1] < 0 ? numbers[1] : args_put(to, numbers, sizeof(numbers));
	if (!error)
		return 0;
	if (numbers[1] >= 0)
		fd_close(fds, numbers[1]);
	fd_close(fds, numbers[0]);
	return error;
}

SYSCALL_1(pipe, to)
{
	return sys_pipe2(to, 0, 0, 0, 0, 0);
}

enum fcntl_command {
	F_DUPFD,
	F_GETFD,
	F_SETFD,
	F_GETFL,
	F_SETFL,
	F_SETLEASE = 1024,
	F_GETLEASE,
	F_NOTIFY,
	F_DUPFD_CLOEXEC = 1030,
	F_SETPIPE_SZ,
	F_GETPIPE_SZ,
	F_ADD_SEALS,
	F_GET_SEALS,
};

/*
 * Do F_ADD_SEALS or F_GET_SEALS. Calls that change the content in steps hold the node's turn `writing`, and so does the
 * adding of seals: no call goes on to change the content after a seal has forbidden it.
 */
static int64_t fcntl_seals(struct file *file, unsigned command, uint64_t value)
{
	const struct content *content = node_content(file->node);
	struct turn_holder writing;
	int64_t result;

	if (command == F_GET_SEALS)
		return content ? (int64_t)content->seals : -EINVAL;
	if (value > UINT32_MAX)
		return -EINVAL;
	result = turn_take(&file->node->writing, &writing);
	if (result)
		return result;
	result = content_seals_add(file, (unsigned)value);
	turn_end(&file->node->writing, &writing);
	return result;
}

/* Do the commands of fcntl(2) that a file opened with O_PATH does not have. */
static int64_t fcntl_opened(struct file *file, int fd, unsigned command, uint64_t value)
{
	switch (command) {
	case F_SETFL:
		return file_signals_set_flags(file, fd, (unsigned)value);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(file, fd, command, value);
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return fcntl_seals(file, command, value);
	case F_SETPIPE_SZ:
		return file->node->pipe ? pipe_resize(file->node->pipe, rights_current(), (uint32_t)value) : -EBADF;
	case F_GETPIPE_SZ:
		return file->node->pipe ? (int64_t)pipe_capacity(file->node->pipe) : -EBADF;
	case F_SETLEASE:
	case F_GETLEASE:
		return refuse_feature(-EINVAL, "fcntl: F_SETLEASE, a lease of a file,", 0);
	case F_NOTIFY:
		return dir_notify_set(file, fd, (uint32_t)value);
	}
	return fcntl_owner(file, command, value);
}

SYSCALL_3(fcntl, fd, command, value)
{
	struct fd_table *fds = fds_here();
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file)
		return -EBADF;
	switch ((uint32_t)command) {
	case F_DUPFD:
		return dup_from(fd, value, 0);
	case F_DUPFD_CLOEXEC:
		return dup_from(fd, value, FD_CLOEXEC);
	case F_GETFD:
		return fd_flags(fds, (int)fd);
	case F_SETFD:
		return fd_set_flags(fds, (int)fd, value & FD_CLOEXEC);
	case F_GETFL:
		return file->flags;
	}
	return file->flags & O_PATH ? -EBADF : fcntl_opened(file, (int)fd, (unsigned)command, value);
}

enum { FIONBIO = 0x5421, FIONCLEX = 0x5450, FIOCLEX = 0x5451 };

static int64_t request_once(struct file *file, unsigned request, uint64_t value)
{
	struct user_io io;

	user_io_init(&io, process_current()->space, value, PAGE_SIZE);
	return file_ioctl(file, request, value, &io);
}

/*
 * Do an ioctl request again, as long as it returns -EAGAIN, and wait in between, even with O_NONBLOCK: so tcdrain(3),
 * which is such a request, waits until all output is sent.
 */
static int64_t wait_and_do(struct file *file, unsigned request, uint64_t value)
{
	int64_t result = -EAGAIN;
	int error = WAIT_IN_QUEUE(file_queue(file), (result = request_once(file, request, value)) != -EAGAIN,
				  TASK_NO_DEADLINE);

	return error ? -ERESTARTSYS : result;
}

/*
 * ioctl(2): do the requests that all files have, and pass others on to the file. A request's structure is at most a
 * page.
 */
SYSCALL_3(ioctl, fd, request, value)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct file *opened;
	int64_t result;
	uint32_t on;
	int error;

	if (!file)
		return -EBADF;
	switch ((uint32_t)request) {
	case FIOCLEX:
	case FIONCLEX:
		return fd_set_flags(fds_here(), (int)fd, (uint32_t)request == FIOCLEX ? FD_CLOEXEC : 0);
	case FIONBIO:
		error = args_get(&on, value, sizeof(on));
		if (error)
			return error;
		file_set_flags(file, on ? file->flags | O_NONBLOCK : file->flags & ~(uint32_t)O_NONBLOCK);
		return 0;
	}
	if (file_signals_ioctl(file, (int)fd, (unsigned)request, value, &result))
		return result;
	if ((uint32_t)request == TIOCGPTPEER) {
		result = pty_open_peer(file, (unsigned)value, &opened);
		return result ? result : args_install(opened, value);
	}
	result = request_once(file, (unsigned)request, value);
	return result == -EAGAIN ? wait_and_do(file, (unsigned)request, value) : result;
}

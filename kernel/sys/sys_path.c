/*
 * System calls that make, remove and rename files by path; also truncate, and the working directory.
 */
#include "kernel/fs/access_time.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/file_resize.h"
#include "kernel/sys/user_args.h"

#define CWD ((uint64_t)AT_FDCWD)

#define MODE_DIRECTORY 01777 /* bits of the mode that mkdir(2) uses; it ignores the others */

static uint32_t masked(uint64_t mode, uint32_t kept)
{
	return (uint32_t)mode & kept & ~process_current()->paths.umask;
}

static int64_t create_at(uint64_t fd, uint64_t from, uint32_t mode, uint64_t device)
{
	struct user_path path;
	int error = user_path_get(fd, from, &path);

	if (error)
		return error;
	error = path_create(&path.base, path.text, mode, device);
	user_path_put(&path);
	return error;
}

SYSCALL_3(mkdirat, fd, path, mode)
{
	return create_at(fd, path, S_IFDIR | masked(mode, MODE_DIRECTORY), 0);
}

SYSCALL_2(mkdir, path, mode)
{
	return sys_mkdirat(CWD, path, mode, 0, 0, 0);
}

SYSCALL_4(mknodat, fd, path, mode, device)
{
	uint32_t type = mode & S_IFMT;

	switch (type) {
	case 0:
		type = S_IFREG;
		break;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return create_at(fd, path, type | masked(mode, MODE_PERMISSIONS), (uint32_t)device);
}

SYSCALL_3(mknod, path, mode, device)
{
	return sys_mknodat(CWD, path, mode, device, 0, 0);
}

SYSCALL_3(unlinkat, fd, from, flags)
{
	struct user_path path;
	int error;

	if ((uint32_t)flags & ~(uint32_t)AT_REMOVEDIR)
		return -EINVAL;
	error = user_path_get(fd, from, &path);
	if (error)
		return error;
	error = flags & AT_REMOVEDIR ? path_rmdir(&path.base, path.text) : path_unlink(&path.base, path.text);
	user_path_put(&path);
	return error;
}

SYSCALL_1(unlink, path)
{
	return sys_unlinkat(CWD, path, 0, 0, 0, 0);
}

SYSCALL_1(rmdir, path)
{
	return sys_unlinkat(CWD, path, AT_REMOVEDIR, 0, 0, 0);
}

/* Get two paths, as user_path_get() does. After an error there is nothing to release. */
static int get_paths(uint64_t old_fd, uint64_t old_from, uint64_t new_fd, uint64_t new_from, struct user_path paths[2])
{
	int error = user_path_get(old_fd, old_from, &paths[0]);

	if (error)
		return error;
	error = user_path_get(new_fd, new_from, &paths[1]);
	if (error)
		user_path_put(&paths[0]);
	return error;
}

static void put_paths(struct user_path paths[2])
{
	user_path_put(&paths[0]);
	user_path_put(&paths[1]);
}

SYSCALL_5(renameat2, old_fd, old_path, new_fd, new_path, flags)
{
	const uint32_t known = RENAME_NOREPLACE | RENAME_EXCHANGE;
	struct user_path paths[2];
	int error;

	if ((uint32_t)flags & ~known || (flags & known) == known)
		return -EINVAL;
	error = get_paths(old_fd, old_path, new_fd, new_path, paths);
	if (error)
		return error;
	error = path_rename(&paths[0].base, paths[0].text, &paths[1].base, paths[1].text, (unsigned)flags);
	put_paths(paths);
	return error;
}

SYSCALL_4(renameat, old_fd, old_path, new_fd, new_path)
{
	return sys_renameat2(old_fd, old_path, new_fd, new_path, 0, 0);
}

SYSCALL_2(rename, old_path, new_path)
{
	return sys_renameat2(CWD, old_path, CWD, new_path, 0, 0);
}

SYSCALL_5(linkat, old_fd, old_path, new_fd, new_path, flags)
{
	unsigned lookup =
		(flags & AT_SYMLINK_FOLLOW ? PATH_FOLLOW : PATH_NO_FOLLOW) | (flags & AT_EMPTY_PATH ? PATH_EMPTY : 0);
	struct user_path paths[2];
	int error;

	if ((uint32_t)flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* As on Linux, a process that was only passed a descriptor must not be able to give its file a name. */
	if (flags & AT_EMPTY_PATH && !rights_can(CAP_DAC_READ_SEARCH))
		return -ENOENT;
	error = get_paths(old_fd, old_path, new_fd, new_path, paths);
	if (error)
		return error;
	error = path_link(&paths[0].base, paths[0].text, &paths[1].base, paths[1].text, lookup);
	put_paths(paths);
	return error;
}

SYSCALL_2(link, old_path, new_path)
{
	return sys_linkat(CWD, old_path, CWD, new_path, 0, 0);
}

SYSCALL_3(symlinkat, target, fd, from)
{
	struct user_path path;
	char *text;
	int error = args_path(target, &text);

	if (error)
		return error;
	error = user_path_get(fd, from, &path);
	if (!error) {
		error = path_symlink(&path.base, path.text, text);
		user_path_put(&path);
	}
	kfree(text);
	return error;
}

SYSCALL_2(symlink, target, path)
{
	return sys_symlinkat(target, CWD, path, 0, 0, 0);
}

/* readlinkat(2): copy as much of a link's target as fits, without a NUL. */
SYSCALL_4(readlinkat, fd, path, to, size)
{
	struct place place;
	struct link_target target;
	int64_t result;
	char first;
	int error;

	if ((int)size <= 0)
		return -EINVAL;
	result = user_path_place(fd, path, PATH_NO_FOLLOW | PATH_EMPTY, &place);
	if (result)
		return result;
	result = node_readlink(place.node, &target);
	/* As on Linux the path "" means a link that was opened with O_PATH; for any other file the error is -ENOENT. */
	if (result == -EINVAL) {
		error = args_get(&first, path, sizeof(first));
		result = error ? error : first ? -EINVAL : -ENOENT;
	}
	if (!result) {
		access_time_set(place.node, place.mount);
		if (target.name.size > (uint32_t)size)
			target.name.size = (uint32_t)size;
		result = args_put(to, target.name.text, target.name.size);
		if (!result)
			result = target.name.size;
		link_target_put(&target);
	}
	place_put(place);
	return result;
}

SYSCALL_3(readlink, path, to, size)
{
	return sys_readlinkat(CWD, path, to, size, 0, 0);
}

SYSCALL_2(truncate, path, size)
{
	struct place place;
	int64_t result;

	if (size > INT64_MAX)
		return -EINVAL;
	result = user_path_place(CWD, path, PATH_FOLLOW, &place);
	if (result)
		return result;
	if (node_is(place.node, S_IFREG))
		result = mount_is_read_only(place.mount) ? -EROFS
							 : node_permit(place.node, rights_current(), ACCESS_WRITE);
	if (!result)
		result = file_resize_unopened(place.node, size);
	place_put(place);
	return result;
}

/*
 * Make `place` the working directory; the process takes over the caller's references, which are dropped after an error.
 * Returns 0 or -EACCES.
 */
static int move_to(struct place place)
{
	struct process_paths *paths = &process_current()->paths;
	int error = node_permit(place.node, rights_current(), ACCESS_EXECUTE);

	place_put(error ? place : paths->cwd);
	if (!error)
		paths->cwd = place;
	return error;
}

SYSCALL_1(chdir, path)
{
	struct place place;
	int error = user_path_place(CWD, path, PATH_DIRECTORY, &place);

	return error ? error : move_to(place);
}

SYSCALL_1(fchdir, fd)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file)
		return -EBADF;
	if (!node_is(file->node, S_IFDIR))
		return -ENOTDIR;
	return move_to(place_get((struct place){ file->mount, file->node }));
}

SYSCALL_2(getcwd, to, size)
{
	const struct process_paths *paths = &process_current()->paths;
	char *text = kmalloc(PATH_MAX);
	int64_t result;
	size_t used;

	if (!text)
		return -ENOMEM;
	result = path_of_directory(&paths->root, paths->cwd, text, size < PATH_MAX ? size : PATH_MAX, &used);
	if (!result)
		result = args_put(to, text, used);
	kfree(text);
	return result ? result : (int64_t)used;
}

SYSCALL_1(umask, mask)
{
	struct process_paths *paths = &process_current()->paths;

	/* umask(2) is made without the kernel lock (an open call): another thread may be here at the same time. */
	return __atomic_exchange_n(&paths->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* stat(2), statfs(2), access(2) and the like, and system calls that change owners, permissions and times of files. */
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"

#define CWD ((uint64_t)AT_FDCWD)

#define AT_STATX_SYNC 0x6000 /* AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC */
#define AT_EACCESS    0x200
#define AT_STAT_KNOWN (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC)

/* Convert AT_… flags to PATH_… flags. */
static unsigned lookup_flags(uint64_t flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? PATH_NO_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? PATH_EMPTY : 0);
}

static int64_t put_stat(const struct node *node, uint64_t to)
{
	struct linux_stat stat;

	node_stat(node, &stat);
	return args_put(to, &stat, sizeof(stat));
}

static int64_t stat_at(uint64_t fd, uint64_t path, uint64_t to, unsigned flags)
{
	struct node *node;
	int64_t result = user_path_lookup(fd, path, flags, &node);

	if (result)
		return result;
	result = put_stat(node, to);
	node_put(node);
	return result;
}

SYSCALL_2(stat, path, to)
{
	return stat_at(CWD, path, to, PATH_FOLLOW);
}

SYSCALL_2(lstat, path, to)
{
	return stat_at(CWD, path, to, PATH_NO_FOLLOW);
}

SYSCALL_2(fstat, fd, to)
{
	HELD_FILE struct file *file = args_file_get(fd);

	return file ? put_stat(file->node, to) : -EBADF;
}

SYSCALL_4(newfstatat, fd, path, to, flags)
{
	if ((uint32_t)flags & ~(uint32_t)AT_STAT_KNOWN)
		return -EINVAL;
	return stat_at(fd, path, to, lookup_flags(flags));
}

/* Do statx(2): fill in all fields, whatever `mask` asks for. */
SYSCALL_5(statx, fd, path, flags, mask, to)
{
	struct linux_statx stat;
	struct place place;
	int error;

	if ((uint32_t)flags & ~(uint32_t)AT_STAT_KNOWN || mask >> 31 & 1)
		return -EINVAL;
	error = user_path_place(fd, path, lookup_flags(flags), &place);
	if (error)
		return error;
	node_statx(&place, &stat);
	place_put(place);
	return args_put(to, &stat, sizeof(stat));
}

static int64_t put_statfs(const struct place *place, uint64_t to)
{
	struct linux_statfs stat;

	node_statfs(place, &stat);
	return args_put(to, &stat, sizeof(stat));
}

SYSCALL_2(statfs, path, to)
{
	struct place place;
	int64_t result = user_path_place(CWD, path, PATH_FOLLOW, &place);

	if (result)
		return result;
	result = put_statfs(&place, to);
	place_put(place);
	return result;
}

SYSCALL_2(fstatfs, fd, to)
{
	HELD_FILE struct file *file = args_file_get(fd);

	return file ? put_statfs(&(struct place){ file->mount, file->node }, to) : -EBADF;
}

#define ACCESS_OK 7

/*
 * Check access to a path for `who`. The bits of `mode` are those of enum node_access; 0 asks only whether the path
 * leads somewhere. Returns 0, -EACCES, -EROFS, -EINVAL, or user_path_lookup's errors.
 */
static int64_t access_as(const struct credentials *who, uint64_t fd, uint64_t from, uint64_t mode, unsigned flags)
{
	struct user_path path;
	struct place place;
	int error = user_path_get(fd, from, &path);

	if (error)
		return error;
	path.base.who = who;
	error = path_lookup_place(&path.base, path.text, flags, &place);
	user_path_put(&path);
	if (error)
		return error;
	if (mode & ACCESS_EXECUTE && node_is(place.node, S_IFREG) && mount_flags(place.mount) & MS_NOEXEC)
		error = -EACCES;
	if (!error && mode)
		error = node_permit(place.node, who, (unsigned)mode);
	/* A device, a FIFO and a socket may be written whatever the mount says. */
	if (!error && mode & ACCESS_WRITE && mount_is_read_only(place.mount) &&
	    (node_is(place.node, S_IFREG) || node_is(place.node, S_IFDIR) || node_is(place.node, S_IFLNK)))
		error = -EROFS;
	place_put(place);
	return error;
}

/*
 * Do access(2): the real IDs count, not those for files, and with them the capabilities that execve(2) would give to a
 * program of the real user. `effective`: do faccessat2(2) with AT_EACCESS, for the IDs that count for files.
 */
static int64_t access_at(uint64_t fd, uint64_t path, uint64_t mode, unsigned flags, bool effective)
{
	struct credentials real = *rights_current();

	if ((uint32_t)mode & ~(uint32_t)ACCESS_OK)
		return -EINVAL;
	real.uid.fs = real.uid.real;
	real.gid.fs = real.gid.real;
	if (!(real.secure_bits & SECURE_NO_SETUID_FIXUP))
		real.effective = real.uid.real ? 0 : real.permitted;
	return access_as(effective ? rights_current() : &real, fd, path, mode, flags);
}

SYSCALL_2(access, path, mode)
{
	return access_at(CWD, path, mode, PATH_FOLLOW, false);
}

SYSCALL_3(faccessat, fd, path, mode)
{
	return access_at(fd, path, mode, PATH_FOLLOW, false);
}

SYSCALL_4(faccessat2, fd, path, mode, flags)
{
	if ((uint32_t)flags & ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return access_at(fd, path, mode, lookup_flags(flags), flags & AT_EACCESS);
}

static int64_t chmod_at(uint64_t fd, uint64_t path, uint64_t mode)
{
	struct node *node;
	int error = user_path_change(fd, path, PATH_FOLLOW, &node);

	if (error)
		return error;
	error = node_chmod(node, rights_current(), mode & MODE_PERMISSIONS);
	node_put(node);
	return error;
}

SYSCALL_2(chmod, path, mode)
{
	return chmod_at(CWD, path, mode);
}

SYSCALL_3(fchmodat, fd, path, mode)
{
	return chmod_at(fd, path, mode);
}

SYSCALL_2(fchmod, fd, mode)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || file->flags & O_PATH)
		return -EBADF;
	if (mount_is_read_only(file->mount))
		return -EROFS;
	return node_chmod(file->node, rights_current(), mode & MODE_PERMISSIONS);
}

static int64_t chown_at(uint64_t fd, uint64_t path, uint64_t user, uint64_t group, unsigned flags)
{
	struct node *node;
	int error = user_path_change(fd, path, flags, &node);

	if (error)
		return error;
	error = node_chown(node, rights_current(), (uint32_t)user, (uint32_t)group);
	node_put(node);
	return error;
}

SYSCALL_3(chown, path, user, group)
{
	return chown_at(CWD, path, user, group, PATH_FOLLOW);
}

SYSCALL_3(lchown, path, user, group)
{
	return chown_at(CWD, path, user, group, PATH_NO_FOLLOW);
}

SYSCALL_5(fchownat, fd, path, user, group, flags)
{
	if ((uint32_t)flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_at(fd, path, user, group, lookup_flags(flags));
}

SYSCALL_3(fchown, fd, user, group)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || file->flags & O_PATH)
		return -EBADF;
	if (mount_is_read_only(file->mount))
		return -EROFS;
	return node_chown(file->node, rights_current(), (uint32_t)user, (uint32_t)group);
}

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/*
 * Get utimensat(2)'s two times into `times`. ret[i] becomes a pointer to times[i], or NULL for UTIME_OMIT. *ret_now:
 * both are to be set to the present time. Returns 0, -EFAULT, -EINVAL.
 */
static int get_times(uint64_t from, struct linux_timespec times[2], const struct linux_timespec *ret[2], bool *ret_now)
{
	unsigned now = 0;
	int error = args_get_if(times, from, 2 * sizeof(times[0]));

	if (error)
		return error;
	for (int i = 0; i < 2; i++) {
		int64_t ns = from ? times[i].nanoseconds : UTIME_NOW;

		ret[i] = ns == UTIME_OMIT ? NULL : &times[i];
		now += ns == UTIME_NOW;
		if (ns == UTIME_NOW)
			times[i] = node_now();
		else if (ns != UTIME_OMIT && (ns < 0 || ns >= (int64_t)NS_PER_S))
			return -EINVAL;
	}
	*ret_now = now == 2;
	return 0;
}

SYSCALL_4(utimensat, fd, path, from, flags)
{
	const struct linux_timespec *which[2];
	struct linux_timespec times[2];
	HELD_FILE struct file *file = args_file_get(fd);
	struct node *node;
	bool now;
	int error;

	if ((uint32_t)flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = get_times(from, times, which, &now);
	if (error)
		return error;
	if (path)
		error = user_path_change(fd, path, lookup_flags(flags), &node);
	else if (!file)
		/* As on Linux, without a descriptor NULL is a path that cannot be read. */
		error = (int)fd == AT_FDCWD ? -EFAULT : -EBADF;
	else if (mount_is_read_only(file->mount))
		error = -EROFS;
	else
		node = node_get(file->node);
	if (error)
		return error;
	if (now)
		error = node_touch(node, rights_current());
	else if (which[0] || which[1])
		error = node_set_times(node, rights_current(), which[0], which[1]);
	node_put(node);
	return error;
}

/* Set both times of a file, for utime(2), futimesat(2) and utimes(2); times NULL: now. */
static int64_t set_times(uint64_t fd, uint64_t path, const struct linux_timespec *times)
{
	struct node *node;
	int error = user_path_change(fd, path, PATH_FOLLOW, &node);

	if (error)
		return error;
	if (times)
		error = node_set_times(node, rights_current(), &times[0], &times[1]);
	else
		error = node_touch(node, rights_current());
	node_put(node);
	return error;
}

SYSCALL_2(utime, path, from)
{
	struct linux_timespec times[2] = { { 0, 0 }, { 0, 0 } };
	int64_t seconds[2];
	int error = args_get_if(seconds, from, sizeof(seconds));

	if (error)
		return error;
	for (int i = 0; from && i < 2; i++)
		times[i].seconds = seconds[i];
	return set_times(CWD, path, from ? times : NULL);
}

SYSCALL_3(futimesat, fd, path, from)
{
	struct linux_timespec times[2];
	struct linux_timeval in[2];
	int error = args_get_if(in, from, sizeof(in));

	if (error)
		return error;
	for (int i = 0; from && i < 2; i++) {
		if (in[i].microseconds < 0 || in[i].microseconds >= 1000000)
			return -EINVAL;
		times[i] = (struct linux_timespec){ in[i].seconds, in[i].microseconds * 1000 };
	}
	return set_times(fd, path, from ? times : NULL);
}

SYSCALL_2(utimes, path, from)
{
	return sys_futimesat(CWD, path, from, 0, 0, 0);
}

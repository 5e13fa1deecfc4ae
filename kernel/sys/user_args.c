/*
 * Copies and checks arguments of system calls: times, descriptors and paths.
 */
#include "kernel/sys/user_args.h"

#include "kernel/fs/place.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/fd_work.h"
#include "kernel/task/give_way.h"
#include "kernel/task/out_of_memory.h"

int args_put_late(uint64_t to, const void *from, size_t size)
{
	int error = 0;

	if (to)
		do
			error = args_put(to, from, size);
		while (error == -ERESTART_MEMORY && task_find_memory());
	return error;
}

int args_time(uint64_t from, uint64_t *ret_ns)
{
	struct linux_timespec time;
	int error = args_get(&time, from, sizeof(time));

	return error ? error : timespec_to_ns(&time, ret_ns);
}

int64_t args_install(struct file *file, uint64_t flags)
{
	int fd;

	fd_work_grow(process_current()->fds, 0);
	fd = fd_install(process_current()->fds, file, 0, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
	if (fd < 0)
		file_put(file);
	return fd;
}

uint64_t deadline_in(uint64_t ns)
{
	return time_add(clock_monotonic_ns(), ns);
}

int args_deadline(uint64_t from, uint64_t *ret_ns)
{
	uint64_t ns;
	int error;

	if (!from) {
		*ret_ns = TASK_NO_DEADLINE;
		return 0;
	}
	error = args_time(from, &ns);
	if (!error)
		*ret_ns = ns ? deadline_in(ns) : 0;
	return error;
}

int args_get_versioned(void *to, size_t known, size_t least, uint64_t from, uint64_t size)
{
	uint8_t rest[64];
	int error;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < least)
		return -EINVAL;
	memset(to, 0, known);
	error = args_get(to, from, size < known ? size : known);
	for (uint64_t at = known, step; at < size && !error; at += step) {
		step = size - at < sizeof(rest) ? size - at : sizeof(rest);
		error = args_get(rest, from + at, step);
		for (uint64_t i = 0; i < step && !error; i++)
			error = rest[i] ? -E2BIG : 0;
	}
	return error;
}

int args_path(uint64_t from, char **ret)
{
	char *path = kmalloc(PATH_MAX);
	enum status status;
	size_t length;

	if (!path)
		return -ENOMEM;
	status = strncpy_from_user(path, user_pointer(from), PATH_MAX, &length);
	if (status != OK) {
		kfree(path);
		return status == ERR_RANGE ? -ENAMETOOLONG : copy_errno(status);
	}
	*ret = path;
	return 0;
}

bool user_path_pause(void)
{
	return task_give_way();
}

/* Hold the places where `path` starts. Returns 0; or, with nothing held, -EBADF, -ENOTDIR. */
static int find_base(uint64_t fd, const char *path, struct path_base *ret)
{
	const struct process_paths *paths = &process_current()->paths;

	if (*path == '/' || (int)fd == AT_FDCWD) {
		ret->start = place_get(paths->cwd);
	} else {
		HELD_FILE struct file *file = args_file_get(fd);

		if (!file)
			return -EBADF;
		/* "" with AT_EMPTY_PATH means the file itself, whatever its type. */
		if (*path && !node_is(file->node, S_IFDIR))
			return -ENOTDIR;
		ret->start = place_get((struct place){ file->mount, file->node });
	}
	ret->root = place_get(paths->root);
	ret->who = rights_current();
	ret->pause = user_path_pause;
	return 0;
}

static int get_path(uint64_t fd, uint64_t from, bool inside, struct user_path *ret)
{
	int error = args_path(from, &ret->text);

	if (error)
		return error;
	/*
	 * For a path inside `fd`, pass "." for an absolute path: find_base() only looks whether the path is relative
	 * and not empty.
	 */
	error = find_base(fd, inside && *ret->text == '/' ? "." : ret->text, &ret->base);
	if (error)
		kfree(ret->text);
	return error;
}

int user_path_get(uint64_t fd, uint64_t from, struct user_path *ret)
{
	return get_path(fd, from, false, ret);
}

int user_path_get_inside(uint64_t fd, uint64_t from, struct user_path *ret)
{
	return get_path(fd, from, true, ret);
}

void user_path_put(struct user_path *path)
{
	place_put(path->base.start);
	place_put(path->base.root);
	kfree(path->text);
}

int user_path_place(uint64_t fd, uint64_t from, unsigned flags, struct place *ret)
{
	struct user_path path;
	int error = user_path_get(fd, from, &path);

	if (error)
		return error;
	error = path_lookup_place(&path.base, path.text, flags, ret);
	user_path_put(&path);
	return error;
}

int user_path_lookup(uint64_t fd, uint64_t from, unsigned flags, struct node **ret)
{
	struct place place;
	int error = user_path_place(fd, from, flags, &place);

	if (!error) {
		*ret = place.node;
		mount_put(place.mount);
	}
	return error;
}

int user_path_change(uint64_t fd, uint64_t from, unsigned flags, struct node **ret)
{
	struct place place;
	int error = user_path_place(fd, from, flags, &place);

	if (error)
		return error;
	if (mount_is_read_only(place.mount)) {
		place_put(place);
		return -EROFS;
	}
	*ret = place.node;
	mount_put(place.mount);
	return 0;
}

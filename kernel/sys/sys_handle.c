/*
 * File handles: name_to_handle_at(2) names a file by numbers, with which open_by_handle_at(2) finds it again. Files in
 * memory have handles; those of /proc, pipes and the like have none, as on Linux.
 */
#include "kernel/fs/place.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/sys/open_path.h"

#define HANDLE_MOST 128 /* bytes of the largest handle, of any file system */
#define HANDLE_TYPE 1   /* type of the handles of files in memory */
#define TYPE_NONE   255 /* type where no handle was written */

/* Linux's struct file_handle, without the bytes of the handle that follow it. */
struct linux_handle {
	uint32_t size; /* how many bytes follow, or how many there is room for */
	int32_t type;
};

/* The bytes of a handle, as this kernel writes them. */
struct handle {
	uint32_t device;    /* the file system's device number */
	uint32_t number[2]; /* the inode number, its low half first */
};

/*
 * Write the handle of a node to user address `to`, and the number of its mount to `mount_to`. Returns 0, -EFAULT,
 * -EINVAL (the program says it has room for a longer handle than any), -EOVERFLOW (no room: the size that is needed is
 * written), -EOPNOTSUPP, -ENOMEM.
 */
static int64_t put_handle(const struct place *place, uint64_t to, uint64_t mount_to)
{
	const int32_t mount = (int32_t)mount_number_of(place->mount);
	struct node *node = place->node;
	struct linux_handle head;
	struct handle handle = { (uint32_t)node->fs->device,
				 { (uint32_t)node->number, (uint32_t)(node->number >> 32) } };
	bool fits;
	int error;

	if (!tmpfs_is(node))
		return -EOPNOTSUPP;
	error = args_get(&head, to, sizeof(head));
	if (!error && head.size > HANDLE_MOST)
		error = -EINVAL;
	if (error)
		return error;
	fits = head.size >= sizeof(handle);
	if (fits)
		error = tmpfs_keep_number(node);
	head = (struct linux_handle){ sizeof(handle), fits ? HANDLE_TYPE : TYPE_NONE };
	if (!error)
		error = args_put(mount_to, &mount, sizeof(mount));
	if (!error)
		error = args_put(to, &head, sizeof(head));
	if (!error && fits)
		error = args_put(to + sizeof(head), &handle, sizeof(handle));
	return error ? error : fits ? 0 : -EOVERFLOW;
}

SYSCALL_5(name_to_handle_at, fd, path, to, mount_to, flags)
{
	struct place place;
	int64_t result;

	if ((uint32_t)flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	result = user_path_place(fd, path,
				 (flags & AT_SYMLINK_FOLLOW ? PATH_FOLLOW : PATH_NO_FOLLOW) |
					 (flags & AT_EMPTY_PATH ? PATH_EMPTY : 0),
				 &place);
	if (result)
		return result;
	result = put_handle(&place, to, mount_to);
	place_put(place);
	return result;
}

/* Get a handle from user memory. Returns 0, -EFAULT, -EINVAL, -ESTALE (this kernel writes no such handle). */
static int get_handle(uint64_t from, struct handle *ret)
{
	struct linux_handle head;
	int error = args_get(&head, from, sizeof(head));

	if (error)
		return error;
	if (!head.size || head.size > HANDLE_MOST)
		return -EINVAL;
	if (head.size < sizeof(*ret) || head.type != HANDLE_TYPE)
		return -ESTALE;
	return args_get(ret, from + sizeof(head), sizeof(*ret));
}

/*
 * Get the place of a descriptor's file, or with AT_FDCWD of the working directory: a handle is looked up in that file
 * system. The caller drops the references in *ret. Returns 0 or -EBADF.
 */
static int get_place(uint64_t fd, struct place *ret)
{
	HELD_FILE struct file *file = NULL;

	if ((int)fd == AT_FDCWD) {
		*ret = place_get(process_current()->paths.cwd);
		return 0;
	}
	file = args_file_get(fd);
	if (!file || file->flags & O_PATH)
		return -EBADF;
	*ret = place_get((struct place){ file->mount, file->node });
	return 0;
}

SYSCALL_3(open_by_handle_at, mount_fd, from, flags)
{
	/* "." is for O_TMPFILE, which opens no file that is there but makes one in the directory. */
	struct user_path path = { .text = (char[]){ "." } };
	struct handle handle;
	struct place place;
	struct node *node;
	int64_t result;

	if (!rights_can(CAP_DAC_READ_SEARCH))
		return -EPERM;
	result = get_handle(from, &handle);
	if (result && result != -ESTALE)
		return result;
	if (get_place(mount_fd, &place) != 0)
		return -EBADF;
	node = result ? NULL : tmpfs_find_number(place.node->fs, (uint64_t)handle.number[1] << 32 | handle.number[0]);
	if (node && (uint32_t)node->fs->device != handle.device) {
		node_put(node);
		node = NULL;
	}
	if (!node) {
		place_put(place);
		return -ESTALE;
	}
	node_put(place.node);
	place.node = node;
	path.base = (struct path_base){
		.root = process_current()->paths.root, .start = place, .who = rights_current(), .pause = user_path_pause
	};
	result = open_flags_are_wrong(flags) ? -EINVAL : open_user_path(&path, flags, 0, OPEN_START);
	place_put(place);
	return result;
}

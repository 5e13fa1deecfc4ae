/*
 * openat2(2): open with flags that are checked, and with restrictions on how the path is walked.
 */
#include "kernel/sys/open_path.h"

/* Linux's struct open_how. */
struct linux_open_how {
	uint64_t flags, mode, resolve;
};

#define HOW_LEAST 24 /* bytes of struct open_how in its first version */

#define KNOWN_FLAGS                                                                                                \
	((uint64_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | \
		    O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE))
#define KNOWN_RESOLVE                                                                                 \
	((uint64_t)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
		    RESOLVE_IN_ROOT | RESOLVE_CACHED))

/*
 * Check what open(2) would ignore. Returns 0, -EINVAL, or -EAGAIN: RESOLVE_CACHED with flags that make or change files.
 */
static int check_how(const struct linux_open_how *how)
{
	const uint64_t with_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const bool makes = how->flags & (O_CREAT | O_TMPFILE);

	if (how->flags & ~KNOWN_FLAGS || how->resolve & ~KNOWN_RESOLVE)
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (how->mode & ~(uint64_t)(makes ? MODE_PERMISSIONS : 0))
		return -EINVAL;
	if (open_flags_are_wrong(how->flags) || (how->flags & O_PATH && how->flags & ~with_path))
		return -EINVAL;
	return how->resolve & RESOLVE_CACHED && (makes || how->flags & O_TRUNC) ? -EAGAIN : 0;
}

SYSCALL_4(openat2, fd, from, how_from, size)
{
	struct linux_open_how how;
	struct user_path path;
	int64_t result = args_get_versioned(&how, sizeof(how), HOW_LEAST, how_from, size);

	if (!result)
		result = check_how(&how);
	if (!result)
		result = how.resolve & RESOLVE_IN_ROOT ? user_path_get_inside(fd, from, &path)
						       : user_path_get(fd, from, &path);
	if (result)
		return result;
	/* Nothing is ever waited for on the way to a file, so RESOLVE_CACHED restricts nothing. */
	result = open_user_path(&path, how.flags, how.mode, (unsigned)how.resolve & ~(unsigned)RESOLVE_CACHED);
	user_path_put(&path);
	return result;
}

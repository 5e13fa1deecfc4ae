/*
 * Opens files for system calls: what open(2), openat2(2) and open_by_handle_at(2) share.
 */
#pragma once

#include "kernel/sys/user_args.h"

/* Return whether open(2)'s flags ask for a file without a name in a way that is refused (-EINVAL). */
static inline bool open_flags_are_wrong(uint64_t flags)
{
	return flags & O_TMPFILE && (!(flags & O_DIRECTORY) || !(flags & O_ACCMODE) || flags & O_CREAT);
}

#define OPEN_START (1U << 31) /* in `resolve` of open_user_path(): open the place where the path starts */

/*
 * Open a file as openat2(2) does, and give it a descriptor. flags: O_…, for which open_flags_are_wrong() returns
 * false; mode: permissions, to which the umask is applied; resolve: of enum linux_resolve, or OPEN_START. Returns the
 * descriptor, or path_open_restricted()'s errors, -EMFILE, -EINTR.
 */
int64_t open_user_path(const struct user_path *path, uint64_t flags, uint64_t mode, unsigned resolve);

/*
 * Functions by which system calls get their arguments from user memory, and copy results to it.
 */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/irq/clock.h"
#include "kernel/sys/calls.h"
#include "kernel/sys/linux_time.h"
#include "kernel/task/find.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"

/*
 * Copy from user memory, or to it. Returns 0, -EFAULT, or -ERESTART_MEMORY (no frame for a user page): then the system
 * call must drop its references, undo its changes, and return before another task runs; it is then made again. Where a
 * comment in kernel/sys says -EFAULT, -ERESTART_MEMORY is possible as well.
 */
static inline int args_get(void *to, uint64_t from, size_t size)
{
	return copy_errno(copy_from_user(to, user_pointer(from), size));
}

static inline int args_put(uint64_t to, const void *from, size_t size)
{
	return copy_errno(copy_to_user(user_pointer(to), from, size));
}

/* Do args_get() for an optional argument: if `from` is 0, copy nothing. */
static inline int args_get_if(void *to, uint64_t from, size_t size)
{
	return from ? args_get(to, from, size) : 0;
}

/*
 * Copy to user memory as the last step of a system call that cannot undo its effect. Waits for memory when there is
 * none, while other tasks run: the caller must have no lock, and only pointers for which it has references. If `to` is
 * 0 nothing is copied. Returns 0, -EFAULT, or -ERESTART_MEMORY: the task must end.
 */
int args_put_late(uint64_t to, const void *from, size_t size);

/* Get a struct timespec from user memory, as nanoseconds. Returns 0, -EFAULT, -EINVAL (timespec_to_ns). */
int args_time(uint64_t from, uint64_t *ret_ns);

/*
 * Return a reference to the file of a descriptor, since another thread may close the descriptor; the caller drops it by
 * file_put(), or uses HELD_FILE. NULL when the descriptor is not open (-EBADF).
 */
static inline struct file *args_file_get(uint64_t fd)
{
	return fd_file_get(process_current()->fds, (int)fd);
}

/* Return whether a descriptor is open. */
static inline bool args_file_exists(uint64_t fd)
{
	return fd_file_peek(process_current()->fds, (int)fd);
}

/*
 * Give `file` a new descriptor, which takes over the caller's reference; after an error the reference is dropped.
 * flags: only O_CLOEXEC is used. Returns the descriptor, or fd_install's errors.
 */
int64_t args_install(struct file *file, uint64_t flags);

/* Return the time `ns` from now, by the monotonic clock; at most TIME_MOST_NS. */
uint64_t deadline_in(uint64_t ns);

/*
 * Get a deadline from a struct timespec that is a time span: TASK_NO_DEADLINE when `from` is 0, and 0, a time in the
 * past, for a span of 0. Returns as args_time.
 */
int args_deadline(uint64_t from, uint64_t *ret_ns);

/*
 * Copy a structure that later kernels may extend. size: its bytes in the program's version; least: its bytes in the
 * first version; known: its bytes in this kernel's version. Bytes of *to that the program does not give become 0.
 * Returns 0, -EFAULT, -EINVAL (less than `least`), -E2BIG (more than a page, or the program sets bytes that this kernel
 * does not know).
 */
int args_get_versioned(void *to, size_t known, size_t least, uint64_t from, uint64_t size);

/* Copy the path at `from` to the heap; the caller frees it by kfree. Returns 0, -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int args_path(uint64_t from, char **ret);

/*
 * A path, and the places where it starts, held: another thread may change the working directory, or close the
 * descriptor.
 */
struct user_path {
	char *text;
	struct path_base base;
};

/*
 * Get the path at user address `from`; if relative it starts in the working directory (fd AT_FDCWD) or in the directory
 * of descriptor `fd`. Returns 0, and the caller calls user_path_put(); or args_path's errors, -EBADF, -ENOTDIR.
 */
int user_path_get(uint64_t fd, uint64_t from, struct user_path *ret);

/* Do user_path_get() for a path that starts at `fd` even if it is absolute (RESOLVE_IN_ROOT). */
int user_path_get_inside(uint64_t fd, uint64_t from, struct user_path *ret);

void user_path_put(struct user_path *path);

/* Let other tasks run, and return whether the current one must end: the `pause` of path_base for system calls. */
bool user_path_pause(void);

/*
 * Find the node of a path; *ret is a reference. flags: PATH_…. Returns 0, or the errors of user_path_get and
 * path_lookup.
 */
int user_path_lookup(uint64_t fd, uint64_t from, unsigned flags, struct node **ret);

/* Find the place of a path; the caller drops the references in *ret by place_put(). Returns as user_path_lookup. */
int user_path_place(uint64_t fd, uint64_t from, unsigned flags, struct place *ret);

/* Do user_path_lookup() for a node that is to be changed: returns -EROFS for a mount that is read-only, too. */
int user_path_change(uint64_t fd, uint64_t from, unsigned flags, struct node **ret);

/* Linux's struct rusage, of getrusage(2). */
struct linux_rusage {
	struct linux_timeval user, system;
	int64_t max_rss_kib;
	int64_t unused1[3];
	int64_t minor_faults, major_faults;
	int64_t unused2[6];
	int64_t voluntary, involuntary; /* number of switches to other tasks */
};

_Static_assert(sizeof(struct linux_rusage) == 144, "Linux's struct rusage");

/* Return a struct rusage that says what was used, and that at most `pages` pages were in memory at once. */
static inline struct linux_rusage rusage_of(const struct usage *used, uint64_t pages)
{
	return (struct linux_rusage){
		.user = timeval_from_ns(used->user_ns),
		.system = timeval_from_ns(used->system_ns),
		.max_rss_kib = (int64_t)(pages * (PAGE_SIZE / 1024)),
		.minor_faults = (int64_t)used->faults,
		.voluntary = (int64_t)used->voluntary,
		.involuntary = (int64_t)used->involuntary,
	};
}

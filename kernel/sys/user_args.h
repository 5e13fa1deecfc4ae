/*
 * What system calls get from the user and hand back, checked and copied.
 */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/irq/clock.h"
#include "kernel/sys/calls.h"
#include "kernel/sys/linux_time.h"
#include "kernel/task/find.h"
#include "kernel/task/signal.h"

/*
 * From the user and to it: 0, -EFAULT or -ERESTART_MEMORY, after which the caller lets go of what it holds, undoes what it
 * has done, and returns: the call will be begun again. A comment that says -EFAULT means both.
 */
static inline int args_get(void *to, uint64_t from, size_t size)
{
	return copy_errno(copy_from_user(to, user_pointer(from), size));
}

static inline int args_put(uint64_t to, const void *from, size_t size)
{
	return copy_errno(copy_to_user(user_pointer(to), from, size));
}

/* Get an argument that may be left out: with a `from` of 0 nothing is copied. */
static inline int args_get_if(void *to, uint64_t from, size_t size)
{
	return from ? args_get(to, from, size) : 0;
}

/*
 * For the last step of a call whose effect cannot be undone: 0 or -EFAULT, or -ERESTART_MEMORY when the task is to end. With
 * a `to` of 0 nothing is copied. Waits for memory when there is none, so the caller holds no lock, nor any pointer whose
 * object is not held.
 */
int args_put_late(uint64_t to, const void *from, size_t size);

/* A struct timespec as nanoseconds. -EFAULT, -EINVAL as timespec_to_ns. */
int args_time(uint64_t from, uint64_t *ret_ns);

/* The file behind a descriptor, held: HELD_FILE, as another thread may close the descriptor. NULL: -EBADF. */
static inline struct file *args_file_get(uint64_t fd)
{
	return fd_file_get(process_current()->fds, (int)fd);
}

static inline bool args_file_exists(uint64_t fd)
{
	return fd_file_peek(process_current()->fds, (int)fd);
}

/* A descriptor for `file`, whose reference it takes over, on error too. flags: O_CLOEXEC or not. fd_install's errors. */
int64_t args_install(struct file *file, uint64_t flags);

/* `ns` from now on, by the monotonic clock; just before never when it would be later. */
uint64_t deadline_in(uint64_t ns);

/*
 * A struct timespec from now on as a deadline: TASK_NO_DEADLINE when `from` is 0, and 0, which has passed, for no time
 * at all. args_time's errors.
 */
int args_deadline(uint64_t from, uint64_t *ret_ns);

/* A path of the user's, in the heap: kfree. -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int args_path(uint64_t from, char **ret);

/* A path and where it starts, both nodes held: another thread may change its directory, or close `fd`. */
struct user_path {
	char *text;
	struct path_base base;
};

/*
 * The path at user address `from`, from the working directory on (fd AT_FDCWD), or from the directory that `fd` is.
 * args_path's errors, -EBADF, -ENOTDIR; the last two only when the path is relative.
 */
int user_path_get(uint64_t fd, uint64_t from, struct user_path *ret);
void user_path_put(struct user_path *path);

/* The node that it leads to, held. flags: PATH_…. user_path_get's and path_lookup's errors. */
int user_path_lookup(uint64_t fd, uint64_t from, unsigned flags, struct node **ret);

/* getrusage(2). */
struct linux_rusage {
	struct linux_timeval user, system;
	int64_t max_rss_kib;
	int64_t unused1[3];
	int64_t minor_faults, major_faults;
	int64_t unused2[8];
};

_Static_assert(sizeof(struct linux_rusage) == 144, "Linux's struct rusage");

/* For that much CPU time and so many page faults: the kernel counts all time as the user's. */
static inline struct linux_rusage rusage_of(uint64_t run_ns, uint64_t faults)
{
	return (struct linux_rusage){ .user = timeval_from_ns(run_ns), .minor_faults = (int64_t)faults };
}

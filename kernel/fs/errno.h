/*
 * Linux's error numbers, and their relation to `enum status`. Directories in layers below kernel/fs (paging, kernel/mm,
 * …) return `enum status`, which has few values. From kernel/fs and kernel/task up a function returns 0 or a negative
 * Linux error number: which of Linux's many errors a system call ends with (ENOTEMPTY, EXDEV, ESRCH) is decided where
 * the cause is found, and `enum status` could not say it. Layers below cannot include this file; scripts/check-layers
 * checks that.
 */
#pragma once

#include "paging/types.h"

/* Names as in errno(3), numbers of the x86-64 ABI. */
enum linux_errno {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EIO = 5,
	ENXIO = 6,
	E2BIG = 7,
	ENOEXEC = 8,
	EBADF = 9,
	ECHILD = 10,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EFAULT = 14,
	ENOTBLK = 15,
	EBUSY = 16,
	EEXIST = 17,
	EXDEV = 18,
	ENODEV = 19,
	ENOTDIR = 20,
	EISDIR = 21,
	EINVAL = 22,
	ENFILE = 23,
	EMFILE = 24,
	ENOTTY = 25,
	ETXTBSY = 26,
	EFBIG = 27,
	ENOSPC = 28,
	ESPIPE = 29,
	EROFS = 30,
	EMLINK = 31,
	EPIPE = 32,
	EDOM = 33,
	ERANGE = 34,
	EDEADLK = 35,
	ENAMETOOLONG = 36,
	ENOSYS = 38,
	ENOTEMPTY = 39,
	ELOOP = 40,
	ENOMSG = 42,
	EIDRM = 43,
	ENODATA = 61,
	EOVERFLOW = 75,
	ELIBBAD = 80,
	ENOTSOCK = 88,
	EMSGSIZE = 90,
	EPROTOTYPE = 91,
	ENOPROTOOPT = 92,
	EPROTONOSUPPORT = 93,
	ESOCKTNOSUPPORT = 94,
	EOPNOTSUPP = 95,
	EAFNOSUPPORT = 97,
	EADDRINUSE = 98,
	ECONNABORTED = 103,
	ECONNRESET = 104,
	ENOBUFS = 105,
	EISCONN = 106,
	ENOTCONN = 107,
	ETOOMANYREFS = 109,
	ETIMEDOUT = 110,
	ECONNREFUSED = 111,
	ESTALE = 116,
	EDQUOT = 122,
	ECANCELED = 125,
	ENOKEY = 126,
	EKEYEXPIRED = 127,
	EKEYREVOKED = 128,

	/*
	 * Inside the kernel only: a copy from or to user memory could not get a frame, and the call has changed
	 * nothing. The task makes the system call again once there is memory (task_begin_again).
	 */
	ERESTART_MEMORY = 600,
};

/* Return the error number for `status`: 0 or negative. */
static inline int errno_of(enum status status)
{
	switch (status) {
	case OK:
		return 0;
	case ERR_RANGE:
		return -EINVAL;
	case ERR_EXISTS:
		return -EEXIST;
	case ERR_NOT_FOUND:
		return -ENOENT;
	case ERR_NO_MEMORY:
		return -ENOMEM;
	case ERR_RIGHTS:
		return -EACCES;
	case ERR_FORMAT:
		return -ENOEXEC;
	case ERR_FAULT:
		return -EFAULT;
	}
	return -EINVAL;
}

/* Return the error number for the status of a copy from or to user memory. For ERR_NO_MEMORY: -ERESTART_MEMORY. */
static inline int copy_errno(enum status status)
{
	return status == ERR_NO_MEMORY ? -ERESTART_MEMORY : errno_of(status);
}

/*
 * Linux's constants of open(2), stat(2), lseek(2), poll(2), getdents64(2), fcntl(2) and the *at calls on x86-64, which
 * programs have compiled in; octal where Linux's headers have them so.
 */
#pragma once

enum linux_open {
	O_RDONLY = 0,
	O_WRONLY = 1,
	O_RDWR = 2,
	O_ACCMODE = 3,
	O_CREAT = 0100,
	O_EXCL = 0200,
	O_NOCTTY = 0400,
	O_TRUNC = 01000,
	O_APPEND = 02000,
	O_NONBLOCK = 04000,
	O_DSYNC = 010000,
	O_ASYNC = 020000,
	O_DIRECT = 040000,
	O_LARGEFILE = 0100000,
	O_DIRECTORY = 0200000,
	O_NOFOLLOW = 0400000,
	O_NOATIME = 01000000,
	O_CLOEXEC = 02000000,
	O_SYNC = 04010000,
	O_PATH = 010000000,
	O_TMPFILE = 020000000, /* the bit alone: a C library's O_TMPFILE has O_DIRECTORY, too */
};

enum linux_mode {
	S_IFMT = 0170000,
	S_IFSOCK = 0140000,
	S_IFLNK = 0120000,
	S_IFREG = 0100000,
	S_IFBLK = 0060000,
	S_IFDIR = 0040000,
	S_IFCHR = 0020000,
	S_IFIFO = 0010000,
	S_ISUID = 04000,
	S_ISGID = 02000,
	S_ISVTX = 01000,
	MODE_PERMISSIONS = 07777, /* the bits that chmod(2) can set */
	MODE_EXECUTE = 0111,
};

/*
 * The SEEK_ values are macros, not an enum: cppcheck replaces these names by the C library's values, and would then
 * find numbers in place of enumerators.
 */
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

enum linux_poll {
	POLLIN = 0x001,
	POLLPRI = 0x002,
	POLLOUT = 0x004,
	POLLERR = 0x008,
	POLLHUP = 0x010,
	POLLNVAL = 0x020,
	POLLRDNORM = 0x040,
	POLLWRNORM = 0x100,
	POLLMSG = 0x400,
	POLLWRBAND = 0x200,
	POLLRDHUP = 0x2000,
};

enum linux_at {
	AT_FDCWD = -100,
	AT_SYMLINK_NOFOLLOW = 0x100,
	AT_REMOVEDIR = 0x200,
	AT_SYMLINK_FOLLOW = 0x400,
	AT_NO_AUTOMOUNT = 0x800,
	AT_EMPTY_PATH = 0x1000,
};

/* `resolve` of openat2(2)'s struct open_how. */
enum linux_resolve {
	RESOLVE_NO_XDEV = 1, /* the lookup enters no other mount */
	RESOLVE_NO_MAGICLINKS =
		2, /* the lookup follows no link that leads somewhere without a path, as those of /proc/self/fd */
	RESOLVE_NO_SYMLINKS = 4, /* the lookup follows no symbolic link */
	RESOLVE_BENEATH = 8,     /* the lookup does not leave the directory where it starts */
	RESOLVE_IN_ROOT = 16,    /* the directory where it starts counts as the root */
	RESOLVE_CACHED = 32,     /* the lookup does not wait for anything */
};

enum linux_rename { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2 };

enum linux_seal {
	F_SEAL_SEAL = 1,            /* no more seals can be added */
	F_SEAL_SHRINK = 2,          /* the file does not become shorter */
	F_SEAL_GROW = 4,            /* the file does not become longer */
	F_SEAL_WRITE = 8,           /* the file's bytes do not change */
	F_SEAL_FUTURE_WRITE = 0x10, /* the file's bytes change only by mappings that exist already */
	F_SEALS = 0x1f,
};

enum linux_fd { FD_CLOEXEC = 1 };

#define NAME_MAX 255   /* most bytes of one name */
#define PATH_MAX 4096  /* most bytes of a path, its NUL included */
#define PIPE_BUF 4096  /* most bytes of a write to a pipe that is atomic: not mixed with other writes */
#define LINK_MAX 65000 /* most names of one file */
#define LOOP_MAX 40    /* most symbolic links followed in one lookup */

/* Return the kind of a directory entry (DT_…) for the type bits of `mode`. */
#define DIRENT_TYPE(mode) (((mode)&S_IFMT) >> 12)

/* Make a device number as stat(2) shows it (gnu_dev_makedev's 64-bit form cut to the kernel's 12:20 bits). */
#define DEVICE_NUMBER(major, minor) \
	((uint64_t)((minor)&0xff) | (uint64_t)((major)&0xfff) << 8 | (uint64_t)((minor) & ~0xffU) << 12)
#define DEVICE_MAJOR(number) ((unsigned)((number) >> 8 & 0xfff))
#define DEVICE_MINOR(number) ((unsigned)((number)&0xff) | (unsigned)((number) >> 12 & ~0xffU))

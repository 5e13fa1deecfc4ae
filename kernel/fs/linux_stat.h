/*
 * The structures that stat(2), statx(2), statfs(2) and getdents64(2) fill in, laid out as on Linux on x86-64.
 */
#pragma once

#include "paging/types.h"

/* struct timespec: seconds since 1970 and nanoseconds. */
struct linux_timespec {
	int64_t seconds;
	int64_t nanoseconds;
};

struct linux_stat {
	uint64_t dev;
	uint64_t ino;
	uint64_t nlink;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t pad;
	uint64_t rdev;
	int64_t size;
	int64_t blksize;
	int64_t blocks; /* counted in units of 512 bytes */
	struct linux_timespec atime;
	struct linux_timespec mtime;
	struct linux_timespec ctime;
	int64_t unused[3];
};

struct linux_statx_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t pad;
};

struct linux_statx {
	uint32_t mask; /* STATX_…: which of the fields are filled in */
	uint32_t blksize;
	uint64_t attributes;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t pad;
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	struct linux_statx_time atime;
	struct linux_statx_time btime;
	struct linux_statx_time ctime;
	struct linux_statx_time mtime;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t mount_id;
	uint64_t unused[13];
};

#define STATX_BASIC_STATS 0x7ffU
#define STATX_BTIME       0x800U
#define STATX_MNT_ID      0x1000U

struct linux_statfs {
	int64_t type;
	int64_t bsize;
	uint64_t blocks; /* blocks, bfree and bavail are in units of bsize bytes */
	uint64_t bfree;
	uint64_t bavail;
	uint64_t files;
	uint64_t ffree;
	int32_t fsid[2];
	int64_t namelen;
	int64_t frsize;
	int64_t flags;
	int64_t spare[4];
};

/* The fixed part of a directory entry; it is followed by the name, its NUL, and zeros up to a multiple of 8. */
struct linux_dirent64 {
	uint64_t ino;
	int64_t off; /* position of the next entry, for lseek(2) */
	uint16_t reclen;
	uint8_t type; /* DT_… */
} __attribute__((packed));

_Static_assert(sizeof(struct linux_stat) == 144, "Linux's struct stat");
_Static_assert(sizeof(struct linux_statx) == 256, "Linux's struct statx");
_Static_assert(sizeof(struct linux_statfs) == 120, "Linux's struct statfs");
_Static_assert(sizeof(struct linux_dirent64) == 19, "Linux's struct linux_dirent64");

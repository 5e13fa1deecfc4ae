/*
 * Linux's constants of mount(2), umount2(2) and statfs(2)'s f_flags.
 */
#pragma once

enum linux_mount {
	MS_RDONLY = 1,
	MS_NOSUID = 2,
	MS_NODEV = 4,
	MS_NOEXEC = 8,
	MS_SYNCHRONOUS = 16,
	MS_REMOUNT = 32,
	MS_MANDLOCK = 64,
	MS_DIRSYNC = 128,
	MS_NOATIME = 1024,
	MS_NODIRATIME = 2048,
	MS_BIND = 4096,
	MS_MOVE = 8192,
	MS_REC = 16384,
	MS_SILENT = 32768,
	MS_UNBINDABLE = 1 << 17,
	MS_PRIVATE = 1 << 18,
	MS_SLAVE = 1 << 19,
	MS_SHARED = 1 << 20,
	MS_RELATIME = 1 << 21,
	MS_STRICTATIME = 1 << 24,
	MS_LAZYTIME = 1 << 25,
};

/*
 * The flags of mount(2) that each mount has for itself, and those that a file system has. The other flags are ignored,
 * or choose what mount(2) does (MS_BIND).
 */
#define MS_OF_MOUNT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
#define MS_OF_FS    (MS_RDONLY | MS_SYNCHRONOUS)

enum linux_umount { MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8 };

/* f_flags of statfs(2). ST_SAME: the bits that have the same value as the MS_ flag of that name. */
enum linux_statfs_flags { ST_SAME = 0xc1f, ST_VALID = 0x20, ST_RELATIME = 0x1000 };

/*
 * What is mounted where: the list behind /proc/mounts, and mount(2) and umount(2) without their pointers.
 * node_mount and node_unmount do the covering; here are the kinds of file systems and the rules.
 */
#pragma once

#include "kernel/fs/node.h"

struct text;

/* mount(2)'s flags: Linux's numbers. */
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

/* umount2(2)'s. */
enum linux_umount { MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8 };

/* A kind of file system. */
struct mount_type {
	const char *name;
	bool single; /* on Linux one file system, whatever mounts it: a second time at the same place is -EBUSY */
	/* A new one, its root held in *ret. `options` as mount -o, "" for none. -EINVAL (an option), -ENOMEM. */
	int (*create)(const char *options, struct node **ret);
	/* The end of one. Nothing of it is held but its root, by the caller. */
	void (*destroy)(struct node *root);
	struct mount_type *next; /* owned by the list */
};

struct mount {
	struct node *root; /* held */
	const struct mount_type *type;
	char *source;       /* the heap's */
	unsigned flags;     /* those that /proc/mounts shows */
	struct mount *next; /* in the order in which they came */
};

/* Make a kind known. It stays for ever; the name must be new. */
void mount_type_add(struct mount_type *type);

/* "nodev\tNAME" lines: /proc/filesystems. */
void mount_list_types(struct text *text);

/* The root of the tree, which nobody can unmount. Once. -ENOMEM. */
int mount_set_root(const char *type, struct node *root);

/*
 * Mount a new file system on the directory `at`. flags: MS_…, the attributes. -ENODEV (no such type), -ENOTDIR, -EBUSY (a single one that
 * is there already), -EINVAL (options), -EOPNOTSUPP (MS_RDONLY), -ENOMEM.
 */
int mount_add(const char *type, const char *source, struct node *at, unsigned flags, const char *options);

/* MS_REMOUNT: other flags for the file system whose root `root` is. -EINVAL: it is none. -EOPNOTSUPP. */
int mount_change(struct node *root, unsigned flags);

/* MS_MOVE: from where it is to `at`. -EINVAL (no root, or the tree's), -ELOOP (into itself), -ENOTDIR, -EBUSY. */
int mount_move(struct node *root, struct node *at);

/*
 * Unmount the file system whose root `root` is. Takes the caller's hold of it over, on error too. -EINVAL: it is none. -EBUSY:
 * somebody uses it, or something is mounted in it, or it is the tree's root.
 */
int mount_remove(struct node *root);

/* The lines of /proc/mounts as somebody with that root sees them. */
void mount_list(struct node *root, struct text *text);

/*
 * One mounted file system: the state that its nodes (inodes) share.
 */
#pragma once

#include "kernel/fs/linux_mount.h"
#include "kernel/lib/radix.h"
#include "paging/types.h"

struct mount;
struct node;

/* A mounted file system. Guard: tasks only, which the kernel does not preempt. */
struct fs {
	const char *name;     /* the type's name in /proc/mounts: "tmpfs" */
	uint64_t device;      /* the device number that stat(2) returns */
	int64_t magic;        /* the type's number that statfs(2) returns */
	bool unsized;         /* its files take no memory: statfs(2) returns 0 blocks */
	uint64_t nodes;       /* how many nodes exist now */
	uint64_t last_number; /* the inode number that was given last */
	uint64_t refs;        /* sum of the references to all nodes */
	/*
	 * how many of `refs` the file system itself holds, by names and node->parent; the mount and users hold the
	 * others
	 */
	uint64_t own;
	struct mount *mount;      /* one of its mounts, the oldest (mount.h); NULL: it is mounted nowhere */
	struct node *root;        /* the root, with a reference to it, while it is mounted; NULL at other times */
	unsigned flags;           /* the flags of mount(2) that hold for all its mounts, of MS_OF_FS */
	uint64_t writers;         /* how many open files and mappings may write to its regular files */
	uint64_t pages;           /* frames of the files' contents, and pages of the initramfs that are used in place */
	uint64_t pages_max;       /* limit on `pages`; 0: none */
	uint64_t nodes_max;       /* limit on `nodes`; 0: none */
	uint64_t attribute_bytes; /* bytes of extended attributes in the heap; count towards `pages_max` */
	struct radix by_number;   /* the nodes that have a handle (tmpfs_find_number), without references */
	uint64_t watches;         /* number of watches on its nodes (notify.h) */
	bool keeps_nodes;         /* nodes with names are not freed when nobody uses them; fixed when made */
	bool ends; /* the file system is being freed: watchers of its nodes are told IN_UNMOUNT, not IN_DELETE_SELF */
	/*
	 * the root, with a reference to it, from the moment when the last mount ends until the last user is gone; NULL
	 * at other times
	 */
	struct node *detached;
	/*
	 * frees the file system; called when its last mount has ended and `detached` is the only reference to its nodes
	 */
	void (*destroy)(struct node *root);
};

/* Return whether changes are refused (-EROFS). */
static inline bool fs_is_read_only(const struct fs *fs)
{
	return fs->flags & MS_RDONLY;
}

/* The minor number, beside the major number 0, in fs.device of the file system of anonymous files. */
#define ANONYMOUS_DEVICE 0xffffe

/* Return a number for fs.device that no other file system has (after 2^20 of them the numbers repeat). */
uint64_t fs_new_device(void);

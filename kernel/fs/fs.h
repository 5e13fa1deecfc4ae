/*
 * What the nodes of one mounted file system have in common.
 */
#pragma once

#include "kernel/fs/linux_mount.h"
#include "paging/types.h"

struct node;

/* Guard: the kernel, one CPU, not preempted. */
struct fs {
	const char *name; /* the type's name in /proc/mounts: "tmpfs" */
	uint64_t device;  /* the device number that stat(2) tells */
	int64_t magic;    /* the type's number that statfs(2) tells */
	bool unsized;     /* has no memory of its own: statfs says 0 blocks */
	uint64_t nodes;   /* how many nodes exist now */
	uint64_t last_number;
	uint64_t refs; /* references to all of its nodes together */
	/* those references that come from names and parents; while refs is larger somebody uses the file system */
	uint64_t own;
	unsigned flags;     /* MS_ATTRIBUTES of its mount */
	uint64_t writers;   /* open files that may be written to */
	uint64_t pages;     /* frames of the files' contents, and pages of the initramfs that are used in place */
	uint64_t pages_max; /* 0: no limit; likewise for nodes_max */
	uint64_t nodes_max;
	struct node *detached;              /* after an unmount while it was in use: its root, held; else NULL */
	void (*destroy)(struct node *root); /* ends a detached file system, as soon as only its root is held */
};

/* Return whether changes are refused (-EROFS). */
static inline bool fs_is_read_only(const struct fs *fs)
{
	return fs->flags & MS_RDONLY;
}

/* Return a number for fs.device that no other file system has (after 2^20 of them the numbers repeat). */
uint64_t fs_new_device(void);

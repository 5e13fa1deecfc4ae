/*
 * What the nodes of one mounted file system have in common.
 */
#pragma once

#include "kernel/fs/linux_mount.h"
#include "paging/types.h"

struct node;

struct fs {
	const char *name; /* as in /proc/mounts: "tmpfs" */
	uint64_t device;  /* st_dev */
	int64_t magic;    /* statfs' f_type */
	bool unsized;     /* holds no memory of its own: statfs says 0 blocks */
	uint64_t nodes;   /* that exist now */
	uint64_t last_number;
	uint64_t refs;    /* of all its nodes together */
	uint64_t own;     /* of those the ones that names and parents account for; while there are others it is busy */
	unsigned flags;   /* MS_ATTRIBUTES of its mount */
	uint64_t writers; /* descriptions of files that are open for writing */
	uint64_t pages;   /* frames that contents have, and pages of the initramfs in place */
	uint64_t pages_max; /* 0: no limit, as for the next */
	uint64_t nodes_max;
	struct node *detached;              /* the root, of one that was unmounted while it was busy; held */
	void (*destroy)(struct node *root); /* for that: its end, when only the root is held any more */
};

/* Are changes refused (-EROFS)? */
static inline bool fs_is_read_only(const struct fs *fs)
{
	return fs->flags & MS_RDONLY;
}

/* A number for fs.device that no other has (of 2^20, then they come again). */
uint64_t fs_new_device(void);

/*
 * What the nodes of one mounted file system have in common.
 */
#pragma once

#include "paging/types.h"

struct fs {
	const char *name; /* as in /proc/mounts: "tmpfs" */
	uint64_t device;  /* st_dev */
	int64_t magic;    /* statfs' f_type */
	bool unsized;     /* holds no memory of its own: statfs says 0 blocks */
	uint64_t nodes;   /* that exist now */
	uint64_t last_number;
	uint64_t refs; /* of all its nodes together */
	uint64_t own;  /* of those the ones that names and parents account for; while there are others it is busy */
};

/* A number for fs.device that no other has (of 2^20, then they come again). */
uint64_t fs_new_device(void);

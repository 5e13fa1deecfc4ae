/*
 * Makes files from the entries of cpio archives, for initramfs.c.
 */
#pragma once

#include "kernel/fs/cpio.h"
#include "kernel/fs/initramfs.h"
#include "kernel/fs/path.h"
#include "kernel/lib/tree.h"

/* A directory's time, set at the end: whatever is made in the directory changes it. Guard: the unpacking. */
struct directory_time {
	struct directory_time *next;
	struct node *node; /* a counted reference */
	uint32_t mtime;
};

/* The state of unpacking archives; 12 KiB. Guard: the caller of initramfs_unpack(). */
struct unpacking {
	struct cpio cpio;
	struct path_base base;
	struct initramfs_report *report;

	/*
	 * Where the bytes at `kept_bytes` lie, if the bytes that the cpio reader gets stay there for ever: files then
	 * use them in place. Otherwise kept_bytes is NULL, and files get copies.
	 */
	const uint8_t *kept_bytes;
	paddr_t kept;
	uint64_t run_at;         /* where in the initramfs this run of archives begins: added to offsets in messages */
	struct tree_node *links; /* files with several names whose first has been unpacked, until the archive ends */
	struct directory_time *times, **times_end;
	/* the file that the current entry has made, a counted reference; NULL: the entry was passed over */
	struct node *file;
	uint64_t filled;     /* bytes of content that the current entry's file has got */
	uint32_t sum;        /* sum of these bytes, if the entry has a checksum */
	char path[PATH_MAX]; /* the current entry's name */
};

/* Start to unpack into `root`. */
void unpacking_start(struct unpacking *u, struct node *root, struct initramfs_report *report);

/*
 * Unpack the next bytes, up to their end or to the place between two archives where something else than a cpio archive
 * begins: *ret_used is how many bytes that are. Returns 0, -EINVAL or -ENOMEM: then report->what and report->offset are
 * set, the latter from the first byte of this run of archives on.
 */
int unpacking_feed(struct unpacking *u, const uint8_t *bytes, uint64_t size, uint64_t *ret_used);

/*
 * End a run of archives; the next run may begin. Returns 0; or, when the last archive is cut off, -EINVAL with
 * report->what and report->offset set.
 */
int unpacking_end_run(struct unpacking *u);

/* Give up the entry that is being unpacked, if any, and remove its file. */
void unpacking_give_up(struct unpacking *u);

/* Set the directories' times, and free all but `u` itself. */
void unpacking_end(struct unpacking *u);

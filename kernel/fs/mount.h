/*
 * What is mounted where: the list behind /proc/mounts, and mount(2) and umount(2) without their pointers.
 * node_mount and node_unmount do the covering; here are the kinds of file systems and the rules.
 */
#pragma once

#include "kernel/fs/node.h"

struct text;

/* A kind of file system. */
struct mount_type {
	const char *name;
	bool single; /* on Linux one file system, whatever mounts it: a second time at the same place is -EBUSY */
	/* A new one, its root held in *ret. `options` as mount -o, "" for none. -EINVAL (an option), -ENOMEM. */
	int (*create)(const char *options, struct node **ret);
	/* MS_REMOUNT with options. As above; what came before a bad one has happened. NULL: they are not looked at. */
	int (*change)(struct node *root, const char *options);
	/* The end of one. Nothing of it is held but its root, by the caller. */
	void (*destroy)(struct node *root);
	struct mount_type *next; /* owned by the list */
};

struct mount {
	struct node *root; /* held */
	const struct mount_type *type;
	char *source;       /* the heap's */
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
 * is there already), -EINVAL (options), -ENOMEM.
 */
int mount_add(const char *type, const char *source, struct node *at, unsigned flags, const char *options);

/*
 * MS_REMOUNT: other flags and options for the file system whose root `root` is. -EINVAL (it is none; an option), -EBUSY (MS_RDONLY,
 * while files are open for writing).
 */
int mount_change(struct node *root, unsigned flags, const char *options);

/* MS_MOVE: from where it is to `at`. -EINVAL (no root, or the tree's), -ELOOP (into itself), -ENOTDIR, -EBUSY. */
int mount_move(struct node *root, struct node *at);

/*
 * Unmount the file system whose root `root` is. Takes the caller's hold of it over, on error too. -EINVAL: it is none. -EBUSY:
 * somebody uses it, or something is mounted in it, or it is the tree's root.
 */
int mount_remove(struct node *root);

/* MNT_DETACH: the same at once, with all that is mounted in it; it ends when nobody uses it any more. -EINVAL, -EBUSY (the root). */
int mount_detach(struct node *root);

/* The lines of /proc/mounts as somebody with that root sees them. */
void mount_list(struct node *root, struct text *text);

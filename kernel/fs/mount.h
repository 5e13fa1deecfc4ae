/*
 * Mounts: the tree of what is mounted where, and the work of mount(2), umount2(2) and pivot_root(2). The list of kinds
 * of file systems is here, too.
 *
 * A mount shows a file system, or a part of it (a bind mount), at a place of another mount: several mounts may show the
 * same nodes. So only a node together with the mount by which it was reached, a struct place (name.h), has one path.
 * place.h crosses from mount to mount.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"

struct text;

/* Most mounts at once, as Linux's fs.mount-max; one that was unmounted counts while it is used. */
#define MOUNTS_MOST 100000

/* A kind of file system. Fixed after boot. */
struct mount_type {
	const char *name;
	/*
	 * Mounting this kind twice at one place returns -EBUSY, as on Linux, where all its mounts show the same
	 * files.
	 */
	bool single;
	/*
	 * Make a file system, or find one that is mounted already; *ret is a reference to its root. `options` as for
	 * mount -o, "" for none. Returns 0, -EINVAL (a bad option), -ENOMEM.
	 */
	int (*create)(const char *options, struct node **ret);
	/*
	 * Change options (MS_REMOUNT). Returns as `create`; on an error the options before the bad one have been
	 * changed. NULL: options are ignored.
	 */
	int (*change)(struct node *root, const char *options);
	/* Free a file system. The caller's reference to the root must be the only one to any of its nodes. */
	void (*destroy)(struct node *root);
	struct mount_type *next; /* next in the list of types; set by mount_type_add() */
};

/* A mount. Guard: tasks only, which the kernel does not preempt. */
struct mount {
	struct node *root; /* what lies at the mount point: the file system's root, or any node of it; a reference */
	struct mount
		*parent; /* the mount that this one lies on, a reference; NULL: the tree's root, or out of the tree */
	struct node *at; /* the node of `parent` that this one lies on, a reference; NULL without parent */
	const struct mount_type *type;
	char *source;    /* mount(2)'s source, a copy in the heap */
	uint64_t number; /* the mount ID; the later a mount was made the higher, and no number comes twice */
	/* the tree's reference, those of mounts that lie on this one, and of the places that are held. Atomic */
	uint64_t refs;
	uint64_t writers; /* how many files opened by way of this mount may be written to; mappings do not count */
	unsigned flags;   /* a set of flags of MS_OF_MOUNT */
	bool listed;      /* the mount is among all mounts: it has not been unmounted */
	bool unbindable;  /* no bind mount can be made of this mount (MS_UNBINDABLE) */
	struct tree_node in_order; /* the mount's place in the tree of all, which is sorted by number */
	struct tree_node *inside;  /* the mounts that lie on this one, sorted by the address of `at` */
	struct tree_node beside;   /* the mount's place in parent->inside */
	struct link same_fs;       /* place in a ring, without a head, of all mounts of the file system */
};

/* The number that stands for the mount of a node whose file system is mounted nowhere, as a pipe's. */
#define MOUNT_NUMBER_NONE 1

void mount_end(struct mount *mount); /* frees a mount whose last reference is gone; for mount_put only */

/* Take, or drop, a reference to a mount; NULL is allowed. The last one frees it, and perhaps its file system. */
static inline struct mount *mount_get(struct mount *mount)
{
	if (mount)
		__atomic_add_fetch(&mount->refs, 1, __ATOMIC_RELAXED);
	return mount;
}

static inline void mount_put(struct mount *mount)
{
	if (mount && !__atomic_sub_fetch(&mount->refs, 1, __ATOMIC_ACQ_REL))
		mount_end(mount);
}

/*
 * Return whether the tree has a reference to the mount. While an open section (kernel/sync/open_section.h) is inside
 * the gate `node_names` the tree keeps that reference, so none that the section drops is the last. True for NULL.
 */
static inline bool mount_is_kept(const struct mount *mount)
{
	return !mount || mount->listed;
}

/* Return the mount's own flags, of MS_OF_MOUNT; 0 for NULL. */
static inline unsigned mount_flags(const struct mount *mount)
{
	return mount ? mount->flags : 0;
}

/* Return whether the mount refuses changes (-EROFS), though its file system may be written by way of another one. */
static inline bool mount_is_read_only(const struct mount *mount)
{
	return mount_flags(mount) & MS_RDONLY;
}

static inline uint64_t mount_number_of(const struct mount *mount)
{
	return mount ? mount->number : MOUNT_NUMBER_NONE;
}

/* Add a kind of file system, whose name must be new. `type` must stay valid for ever. */
void mount_type_add(struct mount_type *type);

/* Add the lines of /proc/filesystems, "nodev\tNAME", to `text`. */
void mount_list_types(struct text *text);

/* Return the place of a kind of file system in that list, from 0 on; or -EINVAL: there is none of that name. */
int mount_type_number(const char *name);

/* Return the name of the kind at a place in that list; NULL: the list is shorter. */
const char *mount_type_name(size_t number);

/*
 * Look at some mounts for one whose file system has the device number `device`. *number is 0 at first, and says where
 * to go on; 0 again when all were looked at. Returns the mount, good until another task runs; NULL: none of these.
 */
struct mount *mount_find_device(uint64_t device, uint64_t *number);

/* Return the mount that lies on the place, without a reference; NULL: none does. */
struct mount *mount_on(const struct place *place);

/*
 * Unmount the mount whose root is `place`, which is held; the caller's references are dropped, on an error too. Returns
 * 0, -EINVAL (not a mount's root, or unmounted already), -EBUSY (the mount is used, or something is mounted in it, or
 * it is the tree's root).
 */
int mount_remove(struct place place);

/*
 * Take the mount whose root is `place`, and all that is mounted inside, out of the tree (MNT_DETACH). A mount lives on
 * until no reference to it is left. Drops the caller's references to `place`, on an error too. Returns 0, -EINVAL (not
 * a mount's root), -EBUSY (the tree's root).
 */
int mount_detach(struct place place);

/*
 * Do a step of mount_detach(), with mounts inside first. Does not drop the caller's references. Returns 1 when there is
 * more to do, otherwise what mount_detach() returns.
 */
int mount_detach_some(const struct place *place);

enum mount_listing {
	MOUNT_LINES,      /* the lines of /proc/PID/mounts (fstab(5)) */
	MOUNT_INFO_LINES, /* the lines of /proc/PID/mountinfo (proc(5)) */
};

/*
 * Add lines to `text`, as a process with the root directory `root` sees them, until `text` has `enough` bytes. *place
 * is 0 at first, and says where to go on. Returns whether there are more mounts; perhaps none of them gets a line,
 * since only mounts below `root` do.
 */
bool mount_list_some(enum mount_listing what, const struct place *root, uint64_t *place, size_t enough,
		     struct text *text);

/*
 * The rules that are the same in every file system: which names and types of nodes a call accepts, and how references
 * to nodes are counted.
 */
#include "kernel/fs/node.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/file_lock.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/node_internal.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/heap/heap.h"

/* Returns the time for nodes; NULL until node_set_clock(). Fixed after boot. */
static struct linux_timespec (*clock)(void);

void node_set_clock(struct linux_timespec (*now)(void))
{
	clock = now;
}

struct linux_timespec node_now(void)
{
	return clock ? clock() : (struct linux_timespec){ 0, 0 };
}

int node_run(struct node *node)
{
	if (node->writers)
		return -ETXTBSY;
	node->runners++;
	node_get(node);
	return 0;
}

void node_run_end(struct node *node)
{
	if (!node)
		return;
	ASSERT(node->runners > 0);
	node->runners--;
	node_put(node);
}

void node_init(struct node *node, const struct node_ops *ops, struct fs *fs, uint32_t mode)
{
	struct linux_timespec now = node_now();

	*node = (struct node){
		.ops = ops,
		.fs = fs,
		.number = ++fs->last_number,
		.mode = mode,
		.refs = 1,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
	};
	fs->nodes++;
	__atomic_add_fetch(&fs->refs, 1, __ATOMIC_RELAXED);
}

/* Free a file system that is mounted nowhere, now that fs->detached is the only reference to it from outside. */
static void end_detached(struct fs *fs)
{
	struct node *root = fs->detached;

	fs->detached = NULL;
	fs->destroy(root);
}

struct open_gate node_names; /* Open sections enter this gate to read names; see open_objects.h. Guard: itself */

/* Drop a reference to a node, but free nothing. Returns whether it was the last one. */
static inline bool drop(struct node *node)
{
	struct fs *fs = node->fs;
	const uint64_t left = __atomic_sub_fetch(&node->refs, 1, __ATOMIC_ACQ_REL);

	ASSERT(left != UINT64_MAX);
	__atomic_sub_fetch(&fs->refs, 1, __ATOMIC_ACQ_REL);
	return !left;
}

/*
 * Do what is to be done after a reference to `node` was dropped: free the node if it was the last one, or the file
 * system, if that was detached and nobody uses it any more. A node that is freed drops its reference to its parent,
 * which may be the parent's last, and so on up.
 */
static __attribute__((noinline)) void settle(struct node *node, bool last)
{
	for (;;) {
		struct node *parent = NULL;
		struct fs *fs = node->fs;

		if (last) {
			if (unlikely(node->watches))
				notify_gone(node);
			parent = node->parent;
			fs->nodes--;
			file_locks_free(node->locks);
			node->ops->free(node);
		}
		/* The reference to `parent` counts in fs->refs, so the file system stays until that is dropped. */
		if (fs->detached && fs->refs == fs->own + 1)
			end_detached(fs);
		if (!parent)
			return;
		node = parent;
		last = drop(node);
	}
}

/* Not inlined: gcc would split the function in two, which costs a call more for each name of a path. */
__attribute__((noinline)) void node_put(struct node *node)
{
	bool last;

	if (!node)
		return;
	last = drop(node);
	if (unlikely(last || node->fs->detached))
		settle(node, last);
}

uint64_t fs_new_device(void)
{
	static unsigned last; /* guard: tasks only, which the kernel does not preempt */

	last = last % (ANONYMOUS_DEVICE - 1) + 1;
	return DEVICE_NUMBER(0, last);
}

bool node_is_dots(struct name name)
{
	return node_is_dot(name) || node_is_dot_dot(name);
}

int node_lookup(struct node *dir, struct name name, struct node **ret)
{
	if (!node_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (name.size > NAME_MAX)
		return -ENAMETOOLONG;
	return dir->ops->lookup(dir, name, ret);
}

int node_check_new(struct node *dir, struct name name)
{
	if (!node_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (!name.size)
		return -ENOENT;
	if (node_is_dots(name))
		return -EEXIST;
	if (name.size > NAME_MAX)
		return -ENAMETOOLONG;
	return dir->links ? 0 : -ENOENT;
}

static bool exists(struct node *dir, struct name name)
{
	struct node *node;

	if (dir->ops->lookup(dir, name, &node) != 0)
		return false;
	node_put(node);
	return true;
}

/*
 * Return the mode of a node that `who` makes in `dir`. A directory made in one with the set-group-ID bit gets that bit,
 * too.
 */
static uint32_t mode_in(const struct node *dir, const struct credentials *who, uint32_t mode)
{
	const uint32_t as_group = S_ISGID | 010;

	if (!(dir->mode & S_ISGID))
		return mode;
	if ((mode & S_IFMT) == S_IFDIR)
		return mode | S_ISGID;
	/* Only a member of the directory's group may make a program that runs as that group. */
	if ((mode & as_group) == as_group && !credentials_in_group(who, dir->gid) && !credentials_can(who, CAP_FSETID))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
}

void node_own(struct node *node, const struct credentials *who)
{
	node->uid = who->uid.fs;
	node->gid = who->gid.fs;
}

static int create(struct node *dir, struct name name, const struct credentials *who, uint32_t mode, uint64_t device,
		  struct name target, struct node **ret)
{
	struct node *node;
	int error = node_check_new(dir, name);

	if (!error && !dir->ops->create)
		error = -EPERM;
	if (!error) {
		error = node_permit_create(dir, who, mode);
		if (error && exists(dir, name))
			error = -EEXIST;
	}
	if (error)
		return error;
	/* No open section (kernel/sync/open_section.h) must see the name before the node has its owner. */
	open_gate_close(&node_names);
	error = dir->ops->create(dir, name, mode_in(dir, who, mode), device, target, &node);
	if (!error)
		node_own(node, who);
	if (!error && dir->mode & S_ISGID)
		node->gid = dir->gid;
	open_gate_open(&node_names);
	if (error)
		return error;
	notify_name(dir, name, node->mode, IN_CREATE);
	if (ret)
		*ret = node;
	else
		node_put(node);
	return 0;
}

int node_create(struct node *dir, struct name name, const struct credentials *who, uint32_t mode, uint64_t device,
		struct node **ret)
{
	return create(dir, name, who, mode, device, (struct name){ 0 }, ret);
}

int node_symlink(struct node *dir, struct name name, const struct credentials *who, struct name target,
		 struct node **ret)
{
	if (!target.size)
		return -ENOENT;
	if (target.size >= PATH_MAX)
		return -ENAMETOOLONG;
	return create(dir, name, who, S_IFLNK | 0777, 0, target, ret);
}

int node_link(struct node *dir, struct name name, const struct credentials *who, struct node *node)
{
	int error = node_check_new(dir, name);

	if (error)
		return error;
	if (dir->fs != node->fs)
		return -EXDEV;
	error = node_permit_link(dir, who, node);
	if (error)
		return exists(dir, name) ? -EEXIST : error;
	if (node_is(node, S_IFDIR))
		return -EPERM;
	if (!dir->ops->link)
		return -EPERM;
	if (node->links >= LINK_MAX)
		return -EMLINK;
	open_gate_close(&node_names);
	error = dir->ops->link(dir, name, node);
	open_gate_open(&node_names);
	if (!error) {
		notify_self(node, IN_ATTRIB);
		notify_name(dir, name, node->mode, IN_CREATE);
	}
	return error;
}

int node_find_own(struct node *dir, struct name name, struct node **ret)
{
	if (!node_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (fs_is_read_only(dir->fs))
		return -EROFS;
	if (name.size > NAME_MAX)
		return -ENAMETOOLONG;
	return name.size ? dir->ops->lookup(dir, name, ret) : -ENOENT;
}

/*
 * Remove the name `name` of a node and tell the watchers, unless `error` is set; and drop the caller's reference to the
 * node. As on Linux, if this was the last name, watchers of the node are told of its end before watchers of the
 * directory are told that the name is gone. Returns `error`, or the error of the file system.
 */
static int remove_name(struct node *dir, struct name name, struct node *node, int error)
{
	const uint32_t mode = node->mode;

	open_gate_close(&node_names);
	if (!error)
		error = dir->ops->unlink ? dir->ops->unlink(dir, name) : -EPERM;
	open_gate_open(&node_names);
	if (!error && (mode & S_IFMT) != S_IFDIR)
		notify_self(node, IN_ATTRIB);
	node_put(node);
	if (!error)
		notify_name(dir, name, mode, IN_DELETE);
	return error;
}

int node_unlink(struct node *dir, struct name name, const struct credentials *who)
{
	struct node *node;
	int error = node_is_dots(name) ? -EISDIR : node_find_own(dir, name, &node);

	if (error)
		return error;
	error = node_permit_remove(dir, who, node);
	if (!error && node_is(node, S_IFDIR))
		error = -EISDIR;
	if (!error && node->mounts)
		error = -EBUSY;
	return remove_name(dir, name, node, error);
}

int node_rmdir(struct node *dir, struct name name, const struct credentials *who)
{
	struct node *node;
	int error;

	if (node_is_dots(name))
		return name.size == 1 ? -EINVAL : -ENOTEMPTY;
	error = node_find_own(dir, name, &node);
	if (error)
		return error;
	error = node_permit_remove(dir, who, node);
	if (!error && !node_is(node, S_IFDIR))
		error = -ENOTDIR;
	if (!error && node->mounts)
		error = -EBUSY;
	return remove_name(dir, name, node, error);
}

bool node_is_inside(const struct node *dir, const struct node *node)
{
	for (; dir; dir = dir->parent)
		if (dir == node)
			return true;
	return false;
}

void link_target_put(struct link_target *target)
{
	kfree(target->made);
}

int node_readlink(struct node *node, struct link_target *ret)
{
	return node_is(node, S_IFLNK) ? node->ops->readlink(node, ret) : -EINVAL;
}

int node_resize_check(const struct node *node)
{
	if (node_is(node, S_IFDIR))
		return -EISDIR;
	if (!node_is(node, S_IFREG))
		return -EINVAL;
	if (fs_is_read_only(node->fs))
		return -EROFS;
	return node->ops->truncate ? 0 : -EPERM;
}

int node_truncate(struct node *node, uint64_t size)
{
	int error = node_resize_check(node);

	return error ? error : node->ops->truncate(node, size);
}

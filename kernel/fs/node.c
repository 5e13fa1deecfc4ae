/*
 * The rules that are the same in every file system: which names and types of nodes a call accepts, how mounts are
 * crossed, and how references to nodes are counted.
 */
#include "kernel/fs/node.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/file_lock.h"
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
	fs->refs++;
}

/* Free a file system unmounted by mount_detach(), now that fs->detached is the only reference to it from outside. */
static void end_detached(struct fs *fs)
{
	struct node *root = fs->detached;

	fs->detached = NULL;
	fs->destroy(root);
}

void node_put(struct node *node)
{
	/* A node that is freed drops its reference to its parent, which may be the parent's last, and so on up. */
	while (node) {
		struct node *parent = NULL;
		struct fs *fs = node->fs;

		ASSERT(node->refs);
		fs->refs--;
		if (!--node->refs) {
			parent = node->parent;
			fs->nodes--;
			file_locks_free(node->locks);
			node->ops->free(node);
		}
		/* The reference to `parent` counts in fs->refs, so the file system stays until that is dropped. */
		if (fs->detached && fs->refs == fs->own + 1)
			end_detached(fs);
		node = parent;
	}
}

uint64_t fs_new_device(void)
{
	static unsigned last; /* guard: tasks only, which the kernel does not preempt */

	last = last % 0xffffe + 1;
	return DEVICE_NUMBER(0, last);
}

static bool is_dot(struct name name)
{
	return name.size == 1 && name.text[0] == '.';
}

static bool is_dot_dot(struct name name)
{
	return name.size == 2 && name.text[0] == '.' && name.text[1] == '.';
}

static bool is_dots(struct name name)
{
	return is_dot(name) || is_dot_dot(name);
}

/* Return the root of the file system that was mounted last on `node`; `node` itself if none is mounted on it. */
static struct node *top_of(struct node *node)
{
	while (node->mounted)
		node = node->mounted;
	return node;
}

static struct node *parent_of(struct node *root, struct node *dir)
{
	while (dir != root && dir->covers)
		dir = dir->covers;
	if (dir == root || !dir->parent)
		return dir;
	return top_of(dir->parent);
}

int node_lookup(struct node *root, struct node *dir, struct name name, struct node **ret)
{
	struct node *node;
	int error;

	if (!node_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (name.size > NAME_MAX)
		return -ENAMETOOLONG;
	if (is_dot(name)) {
		*ret = node_get(dir);
		return 0;
	}
	if (is_dot_dot(name)) {
		*ret = node_get(parent_of(root, dir));
		return 0;
	}
	error = dir->ops->lookup(dir, name, &node);
	if (error)
		return error;
	if (node->mounted) {
		struct node *top = node_get(top_of(node));

		node_put(node);
		node = top;
	}
	*ret = node;
	return 0;
}

/* Check that `name` can be added to `dir`; an existing entry is not looked for. Returns 0 or an error. */
static int check_new(struct node *dir, struct name name)
{
	if (!node_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (!name.size)
		return -ENOENT;
	if (is_dots(name))
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

static int create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		  struct node **ret)
{
	struct node *node;
	int error = check_new(dir, name);

	if (!error && !dir->ops->create)
		error = -EPERM;
	if (!error && fs_is_read_only(dir->fs))
		error = exists(dir, name) ? -EEXIST : -EROFS;
	if (!error)
		error = dir->ops->create(dir, name, mode, device, target, &node);
	if (error)
		return error;
	if (ret)
		*ret = node;
	else
		node_put(node);
	return 0;
}

int node_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct node **ret)
{
	return create(dir, name, mode, device, (struct name){ 0 }, ret);
}

int node_symlink(struct node *dir, struct name name, struct name target, struct node **ret)
{
	if (!target.size)
		return -ENOENT;
	if (target.size >= PATH_MAX)
		return -ENAMETOOLONG;
	return create(dir, name, S_IFLNK | 0777, 0, target, ret);
}

int node_link(struct node *dir, struct name name, struct node *node)
{
	int error = check_new(dir, name);

	if (error)
		return error;
	if (dir->fs != node->fs)
		return -EXDEV;
	if (node_is(node, S_IFDIR))
		return -EPERM;
	if (!dir->ops->link)
		return -EPERM;
	if (fs_is_read_only(dir->fs))
		return -EROFS;
	if (node->links >= LINK_MAX)
		return -EMLINK;
	return dir->ops->link(dir, name, node);
}

/* Find the node of a name that is to be removed or renamed, not what is mounted on it. *ret is a new reference. */
static int find_own(struct node *dir, struct name name, struct node **ret)
{
	if (!node_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (fs_is_read_only(dir->fs))
		return -EROFS;
	if (name.size > NAME_MAX)
		return -ENAMETOOLONG;
	return name.size ? dir->ops->lookup(dir, name, ret) : -ENOENT;
}

int node_unlink(struct node *dir, struct name name)
{
	struct node *node;
	int error = is_dots(name) ? -EISDIR : find_own(dir, name, &node);

	if (error)
		return error;
	if (node_is(node, S_IFDIR))
		error = -EISDIR;
	else
		error = dir->ops->unlink ? dir->ops->unlink(dir, name) : -EPERM;
	node_put(node);
	return error;
}

int node_rmdir(struct node *dir, struct name name)
{
	struct node *node;
	int error;

	if (is_dots(name))
		return name.size == 1 ? -EINVAL : -ENOTEMPTY;
	error = find_own(dir, name, &node);
	if (error)
		return error;
	if (!node_is(node, S_IFDIR))
		error = -ENOTDIR;
	else if (node->mounted)
		error = -EBUSY;
	else
		error = dir->ops->unlink ? dir->ops->unlink(dir, name) : -EPERM;
	node_put(node);
	return error;
}

/* Return whether `dir` is `node`, or lies inside it. */
static bool is_inside(const struct node *dir, const struct node *node)
{
	for (; dir; dir = dir->parent)
		if (dir == node)
			return true;
	return false;
}

/* Check renameat2(2)'s flags against `goal`, the node that has the new name already, or NULL. */
static int check_wanted(const struct node *goal, unsigned flags)
{
	if (goal && flags & RENAME_NOREPLACE)
		return -EEXIST;
	return !goal && flags & RENAME_EXCHANGE ? -ENOENT : 0;
}

/*
 * Refuse a rename loop: a directory must not be moved below itself, where no path would lead to it; and must not
 * replace a directory that contains it.
 */
static int check_loop(const struct node *from, const struct node *node, const struct node *to, const struct node *goal,
		      unsigned flags)
{
	if (node_is(node, S_IFDIR) && is_inside(to, node))
		return -EINVAL;
	if (goal && node_is(goal, S_IFDIR) && is_inside(from, goal))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* Check that `node` and `goal`, which it is to replace, are both directories, or that neither is one. */
static int check_replaced(const struct node *node, const struct node *goal)
{
	if (node_is(node, S_IFDIR) == node_is(goal, S_IFDIR))
		return 0;
	return node_is(node, S_IFDIR) ? -ENOTDIR : -EISDIR;
}

/* Check whether `node`, in the directory `from`, may get the name of `goal` (or NULL: a free name) in `to`. */
static int check_rename(const struct node *from, const struct node *node, const struct node *to,
			const struct node *goal, unsigned flags)
{
	int error = check_wanted(goal, flags);

	if (!error)
		error = check_loop(from, node, to, goal, flags);
	if (!error && (node->mounted || (goal && goal->mounted)))
		error = -EBUSY;
	if (!error && goal && !(flags & RENAME_EXCHANGE))
		error = check_replaced(node, goal);
	return error;
}

int node_rename(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags)
{
	struct node *node = NULL, *goal = NULL;
	int error;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (is_dots(old_name) || is_dots(new_name))
		return -EBUSY;
	if (from->fs != to->fs)
		return -EXDEV;
	error = find_own(from, old_name, &node);
	if (error)
		return error;
	error = find_own(to, new_name, &goal);
	if (error == -ENOENT)
		error = check_new(to, new_name);
	if (!error)
		error = check_rename(from, node, to, goal, flags);
	/* When both names belong to one file rename(2) does nothing, and both names stay. */
	if (!error && node != goal)
		error = from->ops->rename ? from->ops->rename(from, old_name, to, new_name, flags) : -EPERM;
	node_put(goal);
	node_put(node);
	return error;
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
	if (node->runners)
		return -ETXTBSY;
	return node->ops->truncate ? 0 : -EPERM;
}

int node_truncate(struct node *node, uint64_t size)
{
	int error = node_resize_check(node);

	return error ? error : node->ops->truncate(node, size);
}

void node_chmod(struct node *node, uint32_t mode)
{
	node->mode = (node->mode & S_IFMT) | (mode & MODE_PERMISSIONS);
	node->ctime = node_now();
}

void node_chown(struct node *node, uint32_t uid, uint32_t gid)
{
	if (uid != UINT32_MAX)
		node->uid = uid;
	if (gid != UINT32_MAX)
		node->gid = gid;
	/* As on Linux, a change of owner clears the set-ID bits: they would give the program its new owner's rights. */
	if (!node_is(node, S_IFDIR))
		node->mode &= ~(uint32_t)(S_ISUID | (node->mode & 010 ? S_ISGID : 0));
	node->ctime = node_now();
}

void node_set_times(struct node *node, const struct linux_timespec *atime, const struct linux_timespec *mtime)
{
	if (atime)
		node->atime = *atime;
	if (mtime)
		node->mtime = *mtime;
	node->ctime = node_now();
}

int node_mount(struct node *at, struct node *root)
{
	if (!node_is(at, S_IFDIR) || !node_is(root, S_IFDIR))
		return -ENOTDIR;
	if (at->mounted || root->covers || root->parent || is_inside(at, root))
		return -EBUSY;
	at->mounted = node_get(root);
	root->covers = node_get(at);
	return 0;
}

int node_unmount(struct node *root)
{
	struct node *at = root->covers;

	if (!at)
		return -EINVAL;
	/* Two references are always there and not counted in fs->own: the one of at->mounted, and the caller's. */
	if (root->mounted || root->fs->refs > root->fs->own + 2)
		return -EBUSY;
	at->mounted = NULL;
	root->covers = NULL;
	node_put(at);
	node_put(root);
	return 0;
}

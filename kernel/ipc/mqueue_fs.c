/*
 * The names of POSIX message queues, and their open files; see mqueue_fs.h. Names are kept as those of a tmpfs are.
 */
#include "kernel/ipc/mqueue_fs.h"

#include "kernel/fs/mount.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/tmpfs_names.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal_numbers.h"

#define MQUEUE_MAGIC 0x19800202
#define FILE_SIZE    80 /* bytes of a queue's file as stat(2) shows them, as on Linux */

/* A queue's node, or the root's. Guard: tasks only, which the kernel does not preempt. */
struct mqueue_node {
	struct tmpfs_node base; /* must be the first member: node_ops get a pointer to it */
	struct mqueue *queue;   /* NULL: the root */
};

static struct fs fs = { .name = "mqueue", .magic = MQUEUE_MAGIC, .unsized = true, .keeps_nodes = true };
static struct node *root; /* the directory of all queues; fixed after boot */

/*
 * The size of the queue that mqueue_open() is making; NULL: the defaults. Guard: tasks only, which the kernel does not
 * preempt.
 */
static const struct mqueue_size *wanted_size;

static const struct node_ops mqueue_node_ops;
static const struct file_ops mqueue_file_ops;

static struct mqueue *queue_of(const struct node *node)
{
	return ((const struct mqueue_node *)node)->queue;
}

struct mqueue *mqueue_of_file(const struct file *file)
{
	return file && file->ops == &mqueue_file_ops ? queue_of(file->node) : NULL;
}

/* ---- nodes ---- */

static struct node *make_node(uint32_t mode)
{
	struct mqueue_node *made = kzalloc(sizeof(*made));

	if (made)
		node_init(&made->base.node, &mqueue_node_ops, &fs, mode);
	return (struct node *)made;
}

static int create_node(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		       struct node **ret)
{
	struct node *node;
	int error;

	(void)device;
	(void)target;
	if ((mode & S_IFMT) != S_IFREG)
		return -EPERM;
	node = make_node(mode);
	if (!node)
		return -ENOMEM;
	node->size = FILE_SIZE;
	error = mqueue_create(wanted_size, &((struct mqueue_node *)node)->queue);
	if (!error)
		error = tmpfs_link(dir, name, node);
	if (error)
		node_put(node);
	else
		*ret = node;
	return error;
}

/*
 * Remove a name. The node of a queue that is still open keeps its name, for /proc, and with it a reference to the
 * directory. That reference counts as the file system's own, so that umount(2) does not fail because of it.
 */
static int unlink_node(struct node *dir, struct name name)
{
	struct node *node;
	int error = tmpfs_lookup(dir, name, &node);

	if (error)
		return error;
	error = tmpfs_unlink(dir, name);
	if (!error && node->parent)
		node->fs->own++;
	node_put(node);
	return error;
}

static void free_node(struct node *node)
{
	struct mqueue_node *freed = (struct mqueue_node *)node;

	if (node->parent)
		node->fs->own--;
	if (freed->queue)
		mqueue_end(freed->queue);
	kfree(freed->base.names);
	kfree(freed);
}

static int open_node(struct node *node, struct file *file)
{
	file->ops = &mqueue_file_ops;
	file->properties = FILE_SEEKS;
	/* As on Linux an open queue does not make umount(2) fail: its reference counts as the file system's own. */
	node->fs->own++;
	return 0;
}

/* Accept O_TRUNC, with which shells open what they write to. */
static int truncate_node(struct node *node, uint64_t size)
{
	(void)node;
	(void)size;
	return 0;
}

static const struct node_ops mqueue_node_ops = {
	.lookup = tmpfs_lookup,
	.next = tmpfs_next,
	.create = create_node,
	.unlink = unlink_node,
	.place = tmpfs_place,
	.open = open_node,
	.truncate = truncate_node,
	.free = free_node,
};

/* ---- open files ---- */

/* Show how much is in the queue, and who is told of messages, as Linux does. */
static int64_t read_file(struct file *file, struct user_io *io, uint64_t *offset)
{
	const struct mqueue *queue = queue_of(file->node);
	const bool signals = queue->owner && queue->notice.how == SIGEV_SIGNAL;
	char text[FILE_SIZE];
	size_t moved, size = format_s(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
				      (unsigned long long)queue->bytes, queue->owner ? queue->notice.how : 0,
				      signals ? queue->notice.signal : 0, queue->owner ? queue->owner->pid : 0);
	enum status status;

	if (*offset >= size)
		return 0;
	status = user_io_put(io, text + *offset, size - *offset < io->left ? size - *offset : io->left, &moved);
	if (status != OK && !moved)
		return copy_errno(status);
	*offset += moved;
	return (int64_t)moved;
}

static unsigned poll_file(struct file *file)
{
	return mqueue_poll(queue_of(file->node));
}

static struct wait_queue *queue_of_file(struct file *file)
{
	return &queue_of(file->node)->queue;
}

/* As on Linux a process that closes a queue is not told of its messages any more. */
static void close_file(struct file *file)
{
	mqueue_notify_no_more(queue_of(file->node));
}

static void release_file(struct file *file)
{
	file->node->fs->own--;
}

static const struct file_ops mqueue_file_ops = {
	.read = read_file,
	.poll = poll_file,
	.queue = queue_of_file,
	.closed = close_file,
	.release = release_file,
};

/* ---- names ---- */

/*
 * Check a name, and whether the caller may look it up. Returns 0, -ENOENT (the name is empty), -EACCES, -ENAMETOOLONG.
 */
static int check_name(const char *text, struct name *ret)
{
	*ret = (struct name){ text, strlen(text) };
	if (!ret->size)
		return -ENOENT;
	if (strchr(text, '/') || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return -EACCES;
	if (ret->size > NAME_MAX)
		return -ENAMETOOLONG;
	return node_permit(root, rights_current(), ACCESS_EXECUTE);
}

/* Check whether the caller may open an existing queue with these flags. Returns 0, -EEXIST, -EINVAL, -EACCES. */
static int check_open(const struct node *node, unsigned flags)
{
	static const unsigned accesses[] = { ACCESS_READ, ACCESS_WRITE, ACCESS_READ | ACCESS_WRITE };

	if (flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return node_permit(node, rights_current(), accesses[flags & O_ACCMODE]);
}

int mqueue_open(const char *text, unsigned flags, uint32_t mode, const struct mqueue_size *size, struct file **ret)
{
	struct node *node = NULL;
	struct name name;
	int error = check_name(text, &name);

	if (!error)
		error = node_lookup(root, name, &node);
	if (error == -ENOENT && name.size && flags & O_CREAT) {
		wanted_size = size;
		error = node_create(root, name, rights_current(), S_IFREG | (mode & MODE_PERMISSIONS), 0, &node);
		wanted_size = NULL;
	} else if (!error) {
		error = check_open(node, flags);
	}
	if (!error)
		error = file_open(&(struct place){ root->fs->mount, node }, flags & (O_ACCMODE | O_NONBLOCK), ret);
	node_put(node);
	return error;
}

int mqueue_unlink(const char *text)
{
	struct name name;
	int error = check_name(text, &name);

	return error ? error : node_unlink(root, name, rights_current());
}

/* ---- mounting ---- */

static int mount_root(const char *options, struct node **ret)
{
	(void)options;
	/*
	 * The last mount is gone, but some task still uses a file of it; until that ends, the fs cannot be mounted
	 * anew.
	 */
	if (fs.detached)
		return refuse_feature(-EBUSY, "mount: mqueue while it is used by who saw it unmounted", 0);
	*ret = node_get(root);
	return 0;
}

/* Drop the reference of mount_root(). The queues stay though they are not mounted. */
static void unmount_root(struct node *node)
{
	node_put(node);
}

int mqueue_fs_init(void)
{
	static struct mount_type type = { .name = "mqueue", .create = mount_root, .destroy = unmount_root };

	fs.device = fs_new_device();
	root = make_node(S_IFDIR | S_ISVTX | 0777);
	if (!root)
		return -ENOMEM;
	root->links = 2;
	fs.own++; /* for the reference that `root` is */
	mount_type_add(&type);
	return 0;
}

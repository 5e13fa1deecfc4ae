/*
 * inotify's instances and watches; see inotify.h. A watch is found by its number and by its node, each in a tree of the
 * instance, and is in the list of the node.
 */
#include "kernel/fs/inotify.h"

#include "kernel/fs/anonymous.h"
#include "kernel/fs/inotify_internal.h"
#include "kernel/fs/text.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/radix.h"
#include "kernel/lib/tree_insert.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"

#define END_STEP      128     /* watches or events that one step of a closed instance's end drops */
#define INFO_WATCHES  256     /* watches that /proc/PID/fdinfo shows */
#define WATCHES_LEAST 8192    /* the least that inotify_limits.watches is when the machine starts, as on Linux */
#define WATCHES_MOST  1048576 /* the most that inotify_limits.watches is when the machine starts, as on Linux */
#define WATCH_KEPT    (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT)

struct inotify_limits inotify_limits = { .instances = 128, .watches = WATCHES_LEAST, .events = 16384 };

/* The users who have instances, by their IDs. Guard: tasks only, which the kernel does not preempt. */
static struct radix users = { .alloc = kzalloc, .free = kfree };

static const struct file_ops inotify_ops;

void inotify_init(void)
{
	/* As Linux does: watches and the nodes that they keep may take a hundredth of memory. */
	const uint64_t each = sizeof(struct inotify_watch) + 2 * sizeof(struct node);
	uint64_t watches = machine_frames.total * PAGE_SIZE / 100 / each;

	if (watches < WATCHES_LEAST)
		watches = WATCHES_LEAST;
	inotify_limits.watches = watches < WATCHES_MOST ? watches : WATCHES_MOST;
}

/* Return the account of a user, with one more instance counted. Returns NULL without memory. */
static struct inotify_user *user_get(uint32_t uid)
{
	struct inotify_user *user = radix_find(&users, uid);

	if (!user) {
		user = kzalloc(sizeof(*user));
		if (!user)
			return NULL;
		user->uid = uid;
		if (radix_insert(&users, uid, user) != OK) {
			kfree(user);
			return NULL;
		}
	}
	user->instances++;
	return user;
}

static void user_put(struct inotify_user *user)
{
	if (--user->instances)
		return;
	ASSERT(!user->watches && !user->bytes);
	kfree(radix_remove(&users, user->uid));
}

static int make_instance(uint32_t uid, struct inotify **ret)
{
	struct inotify *made = kzalloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->overflow = kzalloc(sizeof(*made->overflow));
	made->user = made->overflow ? user_get(uid) : NULL;
	if (!made->user) {
		kfree(made->overflow);
		kfree(made);
		return -ENOMEM;
	}
	made->overflow->event = (struct inotify_event){ .watch = -1, .mask = IN_Q_OVERFLOW };
	made->events_most = inotify_limits.events;
	wait_queue_init(&made->queue);
	*ret = made;
	return 0;
}

static void free_instance(struct inotify *inotify)
{
	user_put(inotify->user);
	kfree(inotify->overflow);
	kfree(inotify);
}

int inotify_create(uint32_t uid, unsigned flags, struct file **ret)
{
	const struct inotify_user *user = radix_find(&users, uid);
	struct inotify *made;
	int error;

	if (user && user->instances >= inotify_limits.instances)
		return -EMFILE;
	error = make_instance(uid, &made);
	if (error)
		return error;
	error = anonymous_file_create("inotify", &inotify_ops, made, flags, ret);
	if (error) {
		free_instance(made);
		return error;
	}
	(*ret)->flags &= ~(uint32_t)O_ACCMODE;
	(*ret)->properties = FILE_USES_UP;
	return 0;
}

bool inotify_is(const struct file *file)
{
	return file->ops == &inotify_ops;
}

/* ---- watches ---- */

static struct inotify_watch *find_number(const struct inotify *inotify, int number)
{
	struct inotify_watch *watch = watch_by_number(inotify->by_number);

	while (watch && watch->number != number)
		watch = watch_by_number(watch->in_numbers.child[number > watch->number]);
	return watch;
}

static struct inotify_watch *find_node(const struct inotify *inotify, const struct node *node)
{
	struct inotify_watch *watch = watch_by_node(inotify->by_node);

	while (watch && watch->watch.node != node)
		watch = watch_by_node(watch->in_nodes.child[node > watch->watch.node]);
	return watch;
}

static bool has_higher_number(const struct tree_node *node, const struct tree_node *other)
{
	return watch_by_number(node)->number > watch_by_number(other)->number;
}

static bool has_higher_node(const struct tree_node *node, const struct tree_node *other)
{
	return watch_by_node(node)->watch.node > watch_by_node(other)->watch.node;
}

/* Return the next number that no watch has. Numbers rise, and begin again at 1 after the largest. */
static int new_number(struct inotify *inotify)
{
	do
		inotify->last_number = inotify->last_number == INT32_MAX ? 1 : inotify->last_number + 1;
	while (find_number(inotify, inotify->last_number));
	return inotify->last_number;
}

/* Take a watch out of its instance and its node, without an event, and free it. May drop a reference to the node. */
static void end_watch(struct inotify_watch *watch)
{
	struct inotify *inotify = watch->inotify;

	tree_remove(&inotify->by_number, &watch->in_numbers, NULL);
	tree_remove(&inotify->by_node, &watch->in_nodes, NULL);
	inotify->user->watches--;
	notify_watch_remove(&watch->watch);
	kfree(watch);
}

/* Events of calls on open files: watches with IN_EXCL_UNLINK are not told of them once the file's name is gone. */
#define OPEN_FILE_EVENTS (IN_ACCESS | IN_MODIFY | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN)

static void inotify_tell(struct notify_watch *told, const struct notice *notice)
{
	struct inotify_watch *watch = (struct inotify_watch *)told;
	uint32_t events = notice->events;

	if (notice->unlinked && told->mask & IN_EXCL_UNLINK && events & OPEN_FILE_EVENTS)
		return;
	/* As on Linux these two events never have IN_ISDIR. */
	if (events & (IN_MOVE_SELF | IN_DELETE_SELF))
		events &= ~(uint32_t)IN_ISDIR;
	if (events & told->mask & ~(uint32_t)IN_ISDIR)
		inotify_queue(watch->inotify, watch->number, events, notice->cookie, notice->name);
	if (told->mask & IN_ONESHOT || notice->last) {
		inotify_queue(watch->inotify, watch->number, IN_IGNORED, 0, (struct name){ 0 });
		end_watch(watch);
	}
}

_Static_assert(offsetof(struct inotify_watch, watch) == 0, "inotify_tell");

static int add_new(struct inotify *inotify, struct node *node, uint32_t mask)
{
	struct inotify_watch *watch;

	if (inotify->user->watches >= inotify_limits.watches)
		return -ENOSPC;
	watch = kmalloc(sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	*watch = (struct inotify_watch){
		.watch = { .tell = inotify_tell, .mask = (mask & WATCH_KEPT) | IN_UNMOUNT },
		.inotify = inotify,
		.number = new_number(inotify),
	};
	notify_watch_add(&watch->watch, node);
	tree_insert(&inotify->by_number, &watch->in_numbers, has_higher_number, NULL);
	tree_insert(&inotify->by_node, &watch->in_nodes, has_higher_node, NULL);
	inotify->user->watches++;
	return watch->number;
}

int inotify_add(struct file *file, struct node *node, uint32_t mask)
{
	struct inotify *inotify = file->data;
	struct inotify_watch *watch = find_node(inotify, node);

	if (!watch)
		return add_new(inotify, node, mask);
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	watch->watch.mask = (mask & IN_MASK_ADD ? watch->watch.mask : IN_UNMOUNT) | (mask & WATCH_KEPT);
	return watch->number;
}

int inotify_remove(struct file *file, int number)
{
	struct inotify *inotify = file->data;
	struct inotify_watch *watch = find_number(inotify, number);

	if (!watch)
		return -EINVAL;
	inotify_queue(inotify, number, IN_IGNORED, 0, (struct name){ 0 });
	end_watch(watch);
	return 0;
}

/* ---- the file ---- */

static bool end_some(struct late_work *work)
{
	struct inotify *inotify = (struct inotify *)work;

	for (unsigned i = 0; i < END_STEP && inotify->by_number; i++)
		end_watch(watch_by_number(inotify->by_number));
	if (inotify->by_number || !inotify_drop_events(inotify, END_STEP))
		return false;
	free_instance(inotify);
	return true;
}

_Static_assert(offsetof(struct inotify, end) == 0, "end_some");

/* Late work ends the watches that are left. Events that they queue until then are freed with the instance. */
static void inotify_release(struct file *file)
{
	struct inotify *inotify = file->data;

	inotify->end.step = end_some;
	if (!end_some(&inotify->end))
		late_work_add(&inotify->end);
}

/* Do lseek(2): as on Linux it has no effect. */
static int64_t inotify_seek(struct file *file, int64_t offset, int whence)
{
	(void)file;
	(void)offset;
	(void)whence;
	return 0;
}

static struct wait_queue *inotify_file_queue(struct file *file)
{
	struct inotify *inotify = file->data;

	return &inotify->queue;
}

/*
 * Add a line for each watch, as a Linux that shows no file handles prints them, the newest first; at most INFO_WATCHES.
 */
static void inotify_info(struct file *file, struct text *ret)
{
	const struct inotify *inotify = file->data;
	struct tree_node *at = tree_outermost(inotify->by_number, TREE_HIGH);

	for (unsigned i = 0; at && i < INFO_WATCHES; i++) {
		const struct inotify_watch *watch = watch_by_number(at);
		const struct node *node = watch->watch.node;
		const uint64_t device = node->fs->device;

		text_add(ret, "inotify wd:%x ino:%llx sdev:%llx mask:%x ignored_mask:0 \n", (unsigned)watch->number,
			 (unsigned long long)node->number,
			 (unsigned long long)DEVICE_MAJOR(device) << 20 | DEVICE_MINOR(device),
			 watch->watch.mask & ~(uint32_t)IN_UNMOUNT);
		at = tree_beside(at, TREE_LOW);
	}
}

static const struct file_ops inotify_ops = {
	.read = inotify_read,
	.seek = inotify_seek,
	.ioctl = inotify_ioctl,
	.poll = inotify_poll,
	.queue = inotify_file_queue,
	.info = inotify_info,
	.release = inotify_release,
};

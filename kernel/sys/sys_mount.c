/*
 * mount(2), umount2(2) and chroot(2).
 */
#include "kernel/fs/mount.h"
#include "kernel/fs/permission.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/refused_feature.h"

#define CWD ((uint64_t)AT_FDCWD)

/* a magic number in the upper half of mount(2)'s flags, which very old programs set; ignored */
#define MS_MAGIC      0xc0ed0000U
#define MS_MAGIC_MASK 0xffff0000U
#define MS_PROPAGATE  (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)

/* Get a string from user memory, "" if `from` is 0. Returns 0, -EFAULT, -ENOMEM, -EINVAL (PATH_MAX or longer). */
static int get_string(uint64_t from, char **ret)
{
	int error;

	if (!from) {
		*ret = kzalloc(1);
		return *ret ? 0 : -ENOMEM;
	}
	error = args_path(from, ret);
	return error == -ENAMETOOLONG ? -EINVAL : error;
}

/*
 * Get the mount's options from user memory: a string of less than a page; a longer one is cut. Returns 0, -EFAULT,
 * -ENOMEM.
 */
static int get_options(uint64_t from, char **ret)
{
	char *options = kzalloc(PAGE_SIZE);
	enum status status = OK;
	size_t copied = 0;

	if (!options)
		return -ENOMEM;
	if (from)
		status = copy_from_user_some(options, user_pointer(from), PAGE_SIZE - 1, &copied);
	/* The string may end shortly before unmapped memory: then the copy fails, but what was copied has all of it. */
	if (status != OK && (status == ERR_NO_MEMORY || !copied)) {
		kfree(options);
		return copy_errno(status);
	}
	*ret = options;
	return 0;
}

/* mount(2)'s strings except the target, each a heap block. */
struct mount_words {
	char *source, *type, *options;
};

static void put_words(struct mount_words *words)
{
	kfree(words->source);
	kfree(words->type);
	kfree(words->options);
}

static int get_words(uint64_t source, uint64_t type, uint64_t options, struct mount_words *ret)
{
	int error;

	*ret = (struct mount_words){ 0 };
	error = get_string(type, &ret->type);
	if (!error)
		error = get_string(source, &ret->source);
	if (!error)
		error = get_options(options, &ret->options);
	if (error)
		put_words(ret);
	return error;
}

/* Do MS_MOVE: move the mount at the path `source` to `at`. */
static int move_mount(const char *source, struct node *at)
{
	const struct process_paths *paths = &process_current()->paths;
	const struct path_base base = { node_get(paths->root), node_get(paths->cwd), rights_current(),
					user_path_pause };
	struct node *root;
	int error = *source ? path_lookup(&base, source, PATH_FOLLOW, &root) : -EINVAL;

	if (!error) {
		error = mount_move(root, at);
		node_put(root);
	}
	node_put(base.start);
	node_put(base.root);
	return error;
}

static int do_mount(const struct mount_words *words, struct node *at, unsigned flags)
{
	/*
	 * A file system is mounted at one place only: there are no bind mounts, so propagation flags have nothing to
	 * act on.
	 */
	if (flags & MS_BIND && !(flags & MS_REMOUNT))
		return refuse_feature(-EOPNOTSUPP, "mount: a bind mount", MS_BIND);
	if (flags & MS_REMOUNT)
		return mount_change(at, flags, words->options);
	if (flags & MS_PROPAGATE)
		return flags & ~(unsigned)(MS_PROPAGATE | MS_REC | MS_SILENT) ? -EINVAL : 0;
	if (flags & MS_MOVE)
		return move_mount(words->source, at);
	if (!*words->type)
		return -EINVAL;
	return mount_add(words->type, *words->source ? words->source : "none", at, flags, words->options);
}

SYSCALL_5(mount, source, target, type, flags, options)
{
	struct mount_words words;
	struct node *at;
	unsigned asked = (unsigned)flags;
	int error;

	if (!rights_can(CAP_SYS_ADMIN))
		return -EPERM;
	if ((asked & MS_MAGIC_MASK) == MS_MAGIC)
		asked &= ~MS_MAGIC_MASK;
	error = get_words(source, type, options, &words);
	if (error)
		return error;
	error = user_path_lookup(CWD, target, PATH_FOLLOW, &at);
	if (!error) {
		error = do_mount(&words, at, asked);
		node_put(at);
	}
	put_words(&words);
	return error;
}

/* Do mount_detach() in steps, with other tasks in between. When the task must end, what is left stays mounted. */
static int detach(struct node *root)
{
	int more = mount_detach_some(root);

	while (more > 0)
		more = task_give_way() ? -EINTR : mount_detach_some(root);
	node_put(root);
	return more;
}

SYSCALL_2(umount2, target, flags)
{
	struct node *root;
	int error;

	if (flags & ~(uint64_t)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (!rights_can(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & MNT_EXPIRE && flags & (MNT_FORCE | MNT_DETACH))
		return -EINVAL;
	error = user_path_lookup(CWD, target, flags & UMOUNT_NOFOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW, &root);
	if (error)
		return error;
	return flags & MNT_DETACH ? detach(root) : mount_remove(root);
}

SYSCALL_1(chroot, path)
{
	struct process_paths *paths = &process_current()->paths;
	struct node *node;
	int error = user_path_lookup(CWD, path, PATH_DIRECTORY, &node);

	if (error)
		return error;
	error = node_permit(node, rights_current(), ACCESS_EXECUTE);
	if (!error && !rights_can(CAP_SYS_CHROOT))
		error = -EPERM;
	if (error) {
		node_put(node);
		return error;
	}
	node_put(paths->root);
	paths->root = node;
	return 0;
}

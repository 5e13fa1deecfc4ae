/*
 * mount(2), umount2(2), pivot_root(2) and chroot(2).
 *
 * Each change of the tree of mounts is made under mount_turn: bind mounts of whole trees, and unmounting them, are done
 * in steps with other tasks in between, and rely on a tree that stays as it is.
 */
#include "kernel/fs/mount_change.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/number.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/turn.h"

#define CWD ((uint64_t)AT_FDCWD)

/* A magic number in the upper half of mount(2)'s flags, which very old programs set; ignored. */
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

/*
 * Find the place that mount(2)'s source names; the caller drops the references in *ret. Returns 0, -EINVAL (no source),
 * or path_lookup's errors.
 */
static int find_source(const char *source, struct place *ret)
{
	const struct process_paths *paths = &process_current()->paths;
	const struct path_base base = { place_get(paths->root), place_get(paths->cwd), rights_current(),
					user_path_pause };
	int error = *source ? path_lookup_place(&base, source, PATH_FOLLOW, ret) : -EINVAL;

	place_put(base.start);
	place_put(base.root);
	return error;
}

/* Make a bind mount of `from` at `at`; with MS_REC also of all that is mounted inside `from`. */
static int bind(const struct place *from, const struct place *at, unsigned flags)
{
	struct mount_bind copy;
	int error = mount_bind_start(&copy, from);
	int more = flags & MS_REC ? 1 : 0;

	if (error)
		return error;
	while (more > 0) {
		more = mount_bind_some(&copy);
		if (more > 0 && task_give_way())
			more = -EINTR;
	}
	error = more ? more : mount_bind_end(&copy, at);
	/* Only this function knows the copy, so it undoes all of it after an error, even if the task must end. */
	while (error && mount_bind_undo_some(&copy))
		(void)task_give_way();
	return error;
}

/* Do MS_BIND or MS_MOVE with the place at the path `source`. */
static int bind_or_move(const char *source, const struct place *at, unsigned flags)
{
	struct place from;
	int error = find_source(source, &from);

	if (error)
		return error;
	error = flags & MS_BIND ? bind(&from, at, flags) : mount_move(&from, at);
	place_put(from);
	return error;
}

/*
 * Set how mounting and unmounting propagate to other mounts (mount_namespaces(7)). There is one name space of mounts,
 * and no mount is shared: all are private, and what can be set is whether bind mounts can be made of a mount.
 */
static int set_propagation(const struct place *root, unsigned flags)
{
	const unsigned how = flags & ~(unsigned)(MS_REC | MS_SILENT);
	struct mount *mount = root->mount;

	if (how & ~(unsigned)MS_PROPAGATE || how & (how - 1))
		return -EINVAL;
	if (!mount || !mount->listed || mount->root != root->node)
		return -EINVAL;
	if (how == MS_SHARED)
		return refuse_feature(-EINVAL, "mount: MS_SHARED", MS_SHARED);
	for (unsigned step = 1; mount; step++) {
		if (how != MS_SLAVE)
			mount->unbindable = how == MS_UNBINDABLE;
		mount = flags & MS_REC ? mount_after(root->mount, mount) : NULL;
		if (!(step % 1024) && task_give_way())
			return -EINTR;
	}
	return 0;
}

static int do_mount(const struct mount_words *words, const struct place *at, unsigned flags)
{
	if (flags & MS_REMOUNT && flags & MS_BIND)
		return mount_change_flags(at, flags);
	if (flags & MS_REMOUNT)
		return mount_change(at, flags, words->options);
	if (!(flags & MS_BIND) && flags & MS_PROPAGATE)
		return set_propagation(at, flags);
	if (flags & (MS_BIND | MS_MOVE))
		return bind_or_move(words->source, at, flags);
	if (!*words->type)
		return -EINVAL;
	return mount_add(words->type, *words->source ? words->source : "none", at, flags, words->options);
}

SYSCALL_5(mount, source, target, type, flags, options)
{
	struct mount_words words;
	struct turn_holder me;
	struct place at;
	unsigned asked = (unsigned)flags;
	int error;

	if (!rights_can(CAP_SYS_ADMIN))
		return -EPERM;
	if ((asked & MS_MAGIC_MASK) == MS_MAGIC)
		asked &= ~MS_MAGIC_MASK;
	error = get_words(source, type, options, &words);
	if (error)
		return error;
	error = user_path_place(CWD, target, PATH_FOLLOW, &at);
	if (!error) {
		error = turn_take(&mount_turn, &me);
		if (!error) {
			error = do_mount(&words, &at, asked);
			turn_end(&mount_turn, &me);
		}
		place_put(at);
	}
	put_words(&words);
	return error;
}

/* Do mount_detach() in steps, with other tasks in between. When the task must end, what is left stays mounted. */
static int detach(struct place root)
{
	int more = mount_detach_some(&root);

	while (more > 0)
		more = task_give_way() ? -EINTR : mount_detach_some(&root);
	place_put(root);
	return more;
}

SYSCALL_2(umount2, target, flags)
{
	struct turn_holder me;
	struct place root;
	int error;

	if (flags & ~(uint64_t)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (!rights_can(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & MNT_EXPIRE && flags & (MNT_FORCE | MNT_DETACH))
		return -EINVAL;
	error = user_path_place(CWD, target, PATH_TOP | (flags & UMOUNT_NOFOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW),
				&root);
	if (error)
		return error;
	error = turn_take(&mount_turn, &me);
	if (error) {
		place_put(root);
		return error;
	}
	error = flags & MNT_DETACH ? detach(root) : mount_remove(root);
	turn_end(&mount_turn, &me);
	return error;
}

/* ---- pivot_root and chroot ---- */

/* Replace *place by `to` if it is `from`. */
static void replace(struct place *place, const struct place *from, const struct place *to)
{
	const struct place old = *place;

	if (!old.node || !place_is(&old, from))
		return;
	/*
	 * The process may be about to open a file without the kernel lock (kernel/sys/open_files.c): keep it out
	 * meanwhile.
	 */
	open_gate_close(&node_names);
	*place = place_get(*to);
	open_gate_open(&node_names);
	place_put(old);
}

/*
 * Let each process whose root or working directory is `from` have `to` instead. While other tasks run, a process that
 * is not visited yet may make a child whose number has been passed already, and which has `from`: the second round
 * finds that child.
 */
static void move_processes(const struct place *from, const struct place *to)
{
	for (int round = 0; round < 2; round++) {
		unsigned step = 0;

		for (const struct number *number = number_next(1); number;) {
			const int next = number->value + 1;

			if (number->process) {
				replace(&number->process->paths.root, from, to);
				replace(&number->process->paths.cwd, from, to);
			}
			/* Go on even if the task must end: the tree of mounts is changed already. */
			if (!(++step % 256))
				(void)task_give_way();
			number = number_next(next);
		}
	}
}

SYSCALL_2(pivot_root, new_path, old_path)
{
	struct place root, new, old;
	struct turn_holder me;
	int error;

	if (!rights_can(CAP_SYS_ADMIN))
		return -EPERM;
	error = user_path_place(CWD, new_path, PATH_DIRECTORY, &new);
	if (error)
		return error;
	error = user_path_place(CWD, old_path, PATH_DIRECTORY, &old);
	if (error)
		goto put_new;
	error = turn_take(&mount_turn, &me);
	if (error)
		goto put_old;
	root = place_get(process_current()->paths.root);
	error = mount_pivot(&root, &new, &old);
	if (!error)
		move_processes(&root, &new);
	place_put(root);
	turn_end(&mount_turn, &me);
put_old:
	place_put(old);
put_new:
	place_put(new);
	return error;
}

SYSCALL_1(chroot, path)
{
	struct process_paths *paths = &process_current()->paths;
	struct place place;
	int error = user_path_place(CWD, path, PATH_DIRECTORY, &place);

	if (error)
		return error;
	error = node_permit(place.node, rights_current(), ACCESS_EXECUTE);
	if (!error && !rights_can(CAP_SYS_CHROOT))
		error = -EPERM;
	if (error) {
		place_put(place);
		return error;
	}
	place_put(paths->root);
	paths->root = place;
	return 0;
}

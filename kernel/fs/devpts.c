/*
 * devpts, the file system of /dev/pts: a tmpfs with a node for each pseudo-terminal, and a node `ptmx`, which does what
 * /dev/ptmx does. Each mount has nodes of its own, for the same terminals. (On Linux each mount has terminals of its
 * own.)
 */
#include "kernel/fs/devpts.h"

#include "kernel/fs/credentials.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/mount_options.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/pty_internal.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tmpfs_names.h"
#include "kernel/lib/format.h"
#include "kernel/lib/list.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define DEVPTS_MAGIC  0x1cd1
#define MODE_TERMINAL 0600 /* permissions of a terminal's node without the mount option `mode=` */

/* A devpts file system, one for each mount. Guard: tasks only, which the kernel does not preempt. */
struct devpts {
	struct link link;  /* place in the list `all` */
	struct node *root; /* without a reference, since destroy() of the file system frees this structure */
	uint32_t mode;     /* permissions of a terminal's node */
	uint32_t uid, gid; /* owner of a terminal's node; UINT32_MAX: the user and group that make the terminal */
};

/* List of all devpts, the one mounted last first. Guard: tasks only, which the kernel does not preempt. */
static struct link all = { &all, &all };

static struct devpts *devpts_of(const struct node *root)
{
	LIST_EACH(&all, struct devpts, link, devpts)
		if (devpts->root == root)
			return devpts;
	return NULL;
}

/* A terminal's number as decimal text, and the name that points to that text. */
struct number_name {
	char text[12];
	struct name name;
};

static void name_number(unsigned number, struct number_name *ret)
{
	ret->name = (struct name){ ret->text, format_s(ret->text, sizeof(ret->text), "%u", number) };
}

static int add(struct devpts *devpts, unsigned number)
{
	struct number_name name;
	struct node *node;
	int error;

	name_number(number, &name);
	error = node_create(devpts->root, name.name, &credentials_first, S_IFCHR | devpts->mode,
			    DEVICE_NUMBER(PTY_MAJOR, number), &node);
	if (error)
		return error;
	node_set_owner(node, devpts->uid != UINT32_MAX ? devpts->uid : pty_owner()->uid.fs,
		       devpts->gid != UINT32_MAX ? devpts->gid : pty_owner()->gid.fs);
	node_put(node);
	return 0;
}

int pty_tell_of(unsigned number)
{
	int error = list_is_empty(&all) ? -ENODEV : 0;

	LIST_EACH(&all, struct devpts, link, devpts)
		if (!error)
			error = add(devpts, number);
	if (error)
		pty_forget(number);
	return error;
}

void pty_forget(unsigned number)
{
	struct number_name name;

	name_number(number, &name);
	/* An error means only that a program has removed the node, or renamed it. */
	LIST_EACH(&all, struct devpts, link, devpts)
		(void)tmpfs_unlink(devpts->root, name.name);
}

int pty_node(unsigned number, struct node **ret)
{
	struct number_name name;
	struct node *root;

	if (list_is_empty(&all))
		return -ENOENT;
	root = list_item(all.next, struct devpts, link)->root;
	name_number(number, &name);
	return node_lookup(root, name.name, ret);
}

static bool take_mode(struct node *root, struct name value)
{
	uint64_t mode;

	if (!mount_number(value, 8, &mode))
		return false;
	devpts_of(root)->mode = mode & 0777;
	return true;
}

static bool take_uid(struct node *root, struct name value)
{
	uint64_t id;

	if (!mount_number(value, 10, &id))
		return false;
	devpts_of(root)->uid = (uint32_t)id;
	return true;
}

static bool take_gid(struct node *root, struct name value)
{
	uint64_t id;

	if (!mount_number(value, 10, &id))
		return false;
	devpts_of(root)->gid = (uint32_t)id;
	return true;
}

static const struct name ptmx = { "ptmx", 4 };

static bool take_ptmx_mode(struct node *root, struct name value)
{
	struct node *node;
	uint64_t mode;

	if (!mount_number(value, 8, &mode))
		return false;
	if (node_lookup(root, ptmx, &node) == 0) {
		node_set_mode(node, mode & 0777);
		node_put(node);
	}
	return true;
}

/* Accept an option that changes nothing, since all mounts show the same terminals, PTY_MOST at the most. */
static bool take_nothing(struct node *root, struct name value)
{
	(void)root;
	(void)value;
	return true;
}

static int take_options(struct node *root, const char *options)
{
	static const struct mount_option known[] = {
		{ "mode=", take_mode },          { "uid=", take_uid },     { "gid=", take_gid },
		{ "ptmxmode=", take_ptmx_mode }, { "max=", take_nothing }, { "newinstance", take_nothing },
	};

	return mount_take_options(root, options, known, sizeof(known) / sizeof(known[0]));
}

static void destroy(struct node *root)
{
	struct devpts *devpts = devpts_of(root);

	list_remove(&devpts->link);
	kfree(devpts);
	tmpfs_destroy(root);
}

static int create(const char *options, struct node **ret)
{
	struct devpts *devpts = kmalloc(sizeof(*devpts));
	int error = devpts ? tmpfs_create(&devpts->root) : -ENOMEM;

	if (error) {
		kfree(devpts);
		return error;
	}
	devpts->mode = MODE_TERMINAL;
	devpts->uid = devpts->gid = UINT32_MAX;
	devpts->root->fs->name = "devpts";
	devpts->root->fs->magic = DEVPTS_MAGIC;
	list_add_first(&all, &devpts->link);
	error = node_create(devpts->root, ptmx, &credentials_first, S_IFCHR, DEVICE_NUMBER(DEVICE_TTYAUX_MAJOR, 2),
			    NULL);
	if (!error)
		error = take_options(devpts->root, options);
	for (unsigned number = 0; number < PTY_MOST && !error; number++)
		if (pty_by_number(number))
			error = add(devpts, number);
	if (error)
		destroy(devpts->root);
	else
		*ret = devpts->root;
	return error;
}

void devpts_init(void)
{
	static struct mount_type type = {
		.name = "devpts", .create = create, .change = take_options, .destroy = destroy
	};

	mount_type_add(&type);
}

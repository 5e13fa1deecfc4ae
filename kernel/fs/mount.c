/*
 * See mount.h.
 */
#include "kernel/fs/mount.h"

#include "kernel/fs/path.h"
#include "kernel/fs/text.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"

/* The attributes of a mount; the rest of the flags says what to do, or is heard and forgotten. */
#define SHOWN (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

static struct mount_type *types;
static struct mount *mounts;

static struct mount_type *find_type(const char *name)
{
	struct mount_type *type = types;

	while (type && strcmp(type->name, name) != 0)
		type = type->next;
	return type;
}

void mount_type_add(struct mount_type *type)
{
	struct mount_type **end = &types;

	ASSERT(!find_type(type->name));
	while (*end)
		end = &(*end)->next;
	*end = type;
	type->next = NULL;
}

void mount_list_types(struct text *text)
{
	for (const struct mount_type *type = types; type; type = type->next)
		text_add(text, "nodev\t%s\n", type->name);
}

/* The mount whose root `root` is, or NULL. */
static struct mount *find_mount(const struct node *root)
{
	struct mount *mount = mounts;

	while (mount && mount->root != root)
		mount = mount->next;
	return mount;
}

/* Linux's defaults: access times are kept as relatime does, if nobody says otherwise. */
static unsigned shown_flags(unsigned flags)
{
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	return flags & SHOWN;
}

static struct mount *make_mount(const struct mount_type *type, const char *source, unsigned flags)
{
	struct mount *mount = kmalloc(sizeof(*mount));
	size_t size = strlen(source) + 1;

	if (!mount)
		return NULL;
	*mount = (struct mount){ .type = type, .source = kmalloc(size), .flags = shown_flags(flags) };
	if (!mount->source) {
		kfree(mount);
		return NULL;
	}
	memcpy(mount->source, source, size);
	return mount;
}

static void free_mount(struct mount *mount)
{
	kfree(mount->source);
	kfree(mount);
}

static void add_last(struct mount *mount)
{
	struct mount **end = &mounts;

	while (*end)
		end = &(*end)->next;
	*end = mount;
}

static void take_out(struct mount *mount)
{
	struct mount **link = &mounts;

	while (*link != mount)
		link = &(*link)->next;
	*link = mount->next;
}

int mount_set_root(const char *type, struct node *root)
{
	struct mount *mount;

	ASSERT(!mounts && find_type(type));
	mount = make_mount(find_type(type), type, 0);
	if (!mount)
		return -ENOMEM;
	mount->root = node_get(root);
	add_last(mount);
	return 0;
}

int mount_add(const char *type_name, const char *source, struct node *at, unsigned flags, const char *options)
{
	const struct mount_type *type = find_type(type_name);
	const struct mount *below = find_mount(at);
	struct mount *mount;
	int error;

	if (!type)
		return -ENODEV;
	if (flags & MS_RDONLY)
		return -EOPNOTSUPP;
	if (!node_is(at, S_IFDIR))
		return -ENOTDIR;
	if (below && below->type == type && type->single)
		return -EBUSY;
	mount = make_mount(type, source, flags);
	if (!mount)
		return -ENOMEM;
	error = type->create(options, &mount->root);
	if (error) {
		free_mount(mount);
		return error;
	}
	error = node_mount(at, mount->root);
	if (error) {
		type->destroy(mount->root);
		free_mount(mount);
		return error;
	}
	add_last(mount);
	return 0;
}

int mount_change(struct node *root, unsigned flags)
{
	struct mount *mount = find_mount(root);

	if (!mount)
		return -EINVAL;
	if (flags & MS_RDONLY)
		return -EOPNOTSUPP;
	mount->flags = shown_flags(flags);
	return 0;
}

/* Does `dir` lie in what hangs from `root`? */
static bool is_below(const struct node *dir, const struct node *root)
{
	while (dir && dir != root)
		dir = dir->covers ? dir->covers : dir->parent;
	return dir != NULL;
}

int mount_move(struct node *root, struct node *at)
{
	struct node *from = root->covers;
	int error;

	if (!find_mount(root) || !from)
		return -EINVAL;
	if (is_below(at, root))
		return -ELOOP;
	if (!node_is(at, S_IFDIR))
		return -ENOTDIR;
	if (at->mounted)
		return -EBUSY;
	/* Whoever is in there stays in it. */
	from->mounted = NULL;
	root->covers = NULL;
	error = node_mount(at, root);
	ASSERT(!error);
	node_put(root);
	node_put(from);
	return 0;
}

int mount_remove(struct node *root)
{
	struct mount *mount = find_mount(root);
	int error;

	/* The caller's hold: from here on a mount has the only one. */
	node_put(root);
	if (!mount)
		return -EINVAL;
	if (!root->covers)
		return -EBUSY;
	error = node_unmount(root);
	if (error)
		return error;
	take_out(mount);
	mount->type->destroy(root);
	free_mount(mount);
	return 0;
}

/* Blanks and backslashes as /proc/mounts writes them (getmntent(3)). */
static void add_escaped(struct text *text, const char *word)
{
	for (; *word; word++) {
		if (strchr(" \t\n\\", *word))
			text_add(text, "\\%03o", (unsigned char)*word);
		else
			text_add_bytes(text, word, 1);
	}
}

static void add_options(struct text *text, const struct mount *mount)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ MS_SYNCHRONOUS, "sync" },  { MS_NOSUID, "nosuid" },   { MS_NODEV, "nodev" },
		{ MS_NOEXEC, "noexec" },     { MS_NOATIME, "noatime" }, { MS_NODIRATIME, "nodiratime" },
		{ MS_RELATIME, "relatime" },
	};

	text_add(text, mount->flags & MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mount->flags & names[i].flag)
			text_add(text, ",%s", names[i].name);
}

void mount_list(struct node *root, struct text *text)
{
	char *path = kmalloc(PATH_MAX);
	size_t size;

	if (!path) {
		text->lost = true;
		return;
	}
	for (const struct mount *mount = mounts; mount; mount = mount->next) {
		/* What is not below the asker's root is not there for it. */
		if (path_of_directory(root, mount->root, path, PATH_MAX, &size) != 0)
			continue;
		add_escaped(text, mount->source);
		text_add(text, " ");
		add_escaped(text, path);
		text_add(text, " %s ", mount->type->name);
		add_options(text, mount);
		text_add(text, " 0 0\n");
	}
	kfree(path);
}

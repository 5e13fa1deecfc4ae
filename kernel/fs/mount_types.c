/*
 * Keeps the list of the kinds of file systems, and adds those of kernel/fs to it: tmpfs, devtmpfs and sysfs, with their
 * mount options.
 */
#include "kernel/fs/mount_types.h"

#include "kernel/fs/content.h"
#include "kernel/fs/content_memory.h"
#include "kernel/fs/device.h"
#include "kernel/fs/devpts.h"
#include "kernel/fs/mount_internal.h"
#include "kernel/fs/mount_options.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/sysfs.h"
#include "kernel/fs/tmpfs.h"

#define SYSFS_MAGIC 0x62656572

/* List of the kinds of file systems. Fixed after boot. */
static struct mount_type *types;

const struct mount_type *mount_find_type(const char *name)
{
	const struct mount_type *type = types;

	while (type && strcmp(type->name, name) != 0)
		type = type->next;
	return type;
}

void mount_type_add(struct mount_type *type)
{
	struct mount_type **end = &types;

	ASSERT(!mount_find_type(type->name));
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

int mount_type_number(const char *name)
{
	int number = 0;

	for (const struct mount_type *type = types; type; type = type->next, number++)
		if (strcmp(type->name, name) == 0)
			return number;
	return -EINVAL;
}

const char *mount_type_name(size_t number)
{
	const struct mount_type *type = types;

	while (type && number--)
		type = type->next;
	return type ? type->name : NULL;
}

/* ---- tmpfs ---- */

bool mount_number(struct name word, unsigned base, uint64_t *ret)
{
	uint64_t number = 0;

	if (!word.size)
		return false;
	for (size_t i = 0; i < word.size; i++) {
		unsigned digit = (unsigned)(word.text[i] - '0');

		if (digit >= base || number > UINT32_MAX)
			return false;
		number = number * base + digit;
	}
	*ret = number;
	return number <= UINT32_MAX;
}

/*
 * Parse a size: in bytes, also with a unit, "16m", or in percent of the machine's memory, "50%". *ret is in pages,
 * rounded up for bytes. Returns false when `word` is no such size.
 */
static bool get_pages(struct name word, uint64_t *ret)
{
	static const char units[] = "kmg";
	const char *unit = word.size ? strchr(units, word.text[word.size - 1] | 0x20) : NULL;
	bool percent = word.size && word.text[word.size - 1] == '%';
	uint64_t number;

	if (!mount_number((struct name){ word.text, word.size - (unit || percent ? 1 : 0) }, 10, &number))
		return false;
	if (percent)
		*ret = machine_frames.total * number / 100;
	else
		*ret = content_pages(number << (unit ? 10 * (unit - units + 1) : 0));
	return true;
}

static bool take_mode(struct node *root, struct name value)
{
	uint64_t mode;

	if (!mount_number(value, 8, &mode))
		return false;
	node_set_mode(root, (uint32_t)mode);
	return true;
}

static bool take_uid(struct node *root, struct name value)
{
	uint64_t id;

	if (!mount_number(value, 10, &id))
		return false;
	node_set_owner(root, (uint32_t)id, UINT32_MAX);
	return true;
}

static bool take_gid(struct node *root, struct name value)
{
	uint64_t id;

	if (!mount_number(value, 10, &id))
		return false;
	node_set_owner(root, UINT32_MAX, (uint32_t)id);
	return true;
}

/*
 * Set the limit on pages, 0 for none. Returns false when `value` is no size, or, as on Linux, when more pages are in
 * use.
 */
static bool take_size(struct node *root, struct name value)
{
	uint64_t pages;

	if (!get_pages(value, &pages) || (pages && pages < root->fs->pages))
		return false;
	root->fs->pages_max = pages;
	return true;
}

static bool take_nodes(struct node *root, struct name value)
{
	uint64_t nodes;

	if (!mount_number(value, 10, &nodes) || (nodes && nodes < root->fs->nodes))
		return false;
	root->fs->nodes_max = nodes;
	return true;
}

/* Apply one option, such as "mode=0755". */
static int take_option(struct node *root, struct name word, const struct mount_option *known, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(known[i].name);

		if (word.size >= size && memcmp(word.text, known[i].name, size) == 0)
			return known[i].take(root, (struct name){ word.text + size, word.size - size }) ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int mount_take_options(struct node *root, const char *options, const struct mount_option *known, size_t count)
{
	while (*options) {
		const char *comma = strchr(options, ',');
		size_t size = comma ? (size_t)(comma - options) : strlen(options);
		int error = size ? take_option(root, (struct name){ options, size }, known, count) : 0;

		if (error)
			return error;
		options += size + (comma ? 1 : 0);
	}
	return 0;
}

static int take_options(struct node *root, const char *options)
{
	static const struct mount_option known[] = {
		{ "mode=", take_mode }, { "uid=", take_uid },         { "gid=", take_gid },
		{ "size=", take_size }, { "nr_inodes=", take_nodes },
	};

	return mount_take_options(root, options, known, sizeof(known) / sizeof(known[0]));
}

static int create_tmpfs(const char *options, struct node **ret)
{
	struct node *root;
	int error = tmpfs_create(&root);

	if (error)
		return error;
	/* The default mode of a tmpfs (tmpfs(5)). */
	node_set_mode(root, S_ISVTX | 0777);
	tmpfs_set_limit(root);
	error = take_options(root, options);
	if (error)
		tmpfs_destroy(root);
	else
		*ret = root;
	return error;
}

/*
 * Make a devtmpfs: a tmpfs with a node for each device that is registered by now. Each mount has nodes of its own; on
 * Linux all mounts show the same ones.
 */
static int create_devtmpfs(const char *options, struct node **ret)
{
	struct node *root;
	int error = tmpfs_create(&root);

	if (error)
		return error;
	root->fs->name = "devtmpfs";
	tmpfs_set_limit(root);
	error = take_options(root, options);
	if (!error)
		error = device_make_nodes(root);
	if (error)
		tmpfs_destroy(root);
	else
		*ret = root;
	return error;
}

/* ---- sysfs ---- */

static struct text_fs_type sysfs = {
	.name = "sysfs", .magic = SYSFS_MAGIC, .file_size = PAGE_SIZE, .create_error = -EPERM
};

void sysfs_add(struct text_entry *entries, size_t count)
{
	text_fs_add(&sysfs, entries, count);
}

static int create_sysfs(const char *options, struct node **ret)
{
	(void)options;
	return text_fs_create(&sysfs, ret);
}

void mount_types_init(void)
{
	static struct mount_type own[] = {
		{ .name = "sysfs", .single = true, .create = create_sysfs, .destroy = text_fs_destroy },
		{ .name = "tmpfs", .create = create_tmpfs, .change = take_options, .destroy = tmpfs_destroy },
		{ .name = "devtmpfs",
		  .single = true,
		  .create = create_devtmpfs,
		  .change = take_options,
		  .destroy = tmpfs_destroy },
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		mount_type_add(&own[i]);
	devpts_init();
}

/*
 * See mount_types.h and sysfs.h.
 */
#include "kernel/fs/mount_types.h"

#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/sysfs.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/string.h"

#define SYSFS_MAGIC 0x62656572

/* ---- tmpfs ---- */

/* Digits of that base, to the end of `word`. False: there is something else, or nothing, or too much. */
static bool get_number(struct name word, unsigned base, uint64_t *ret)
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

/* One word of -o: "mode=0755". */
static int take_option(struct node *root, struct name word)
{
	static const char *const names[] = { "mode=", "uid=", "gid=" };
	uint64_t number;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size = strlen(names[i]);
		struct name value = { word.text + size, word.size - size };

		if (word.size < size || memcmp(word.text, names[i], size) != 0)
			continue;
		if (!get_number(value, i ? 10 : 8, &number))
			return -EINVAL;
		if (i == 0)
			node_chmod(root, (uint32_t)number);
		else
			node_chown(root, i == 1 ? (uint32_t)number : UINT32_MAX,
				   i == 2 ? (uint32_t)number : UINT32_MAX);
		return 0;
	}
	return -EINVAL;
}

static int take_options(struct node *root, const char *options)
{
	while (*options) {
		const char *comma = strchr(options, ',');
		size_t size = comma ? (size_t)(comma - options) : strlen(options);
		int error = size ? take_option(root, (struct name){ options, size }) : 0;

		if (error)
			return error;
		options += size + (comma ? 1 : 0);
	}
	return 0;
}

static int create_tmpfs(const char *options, struct node **ret)
{
	struct node *root;
	int error = tmpfs_create(&root);

	if (error)
		return error;
	/* As tmp wants it (tmpfs(5)). */
	node_chmod(root, S_ISVTX | 0777);
	error = take_options(root, options);
	if (error)
		tmpfs_destroy(root);
	else
		*ret = root;
	return error;
}

/* Linux has one for all mounts of it; here each starts with the devices that there are. */
static int create_devtmpfs(const char *options, struct node **ret)
{
	struct node *root;
	int error = tmpfs_create(&root);

	if (error)
		return error;
	root->fs->name = "devtmpfs";
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
	static struct mount_type types[] = {
		{ .name = "sysfs", .single = true, .create = create_sysfs, .destroy = text_fs_destroy },
		{ .name = "tmpfs", .create = create_tmpfs, .destroy = tmpfs_destroy },
		{ .name = "devtmpfs", .single = true, .create = create_devtmpfs, .destroy = tmpfs_destroy },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		mount_type_add(&types[i]);
}

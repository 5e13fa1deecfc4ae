/*
 * Makes the lists of mounts that programs read in /proc: mounts and mountinfo.
 */
#include "kernel/fs/mount_internal.h"
#include "kernel/fs/path.h"
#include "kernel/fs/text.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

/* Return how many bytes of `word` come before its end, or before the first that add_escaped() writes as digits. */
static size_t plain_bytes(const char *word)
{
	size_t size = 0;

	/*
	 * Nearly all bytes are above the blank: for them two comparisons, with the blank and the backslash, are enough.
	 */
	while (word[size] && ((unsigned char)word[size] > ' ' ? word[size] != '\\' : !strchr(" \t\n", word[size])))
		size++;
	return size;
}

/* Add a word with blanks and backslashes written as in /proc/mounts (getmntent(3)). */
static void add_escaped(struct text *text, const char *word)
{
	for (;;) {
		const size_t plain = plain_bytes(word);

		text_add_bytes(text, word, plain);
		word += plain;
		if (!*word)
			return;
		text_add(text, "\\%03o", (unsigned char)*word++);
	}
}

static void add_mount_flags(struct text *text, const struct mount *mount)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ MS_NOSUID, ",nosuid" },   { MS_NODEV, ",nodev" },           { MS_NOEXEC, ",noexec" },
		{ MS_NOATIME, ",noatime" }, { MS_NODIRATIME, ",nodiratime" }, { MS_RELATIME, ",relatime" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mount->flags & names[i].flag)
			text_add_string(text, names[i].name);
}

/* Add the options for the file system's limits that are not the defaults. */
static void add_fs_options(struct text *text, const struct fs *fs)
{
	if (fs->pages_max && fs->pages_max != tmpfs_default_limit())
		text_add(text, ",size=%lluk", (unsigned long long)(fs->pages_max * (PAGE_SIZE / 1024)));
	if (fs->nodes_max && fs->nodes_max != tmpfs_default_limit())
		text_add(text, ",nr_inodes=%llu", (unsigned long long)fs->nodes_max);
}

static void add_line(struct text *text, const struct mount *mount, const char *path)
{
	const struct fs *fs = mount->root->fs;

	add_escaped(text, mount->source);
	text_add_char(text, ' ');
	add_escaped(text, path);
	text_add_char(text, ' ');
	text_add_string(text, mount->type->name);
	text_add_string(text, (mount->flags | fs->flags) & MS_RDONLY ? " ro" : " rw");
	if (fs->flags & MS_SYNCHRONOUS)
		text_add_string(text, ",sync");
	add_mount_flags(text, mount);
	add_fs_options(text, fs);
	text_add_string(text, " 0 0\n");
}

/* Add the path of the mount's root in its file system; `buffer` has PATH_MAX bytes. */
static void add_root(struct text *text, struct mount *mount, char *buffer)
{
	const struct place top = { NULL, mount->root->fs->root };
	size_t size;

	if (path_of_place(&top, (struct place){ NULL, mount->root }, buffer, PATH_MAX, &size) == 0)
		add_escaped(text, buffer);
	else
		text_add_char(text, '/');
}

static void add_info_line(struct text *text, struct mount *mount, const char *path, char *buffer)
{
	const struct mount *parent = mount->parent ? mount->parent : mount;
	const struct fs *fs = mount->root->fs;

	text_add_number(text, mount->number);
	text_add_char(text, ' ');
	text_add_number(text, parent->number);
	text_add_char(text, ' ');
	text_add_number(text, DEVICE_MAJOR(fs->device));
	text_add_char(text, ':');
	text_add_number(text, DEVICE_MINOR(fs->device));
	text_add_char(text, ' ');
	add_root(text, mount, buffer);
	text_add_char(text, ' ');
	add_escaped(text, path);
	text_add_string(text, mount->flags & MS_RDONLY ? " ro" : " rw");
	add_mount_flags(text, mount);
	text_add_string(text, mount->unbindable ? " unbindable - " : " - ");
	text_add_string(text, mount->type->name);
	text_add_char(text, ' ');
	add_escaped(text, mount->source);
	text_add_string(text, fs->flags & MS_RDONLY ? " ro" : " rw");
	if (fs->flags & MS_SYNCHRONOUS)
		text_add_string(text, ",sync");
	add_fs_options(text, fs);
	text_add_char(text, '\n');
}

bool mount_list_some(enum mount_listing what, const struct place *root, uint64_t *place, size_t enough,
		     struct text *text)
{
	struct mount *mount = mount_from(*place);
	char *path = kmalloc(2 * PATH_MAX);
	size_t size;

	if (!path) {
		text->lost = true;
		return false;
	}
	for (int i = 0; i < MOUNT_STEP && mount && text->size < enough; i++) {
		/* A mount that is not below the caller's root has no path there, and is left out. */
		if (path_of_directory(root, (struct place){ mount, mount->root }, path, PATH_MAX, &size) == 0) {
			if (what == MOUNT_LINES)
				add_line(text, mount, path);
			else
				add_info_line(text, mount, path, path + PATH_MAX);
		}
		*place = mount->number + 1;
		mount = mount_next(mount);
	}
	kfree(path);
	return mount != NULL;
}

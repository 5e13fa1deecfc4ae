/*
 * The list of what is mounted, and what mount(2) and umount(2) refuse. One tree for all tests: its root stays mounted.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/device.h"
#include "kernel/fs/mount_change.h"
#include "kernel/fs/mount_types.h"
#include "kernel/fs/place.h"
#include "kernel/fs/text.h"

static char *listed(void)
{
	static char all[512];
	struct text text = { 0 };
	uint64_t place = 0;

	while (mount_list_some(MOUNT_LINES, &fs_base.root, &place, SIZE_MAX, &text))
		;
	assert_in_range(text.size, 0, sizeof(all) - 1);
	memcpy(all, text.bytes, text.size);
	all[text.size] = '\0';
	text_free(&text);
	return all;
}

static struct place look(const char *path)
{
	struct place place;

	assert_int_equal(path_lookup_place(&fs_base, path, 0, &place), 0);
	return place;
}

static int mount_at(const char *type, const char *path, unsigned flags, const char *options)
{
	struct place at = look(path);
	int error = mount_add(type, type, &at, flags, options);

	place_put(at);
	return error;
}

static void mounts_are_listed(void **state)
{
	struct place held;

	(void)state;
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n");
	assert_int_equal(path_create(&fs_base, "a b", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "f", S_IFREG | 0644, 0), 0);
	assert_int_equal(mount_at("tmpfs", "f", 0, ""), -ENOTDIR);
	assert_int_equal(mount_at("nofs", "a b", 0, ""), -ENODEV);
	assert_int_equal(mount_at("tmpfs", "a b", 0, "mode=9"), -EINVAL);
	assert_int_equal(mount_at("tmpfs", "a b", 0, "what"), -EINVAL);
	assert_int_equal(mount_at("tmpfs", "a b", MS_NOSUID | MS_NOATIME, "mode=0750,,uid=5,gid=6"), 0);
	held = look("a b");
	assert_int_equal(held.node->mode, S_IFDIR | 0750);
	assert_int_equal(held.node->uid * 10 + held.node->gid, 56);
	assert_int_equal(path_create(&fs_base, "a b/c", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("sysfs", "a b/c", 0, ""), 0);
	assert_int_equal(mount_at("sysfs", "a b/c", 0, ""), -EBUSY);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n"
				      "tmpfs /a\\040b tmpfs rw,nosuid,noatime 0 0\n"
				      "sysfs /a\\040b/c sysfs rw,relatime 0 0\n");
	place_get(held);
	assert_int_equal(mount_remove(held), -EBUSY);
	assert_int_equal(mount_remove(look("a b/c")), 0);
	assert_int_equal(mount_remove(look("a b/c")), -EINVAL);
	assert_int_equal(mount_remove(place_get(held)), -EBUSY);
	assert_int_equal(mount_change(&held, MS_NODEV, ""), 0);
	place_put(held);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\ntmpfs /a\\040b tmpfs rw,nodev,noatime 0 0\n");
	assert_int_equal(mount_remove(look("a b")), 0);
	assert_int_equal(mount_remove(look("/")), -EBUSY);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n");
}

static void mounts_cover(void **state)
{
	struct path_base base = fs_base;
	struct place found;
	char path[32];
	size_t size;

	(void)state;
	assert_int_equal(path_create(&fs_base, "cover", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "cover/below", S_IFREG | 0644, 0), 0);
	assert_int_equal(mount_at("tmpfs", "cover", 0, ""), 0);
	assert_int_equal(path_lookup_place(&fs_base, "cover/below", 0, &found), -ENOENT);
	assert_int_equal(path_create(&fs_base, "cover/d", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_link(&fs_base, "cover/d", &fs_base, "covered", 0), -EXDEV);
	assert_int_equal(path_rename(&fs_base, "cover/d", &fs_base, "covered", 0), -EXDEV);
	assert_int_equal(path_rename(&fs_base, "cover", &fs_base, "covered", 0), -EBUSY);
	assert_int_equal(path_rmdir(&fs_base, "cover"), -EBUSY);
	base.start = look("cover/d");
	assert_int_equal(path_of_directory(&fs_base.root, base.start, path, sizeof(path), &size), 0);
	assert_string_equal(path, "/cover/d");
	assert_int_equal(path_lookup_place(&base, "../..", 0, &found), 0);
	assert_true(place_is(&found, &fs_base.root));
	place_put(found);
	place_put(base.start);
	assert_int_equal(path_rmdir(&fs_base, "cover/d"), 0);
	assert_int_equal(mount_remove(look("cover")), 0);
	assert_int_equal(path_unlink(&fs_base, "cover/below"), 0);
	assert_int_equal(path_rmdir(&fs_base, "cover"), 0);
}

/* Make a bind mount at once. */
static int bind(const char *from, const char *to)
{
	struct place source = look(from), at = look(to);
	struct mount_bind copy;
	int more, error = mount_bind_start(&copy, &source);

	if (!error) {
		while ((more = mount_bind_some(&copy)) > 0)
			;
		error = more ? more : mount_bind_end(&copy, &at);
		while (error && mount_bind_undo_some(&copy))
			;
	}
	place_put(source);
	place_put(at);
	return error;
}

/* Move away the directory that a walk has reached. */
static bool move_away(void)
{
	assert_int_equal(path_rename(&fs_base, "top/in/d", &fs_base, "d", 0), 0);
	return false;
}

static bool move_nothing(void)
{
	return false;
}

/* A restricted walk does not leave its root by ".." of a directory that is moved out of the root meanwhile. */
static void a_restricted_walk_stays_inside(void **state)
{
	const unsigned beneath = PATH_RESTRICTED(RESOLVE_BENEATH), in_root = PATH_RESTRICTED(RESOLVE_IN_ROOT);
	struct path_base base = fs_base;
	struct place found;

	(void)state;
	assert_int_equal(path_create(&fs_base, "top", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "top/in", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "top/in/d", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_symlink(&fs_base, "top/in/d/here", "."), 0);
	base.start = look("top");
	base.pause = move_nothing;
	assert_int_equal(path_lookup_place(&base, "in/d/here/../..", beneath, &found), 0);
	assert_true(place_is(&found, &base.start));
	place_put(found);
	base.pause = move_away;
	assert_int_equal(path_lookup_place(&base, "in/d/here/../..", beneath, &found), -EAGAIN);
	assert_int_equal(path_rename(&fs_base, "d", &fs_base, "top/in/d", 0), 0);
	assert_int_equal(path_lookup_place(&base, "in/d/here/../..", in_root, &found), -EAGAIN);
	place_put(base.start);
	assert_int_equal(path_unlink(&fs_base, "d/here"), 0);
	assert_int_equal(path_rmdir(&fs_base, "d"), 0);
	assert_int_equal(path_rmdir(&fs_base, "top/in"), 0);
	assert_int_equal(path_rmdir(&fs_base, "top"), 0);
}

/* A bind mount of a tree, refused at each point where memory is needed: nothing is left. */
static void binding_needs_memory(void **state)
{
	uint64_t blocks, n = 1;
	int error;

	(void)state;
	assert_int_equal(path_create(&fs_base, "from", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "to", S_IFDIR | 0755, 0), 0);
	blocks = fs_heap_blocks;
	assert_int_equal(mount_at("tmpfs", "from", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "from/d", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "from/d", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "from/d/f", S_IFREG | 0644, 0), 0);
	for (;; n++) {
		uint64_t before = fs_heap_blocks;

		fs_heap_fail_in = n + 1; /* the first path of bind() needs none, so all are those of the mounts */
		error = bind("from", "to");
		fs_heap_fail_in = 0;
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(fs_heap_blocks, before);
	}
	assert_true(n > 2);
	place_put(look("to/d/f"));
	assert_int_equal(mount_detach(look("from")), 0);
	place_put(look("to/d/f"));
	assert_int_equal(mount_detach(look("to")), 0);
	assert_true(fs_heap_blocks <= blocks);
	assert_int_equal(path_rmdir(&fs_base, "from"), 0);
	assert_int_equal(path_rmdir(&fs_base, "to"), 0);
}

/* Nothing changes while it is read-only, and it does not become so while somebody writes. */
static void a_read_only_mount_stays_as_it_is(void **state)
{
	struct file *file;
	struct place root;
	uint64_t size = 4;
	char byte;

	(void)state;
	assert_int_equal(path_create(&fs_base, "ro", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "ro", MS_NODEV, ""), 0);
	root = look("ro");
	assert_int_equal(path_open(&fs_base, "ro/f", O_CREAT | O_WRONLY, 0600, &file), 0);
	assert_int_equal(do_write(file, "text", size), size);
	assert_int_equal(mount_change(&root, MS_RDONLY, ""), -EBUSY);
	file_put(file);
	assert_int_equal(path_create(&fs_base, "ro/null", S_IFCHR | 0666, DEVICE_NUMBER(1, 3)), 0);
	assert_int_equal(mount_change(&root, MS_RDONLY | MS_NODEV, ""), 0);
	assert_int_equal(path_create(&fs_base, "ro/g", S_IFREG | 0600, 0), -EROFS);
	assert_int_equal(path_create(&fs_base, "ro/f", S_IFREG | 0600, 0), -EEXIST);
	assert_int_equal(path_symlink(&fs_base, "ro/g", "x"), -EROFS);
	assert_int_equal(path_link(&fs_base, "ro/f", &fs_base, "ro/g", 0), -EROFS);
	assert_int_equal(path_unlink(&fs_base, "ro/f"), -EROFS);
	assert_int_equal(path_rmdir(&fs_base, "ro/d"), -EROFS);
	assert_int_equal(path_rename(&fs_base, "ro/f", &fs_base, "ro/g", 0), -EROFS);
	assert_int_equal(path_open(&fs_base, "ro/f", O_WRONLY, 0, &file), -EROFS);
	assert_int_equal(path_open(&fs_base, "ro/f", O_RDONLY | O_TRUNC, 0, &file), -EROFS);
	assert_int_equal(path_open(&fs_base, "ro/g", O_CREAT, 0600, &file), -EROFS);
	assert_int_equal(path_open(&fs_base, "ro/null", O_RDWR, 0, &file), -EACCES);
	assert_int_equal(path_open(&fs_base, "ro/f", O_CREAT, 0600, &file), 0);
	assert_int_equal(do_read(file, &byte, 1), 1);
	file_put(file);
	assert_int_equal(mount_change(&root, 0, ""), 0);
	assert_int_equal(path_unlink(&fs_base, "ro/f"), 0);
	assert_int_equal(mount_remove(root), 0);
}

/* Bytes and names that the options allow, and what statfs says of them. */
static void a_limit_is_kept(void **state)
{
	static char piece[3 * PAGE_SIZE];
	struct linux_statfs statfs;
	struct file *file;
	struct place root;

	(void)state;
	assert_int_equal(path_create(&fs_base, "small", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "small", 0, "size=8k,nr_inodes=2"), 0);
	root = look("small");
	assert_non_null(strstr(listed(), "/small tmpfs rw,relatime,size=8k,nr_inodes=2 0 0\n"));
	file = NULL;
	assert_int_equal(path_open(&fs_base, "small/f", O_CREAT | O_RDWR, 0600, &file), 0);
	assert_int_equal(path_create(&fs_base, "small/g", S_IFREG | 0600, 0), -ENOSPC);
	assert_int_equal(do_write(file, piece, sizeof(piece)), 2 * PAGE_SIZE);
	assert_int_equal(do_write(file, piece, 1), -ENOSPC);
	node_statfs(&root, &statfs);
	assert_int_equal(statfs.blocks, 2);
	assert_int_equal(statfs.bfree, 0);
	assert_int_equal(statfs.files, 2);
	assert_int_equal(statfs.ffree, 0);
	assert_int_equal(mount_change(&root, 0, "size=4k"), -EINVAL);
	assert_int_equal(mount_change(&root, 0, "size=12k"), 0);
	assert_int_equal(do_write(file, piece, 1), 1);
	assert_int_equal(node_truncate(file->node, 0), 0);
	assert_int_equal(mount_change(&root, 0, "size=4k,nr_inodes=3"), 0);
	node_statfs(&root, &statfs);
	assert_int_equal(statfs.bfree, 1);
	assert_int_equal(path_create(&fs_base, "small/g", S_IFREG | 0600, 0), 0);
	file_put(file);
	assert_int_equal(mount_remove(root), 0);
}

/* MNT_DETACH: out of sight at once, with what is mounted inside; gone with the last user. */
static void a_detached_mount_lives_on_for_its_users(void **state)
{
	uint64_t blocks, frames;
	struct file *file;
	char byte;

	(void)state;
	assert_int_equal(path_create(&fs_base, "lazy", S_IFDIR | 0755, 0), 0);
	blocks = fs_heap_blocks;
	frames = frame_free_count(&machine_frames);
	assert_int_equal(mount_at("tmpfs", "lazy", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/d", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "lazy/d", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/d/e", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_open(&fs_base, "lazy/d/e/f", O_CREAT | O_RDWR, 0600, &file), 0);
	assert_int_equal(do_write(file, "x", 1), 1);
	assert_int_equal(mount_detach(look("lazy/d/e")), -EINVAL);
	assert_int_equal(mount_detach(look("/")), -EBUSY);
	assert_int_equal(mount_detach(look("lazy")), 0);
	assert_null(strstr(listed(), "lazy"));
	assert_int_equal(path_rmdir(&fs_base, "lazy"), 0);
	assert_int_equal(file_pread(file, NULL, UINT64_MAX), -EINVAL);
	assert_int_equal(file_seek(file, 0, SEEK_SET), 0);
	assert_int_equal(do_read(file, &byte, 1), 1);
	file_put(file);
	assert_int_equal(frame_free_count(&machine_frames), frames);
	assert_true(fs_heap_blocks <= blocks);
}

/* Where no path leads any more nothing can be mounted: it could never be unmounted, and would keep what it lies on. */
static void nothing_is_mounted_out_of_reach(void **state)
{
	struct place gone, inner, root;
	uint64_t blocks = fs_heap_blocks;

	(void)state;
	assert_int_equal(path_create(&fs_base, "gone", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "other", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "other", 0, ""), 0);
	gone = look("gone");
	root = look("other");
	assert_int_equal(path_rmdir(&fs_base, "gone"), 0);
	assert_int_equal(mount_add("tmpfs", "x", &gone, 0, ""), -ENOENT);
	assert_int_equal(mount_move(&root, &gone), -ENOENT);
	place_put(gone);
	assert_int_equal(path_create(&fs_base, "lazy", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "lazy", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/a", S_IFDIR | 0755, 0), 0);
	gone = look("lazy");
	inner = look("lazy/a");
	assert_int_equal(mount_detach(look("lazy")), 0);
	assert_int_equal(mount_add("tmpfs", "x", &gone, 0, ""), -EINVAL);
	assert_int_equal(mount_add("tmpfs", "x", &inner, 0, ""), -EINVAL);
	assert_int_equal(mount_move(&root, &inner), -EINVAL);
	place_put(inner);
	place_put(gone);
	assert_int_equal(mount_remove(root), 0);
	assert_int_equal(path_rmdir(&fs_base, "lazy"), 0);
	assert_int_equal(path_rmdir(&fs_base, "other"), 0);
	assert_int_equal(fs_heap_blocks, blocks);
}

/* What is mounted inside goes with the mount in whatever order both came: MS_MOVE brings an older mount into a younger one. */
static void a_mount_takes_moved_ones_along(void **state)
{
	struct place inner, at;

	(void)state;
	assert_int_equal(path_create(&fs_base, "inner", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "lazy", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "inner", 0, ""), 0);
	assert_int_equal(mount_at("tmpfs", "lazy", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/a", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "lazy/a", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/a/b", S_IFDIR | 0755, 0), 0);
	inner = look("inner");
	at = look("lazy/a/b");
	assert_int_equal(mount_move(&inner, &at), 0);
	place_put(at);
	assert_int_equal(mount_detach(look("lazy")), 0);
	assert_null(inner.mount->parent);
	assert_int_equal(mount_change(&inner, 0, ""), -EINVAL);
	place_put(inner);
	assert_int_equal(path_rmdir(&fs_base, "lazy"), 0);
	assert_int_equal(path_rmdir(&fs_base, "inner"), 0);
}

/* The last user of a detached mount is a file that has lost its name, and its directory has, too. */
static void a_detached_mount_ends_with_an_unlinked_file(void **state)
{
	uint64_t blocks, frames;
	struct file *file;
	char bytes[2];

	(void)state;
	assert_int_equal(path_create(&fs_base, "lazy", S_IFDIR | 0755, 0), 0);
	blocks = fs_heap_blocks;
	frames = frame_free_count(&machine_frames);
	for (int remembered = 0; remembered < 2; remembered++) {
		assert_int_equal(mount_at("tmpfs", "lazy", 0, ""), 0);
		assert_int_equal(path_create(&fs_base, "lazy/d", S_IFDIR | 0755, 0), 0);
		assert_int_equal(path_open(&fs_base, "lazy/d/f", O_CREAT | O_RDWR, 0600, &file), 0);
		assert_int_equal(do_write(file, "x", 1), 1);
		assert_int_equal(path_create(&fs_base, "lazy/d/g", S_IFREG | 0600, 0), 0);
		/* Without memory a file that is replaced does not keep the name that it had. */
		fs_heap_fail_in = remembered ? 0 : 1;
		assert_int_equal(path_rename(&fs_base, "lazy/d/g", &fs_base, "lazy/d/f", 0), 0);
		fs_heap_fail_in = 0;
		assert_int_equal(path_unlink(&fs_base, "lazy/d/f"), 0);
		assert_int_equal(path_rmdir(&fs_base, "lazy/d"), 0);
		assert_int_equal(mount_detach(look("lazy")), 0);
		assert_int_equal(do_write(file, "y", 1), 1);
		assert_int_equal(file_seek(file, 0, SEEK_SET), 0);
		assert_int_equal(do_read(file, bytes, 2), 2);
		assert_memory_equal(bytes, "xy", 2);
		file_put(file);
		assert_int_equal(frame_free_count(&machine_frames), frames);
		assert_true(fs_heap_blocks <= blocks);
	}
	assert_int_equal(path_rmdir(&fs_base, "lazy"), 0);
}

/* What a mount's creation takes may be refused at each point: nothing is left. */
static void mounting_needs_memory(void **state)
{
	uint64_t n = 1;

	(void)state;
	assert_int_equal(path_create(&fs_base, "m", S_IFDIR | 0755, 0), 0);
	for (;; n++) {
		uint64_t blocks = fs_heap_blocks;
		struct place at = look("m");
		int error;

		fs_heap_fail_in = n;
		error = mount_add("tmpfs", "none", &at, 0, "");
		fs_heap_fail_in = 0;
		place_put(at);
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(fs_heap_blocks, blocks);
	}
	assert_true(n > 4);
	assert_int_equal(path_create(&fs_base, "m/f", S_IFREG | 0644, 0), 0);
	assert_int_equal(mount_remove(look("m")), 0);
}

/* MS_MOVE takes along who is in there. */
static void mounts_move(void **state)
{
	struct place root, held, at;

	(void)state;
	assert_int_equal(path_create(&fs_base, "from", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "to", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "from", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "from/d", S_IFDIR | 0755, 0), 0);
	held = look("from/d");
	root = look("from");
	at = look("to");
	assert_int_equal(mount_move(&held, &at), -EINVAL);
	assert_int_equal(mount_move(&at, &root), -EINVAL);
	assert_int_equal(mount_move(&root, &held), -ELOOP);
	assert_int_equal(mount_move(&fs_base.root, &at), -EINVAL);
	assert_int_equal(mount_move(&root, &at), 0);
	place_put(at);
	at = look("to/d");
	assert_true(place_is(&at, &held));
	place_put(at);
	place_put(held);
	assert_int_equal(path_create(&fs_base, "from/x", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_rmdir(&fs_base, "from/x"), 0);
	assert_int_equal(mount_remove(root), 0);
	assert_int_equal(path_rmdir(&fs_base, "from"), 0);
	assert_int_equal(path_rmdir(&fs_base, "to"), 0);
}

static int start(void **state)
{
	(void)state;
	fs_start();
	mount_types_init();
	assert_int_equal(mount_set_root("tmpfs", fs_base.root.node, &fs_base.root), 0);
	fs_base.start = fs_base.root;
	return 0;
}

#define MANY 200 /* mounts: more than one step lists or detaches */

/* Very many mounts are listed and detached in steps, in which a step may have no line: its mounts lie elsewhere. */
static void many_are_listed_in_steps(void **state)
{
	struct place elsewhere, top;
	struct text text = { 0 };
	char path[64] = "many";
	uint64_t place = 0;
	int steps = 0, more;

	(void)state;
	assert_int_equal(path_create(&fs_base, "other", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "many", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "many", 0, ""), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		assert_int_equal(path_create(&fs_base, path, S_IFDIR | 0755, 0), 0);
		assert_int_equal(mount_at("tmpfs", path, 0, ""), 0);
	}
	elsewhere = look("other");
	while (mount_list_some(MOUNT_LINES, &elsewhere, &place, 1, &text))
		steps++;
	assert_in_range(steps, 2, MANY / 10);
	assert_int_equal(text.size, 0);
	place_put(elsewhere);
	top = look("many");
	place = 0;
	while (mount_list_some(MOUNT_LINES, &top, &place, SIZE_MAX, &text))
		;
	text_add_char(&text, '\0');
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "tmpfs /%d tmpfs rw,relatime 0 0\n", i);
		assert_non_null(strstr(text.bytes, path));
	}
	text_free(&text);
	steps = 0;
	while ((more = mount_detach_some(&top)) > 0)
		steps++;
	assert_int_equal(more, 0);
	assert_in_range(steps, 2, MANY / 10);
	place_put(top);
	assert_int_equal(path_rmdir(&fs_base, "many"), 0);
	assert_int_equal(path_rmdir(&fs_base, "other"), 0);
}

/* Each bind mount of all that is there makes it twice as much. */
static void mounts_are_limited(void **state)
{
	char path[16];
	int error = 0;
	uint64_t blocks;

	(void)state;
	assert_int_equal(path_create(&fs_base, "all", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "all", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "all/first", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_at("tmpfs", "all/first", 0, ""), 0);
	for (uint64_t mounts = 2; !error; mounts *= 2) {
		snprintf(path, sizeof(path), "all/%llu", (unsigned long long)mounts);
		assert_int_equal(path_create(&fs_base, path, S_IFDIR | 0755, 0), 0);
		blocks = fs_heap_blocks;
		error = bind("all", path);
		assert_int_equal(error, 1 + 2 * mounts > MOUNTS_MOST ? -ENOSPC : 0);
	}
	assert_int_equal(fs_heap_blocks, blocks);
	assert_int_equal(mount_detach(look("all")), 0);
	assert_int_equal(path_rmdir(&fs_base, "all"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_are_listed),
		cmocka_unit_test(mounting_needs_memory),
		cmocka_unit_test(mounts_cover),
		cmocka_unit_test(a_restricted_walk_stays_inside),
		cmocka_unit_test(binding_needs_memory),
		cmocka_unit_test(mounts_move),
		cmocka_unit_test(many_are_listed_in_steps),
		cmocka_unit_test(mounts_are_limited),
		cmocka_unit_test(a_read_only_mount_stays_as_it_is),
		cmocka_unit_test(a_limit_is_kept),
		cmocka_unit_test(a_detached_mount_lives_on_for_its_users),
		cmocka_unit_test(a_mount_takes_moved_ones_along),
		cmocka_unit_test(nothing_is_mounted_out_of_reach),
		cmocka_unit_test(a_detached_mount_ends_with_an_unlinked_file),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}

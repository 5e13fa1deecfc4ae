/*
 * The list of what is mounted, and what mount(2) and umount(2) refuse. One tree for all tests: its root stays mounted.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/mount_types.h"
#include "kernel/fs/text.h"

static char *listed(void)
{
	static char all[512];
	struct text text = { 0 };
	uint64_t place = 0;

	while (mount_list_some(fs_base.root, &place, SIZE_MAX, &text))
		;
	assert_in_range(text.size, 0, sizeof(all) - 1);
	memcpy(all, text.bytes, text.size);
	all[text.size] = '\0';
	text_free(&text);
	return all;
}

static struct node *look(const char *path)
{
	struct node *node;

	assert_int_equal(path_lookup(&fs_base, path, 0, &node), 0);
	return node;
}

static int mount_on(const char *type, const char *path, unsigned flags, const char *options)
{
	struct node *at = look(path);
	int error = mount_add(type, type, at, flags, options);

	node_put(at);
	return error;
}

static void mounts_are_listed(void **state)
{
	struct node *held;

	(void)state;
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n");
	assert_int_equal(path_create(&fs_base, "a b", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "f", S_IFREG | 0644, 0), 0);
	assert_int_equal(mount_on("tmpfs", "f", 0, ""), -ENOTDIR);
	assert_int_equal(mount_on("nofs", "a b", 0, ""), -ENODEV);
	assert_int_equal(mount_on("tmpfs", "a b", 0, "mode=9"), -EINVAL);
	assert_int_equal(mount_on("tmpfs", "a b", 0, "what"), -EINVAL);
	assert_int_equal(mount_on("tmpfs", "a b", MS_NOSUID | MS_NOATIME, "mode=0750,,uid=5,gid=6"), 0);
	held = look("a b");
	assert_int_equal(held->mode, S_IFDIR | 0750);
	assert_int_equal(held->uid * 10 + held->gid, 56);
	assert_int_equal(path_create(&fs_base, "a b/c", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("sysfs", "a b/c", 0, ""), 0);
	assert_int_equal(mount_on("sysfs", "a b/c", 0, ""), -EBUSY);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n"
				      "tmpfs /a\\040b tmpfs rw,nosuid,noatime 0 0\n"
				      "sysfs /a\\040b/c sysfs rw,relatime 0 0\n");
	node_get(held);
	assert_int_equal(mount_remove(held), -EBUSY);
	assert_int_equal(mount_remove(look("a b/c")), 0);
	assert_int_equal(mount_remove(look("a b/c")), -EINVAL);
	assert_int_equal(mount_remove(node_get(held)), -EBUSY);
	assert_int_equal(mount_change(held, MS_NODEV, ""), 0);
	node_put(held);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\ntmpfs /a\\040b tmpfs rw,nodev,relatime 0 0\n");
	assert_int_equal(mount_remove(look("a b")), 0);
	assert_int_equal(mount_remove(look("/")), -EBUSY);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n");
}

/* Nothing changes while it is read-only, and it does not become so while somebody writes. */
static void a_read_only_mount_stays_as_it_is(void **state)
{
	struct file *file;
	struct node *root;
	uint64_t size = 4;
	char byte;

	(void)state;
	assert_int_equal(path_create(&fs_base, "ro", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "ro", MS_NODEV, ""), 0);
	root = look("ro");
	assert_int_equal(path_open(&fs_base, "ro/f", O_CREAT | O_WRONLY, 0600, &file), 0);
	assert_int_equal(do_write(file, "text", size), size);
	assert_int_equal(mount_change(root, MS_RDONLY, ""), -EBUSY);
	file_put(file);
	assert_int_equal(path_create(&fs_base, "ro/null", S_IFCHR | 0666, DEVICE_NUMBER(1, 3)), 0);
	assert_int_equal(mount_change(root, MS_RDONLY | MS_NODEV, ""), 0);
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
	assert_int_equal(mount_change(root, 0, ""), 0);
	assert_int_equal(path_unlink(&fs_base, "ro/f"), 0);
	assert_int_equal(mount_remove(root), 0);
}

/* Bytes and names that the options allow, and what statfs says of them. */
static void a_limit_is_kept(void **state)
{
	static char piece[3 * PAGE_SIZE];
	struct linux_statfs statfs;
	struct file *file;
	struct node *root;

	(void)state;
	assert_int_equal(path_create(&fs_base, "small", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "small", 0, "size=8k,nr_inodes=2"), 0);
	root = look("small");
	assert_non_null(strstr(listed(), "/small tmpfs rw,relatime,size=8k,nr_inodes=2 0 0\n"));
	file = NULL;
	assert_int_equal(path_open(&fs_base, "small/f", O_CREAT | O_RDWR, 0600, &file), 0);
	assert_int_equal(path_create(&fs_base, "small/g", S_IFREG | 0600, 0), -ENOSPC);
	assert_int_equal(do_write(file, piece, sizeof(piece)), 2 * PAGE_SIZE);
	assert_int_equal(do_write(file, piece, 1), -ENOSPC);
	node_statfs(root, &statfs);
	assert_int_equal(statfs.blocks, 2);
	assert_int_equal(statfs.bfree, 0);
	assert_int_equal(statfs.files, 2);
	assert_int_equal(statfs.ffree, 0);
	assert_int_equal(mount_change(root, 0, "size=4k"), -EINVAL);
	assert_int_equal(mount_change(root, 0, "size=12k"), 0);
	assert_int_equal(do_write(file, piece, 1), 1);
	assert_int_equal(node_truncate(file->node, 0), 0);
	assert_int_equal(mount_change(root, 0, "size=4k,nr_inodes=3"), 0);
	node_statfs(root, &statfs);
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
	assert_int_equal(mount_on("tmpfs", "lazy", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/d", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "lazy/d", 0, ""), 0);
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
	struct node *gone, *inner, *root;
	uint64_t blocks = fs_heap_blocks;

	(void)state;
	assert_int_equal(path_create(&fs_base, "gone", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "other", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "other", 0, ""), 0);
	gone = look("gone");
	root = look("other");
	assert_int_equal(path_rmdir(&fs_base, "gone"), 0);
	assert_int_equal(mount_add("tmpfs", "x", gone, 0, ""), -ENOENT);
	assert_int_equal(mount_move(root, gone), -ENOENT);
	node_put(gone);
	assert_int_equal(path_create(&fs_base, "lazy", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "lazy", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/a", S_IFDIR | 0755, 0), 0);
	gone = look("lazy");
	inner = look("lazy/a");
	assert_int_equal(mount_detach(look("lazy")), 0);
	assert_int_equal(mount_add("tmpfs", "x", gone, 0, ""), -EINVAL);
	assert_int_equal(mount_add("tmpfs", "x", inner, 0, ""), -EINVAL);
	assert_int_equal(mount_move(root, inner), -EINVAL);
	node_put(inner);
	node_put(gone);
	assert_int_equal(mount_remove(root), 0);
	assert_int_equal(path_rmdir(&fs_base, "lazy"), 0);
	assert_int_equal(path_rmdir(&fs_base, "other"), 0);
	assert_int_equal(fs_heap_blocks, blocks);
}

/* What is mounted inside goes with the mount in whatever order both came: MS_MOVE brings an older mount into a younger one. */
static void a_mount_takes_moved_ones_along(void **state)
{
	struct node *inner, *at;

	(void)state;
	assert_int_equal(path_create(&fs_base, "inner", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "lazy", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "inner", 0, ""), 0);
	assert_int_equal(mount_on("tmpfs", "lazy", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/a", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "lazy/a", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "lazy/a/b", S_IFDIR | 0755, 0), 0);
	inner = look("inner");
	at = look("lazy/a/b");
	assert_int_equal(mount_move(inner, at), 0);
	node_put(at);
	assert_int_equal(mount_detach(look("lazy")), 0);
	assert_null(inner->covers);
	assert_int_equal(mount_change(inner, 0, ""), -EINVAL);
	node_put(inner);
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
		assert_int_equal(mount_on("tmpfs", "lazy", 0, ""), 0);
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
		struct node *at = look("m");
		int error;

		fs_heap_fail_in = n;
		error = mount_add("tmpfs", "none", at, 0, "");
		fs_heap_fail_in = 0;
		node_put(at);
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
	struct node *root, *held, *at;

	(void)state;
	assert_int_equal(path_create(&fs_base, "from", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "to", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "from", 0, ""), 0);
	assert_int_equal(path_create(&fs_base, "from/d", S_IFDIR | 0755, 0), 0);
	held = look("from/d");
	root = look("from");
	at = look("to");
	assert_int_equal(mount_move(held, at), -EINVAL);
	assert_int_equal(mount_move(at, root), -EINVAL);
	assert_int_equal(mount_move(root, held), -ELOOP);
	assert_int_equal(mount_move(fs_base.root, at), -EINVAL);
	assert_int_equal(mount_move(root, at), 0);
	node_put(at);
	at = look("to/d");
	assert_ptr_equal(at, held);
	node_put(at);
	node_put(held);
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
	return mount_set_root("tmpfs", fs_base.root);
}

#define MANY 200 /* mounts: more than one step lists or detaches */

/* Very many mounts are listed and detached in steps, in which a step may have no line: its mounts lie elsewhere. */
static void many_are_listed_in_steps(void **state)
{
	struct node *elsewhere, *top;
	struct text text = { 0 };
	char path[64] = "many";
	uint64_t place = 0;
	int steps = 0, more;

	(void)state;
	assert_int_equal(path_create(&fs_base, "other", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "many", S_IFDIR | 0755, 0), 0);
	assert_int_equal(mount_on("tmpfs", "many", 0, ""), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		assert_int_equal(path_create(&fs_base, path, S_IFDIR | 0755, 0), 0);
		assert_int_equal(mount_on("tmpfs", path, 0, ""), 0);
	}
	elsewhere = look("other");
	while (mount_list_some(elsewhere, &place, 1, &text))
		steps++;
	assert_in_range(steps, 2, MANY / 10);
	assert_int_equal(text.size, 0);
	node_put(elsewhere);
	top = look("many");
	place = 0;
	while (mount_list_some(top, &place, SIZE_MAX, &text))
		;
	text_add_char(&text, '\0');
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "tmpfs /%d tmpfs rw,relatime 0 0\n", i);
		assert_non_null(strstr(text.bytes, path));
	}
	text_free(&text);
	steps = 0;
	while ((more = mount_detach_some(top)) > 0)
		steps++;
	assert_int_equal(more, 0);
	assert_in_range(steps, 2, MANY / 10);
	node_put(top);
	assert_int_equal(path_rmdir(&fs_base, "many"), 0);
	assert_int_equal(path_rmdir(&fs_base, "other"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_are_listed),
		cmocka_unit_test(mounting_needs_memory),
		cmocka_unit_test(mounts_move),
		cmocka_unit_test(many_are_listed_in_steps),
		cmocka_unit_test(a_read_only_mount_stays_as_it_is),
		cmocka_unit_test(a_limit_is_kept),
		cmocka_unit_test(a_detached_mount_lives_on_for_its_users),
		cmocka_unit_test(a_mount_takes_moved_ones_along),
		cmocka_unit_test(nothing_is_mounted_out_of_reach),
		cmocka_unit_test(a_detached_mount_ends_with_an_unlinked_file),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}

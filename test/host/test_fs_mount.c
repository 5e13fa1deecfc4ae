/*
 * The list of what is mounted, and what mount(2) and umount(2) refuse. One tree for all tests: its root stays mounted.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/mount.h"
#include "kernel/fs/mount_types.h"
#include "kernel/fs/text.h"

static char *listed(void)
{
	static char all[512];
	struct text text = { 0 };

	mount_list(fs_base.root, &text);
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
	assert_int_equal(mount_change(held, MS_NODEV), 0);
	node_put(held);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\ntmpfs /a\\040b tmpfs rw,nodev,relatime 0 0\n");
	assert_int_equal(mount_remove(look("a b")), 0);
	assert_int_equal(mount_remove(look("/")), -EBUSY);
	assert_string_equal(listed(), "tmpfs / tmpfs rw,relatime 0 0\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_are_listed),
		cmocka_unit_test(mounting_needs_memory),
		cmocka_unit_test(mounts_move),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}

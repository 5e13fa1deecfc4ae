/*
 * Names and nodes: what each call does, what it refuses, and that a call that fails changes nothing.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/place.h"

#include "kernel/fs/linux_stat.h"

static int start(void **state)
{
	(void)state;
	fs_start();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_end();
	return 0;
}

static int make(const char *path)
{
	return path_create(&fs_base, path, S_IFREG | 0644, 0);
}

static int make_dir(const char *path)
{
	return path_create(&fs_base, path, S_IFDIR | 0755, 0);
}

static int look(const char *path, unsigned flags, struct linux_stat *ret)
{
	struct node *node;
	int error = path_lookup(&fs_base, path, flags, &node);

	if (error)
		return error;
	node_stat(node, ret);
	node_put(node);
	return 0;
}

static int exists(const char *path)
{
	struct linux_stat stat;

	return look(path, PATH_FOLLOW, &stat);
}

static uint64_t links_of(const char *path)
{
	struct linux_stat stat;

	assert_int_equal(look(path, PATH_NO_FOLLOW, &stat), 0);
	return stat.nlink;
}

static int move(const char *from, const char *to, unsigned flags)
{
	return path_rename(&fs_base, from, &fs_base, to, flags);
}

static void paths_lead_to_nodes(void **state)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 1];
	struct linux_stat stat;

	(void)state;
	assert_int_equal(make_dir("/a"), 0);
	assert_int_equal(make_dir("a/b/"), 0);
	assert_int_equal(make("/a/b/f"), 0);
	assert_int_equal(exists("//a///b/../b/./f"), 0);
	assert_int_equal(exists("../../a"), 0);
	assert_int_equal(exists(""), -ENOENT);
	assert_int_equal(look("", PATH_EMPTY, &stat), 0);
	assert_int_equal(stat.mode, S_IFDIR | 0755);
	assert_int_equal(exists("/"), 0);
	assert_int_equal(exists("a/x"), -ENOENT);
	assert_int_equal(exists("a/x/y"), -ENOENT);
	assert_int_equal(exists("a/b/f/"), -ENOTDIR);
	assert_int_equal(exists("a/b/f/x"), -ENOTDIR);
	assert_int_equal(exists("a/b/f/.."), -ENOTDIR);
	assert_int_equal(look("a/b/f", PATH_DIRECTORY, &stat), -ENOTDIR);
	assert_int_equal(make("n/"), -ENOENT);
	assert_int_equal(make("a"), -EEXIST);
	assert_int_equal(make_dir("/"), -EEXIST);
	assert_int_equal(make_dir("a/.."), -EEXIST);
	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = 0;
	assert_int_equal(make(name), -ENAMETOOLONG);
	assert_int_equal(exists(name), -ENAMETOOLONG);
	name[NAME_MAX] = 0;
	assert_int_equal(make(name), 0);
	assert_int_equal(exists(name), 0);
	memset(path, '/', PATH_MAX);
	path[PATH_MAX] = 0;
	assert_int_equal(exists(path), -ENAMETOOLONG);
	path[PATH_MAX - 1] = 0;
	assert_int_equal(exists(path), 0);
}

static void links_are_followed(void **state)
{
	struct linux_stat stat;
	char text[16], target[16];

	(void)state;
	assert_int_equal(make_dir("d"), 0);
	assert_int_equal(make("d/f"), 0);
	assert_int_equal(path_symlink(&fs_base, "l", "d"), 0);
	assert_int_equal(path_symlink(&fs_base, "d/up", "../d/f"), 0);
	assert_int_equal(path_symlink(&fs_base, "abs", "/l/up"), 0);
	assert_int_equal(path_symlink(&fs_base, "gone", "nowhere"), 0);
	assert_int_equal(path_symlink(&fs_base, "x/y", "nowhere"), -ENOENT);
	assert_int_equal(path_symlink(&fs_base, "empty", ""), -ENOENT);
	assert_int_equal(look("l/up", PATH_FOLLOW, &stat), 0);
	assert_int_equal(stat.mode, S_IFREG | 0644);
	assert_int_equal(exists("abs"), 0);
	assert_int_equal(exists("abs/"), -ENOTDIR);
	assert_int_equal(exists("gone"), -ENOENT);
	assert_int_equal(look("gone", PATH_NO_FOLLOW, &stat), 0);
	assert_int_equal(stat.mode, S_IFLNK | 0777);
	assert_int_equal(stat.size, 7);
	assert_int_equal(look("l", PATH_NO_FOLLOW, &stat), 0);
	assert_int_equal(stat.mode & S_IFMT, S_IFLNK);
	assert_int_equal(look("l/", PATH_NO_FOLLOW, &stat), 0);
	assert_int_equal(stat.mode & S_IFMT, S_IFDIR);
	assert_int_equal(path_symlink(&fs_base, "self", "self"), 0);
	assert_int_equal(exists("self"), -ELOOP);
	assert_int_equal(exists("self/x"), -ELOOP);
	/* A chain of 40 can be gone along, one of 41 not. */
	assert_int_equal(path_symlink(&fs_base, "c0", "d/f"), 0);
	for (int i = 1; i <= LOOP_MAX; i++) {
		snprintf(text, sizeof(text), "c%d", i);
		snprintf(target, sizeof(target), "c%d", i - 1);
		assert_int_equal(path_symlink(&fs_base, text, target), 0);
	}
	assert_int_equal(exists("c39"), 0);
	assert_int_equal(exists("c40"), -ELOOP);
}

static void names_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(make_dir("d"), 0);
	assert_int_equal(make_dir("d/e"), 0);
	assert_int_equal(links_of("d"), 3);
	assert_int_equal(make("f"), 0);
	assert_int_equal(path_link(&fs_base, "f", &fs_base, "d/g", 0), 0);
	assert_int_equal(path_link(&fs_base, "f", &fs_base, "d/g", 0), -EEXIST);
	assert_int_equal(path_link(&fs_base, "d", &fs_base, "d2", 0), -EPERM);
	assert_int_equal(links_of("f"), 2);
	assert_int_equal(path_unlink(&fs_base, "f"), 0);
	assert_int_equal(path_unlink(&fs_base, "f"), -ENOENT);
	assert_int_equal(links_of("d/g"), 1);
	assert_int_equal(path_unlink(&fs_base, "d"), -EISDIR);
	assert_int_equal(path_unlink(&fs_base, "d/g/"), -ENOTDIR);
	assert_int_equal(path_rmdir(&fs_base, "d"), -ENOTEMPTY);
	assert_int_equal(path_rmdir(&fs_base, "d/g"), -ENOTDIR);
	assert_int_equal(path_rmdir(&fs_base, "d/."), -EINVAL);
	assert_int_equal(path_rmdir(&fs_base, "d/.."), -ENOTEMPTY);
	assert_int_equal(path_rmdir(&fs_base, "d/e/"), 0);
	assert_int_equal(links_of("d"), 2);
	assert_int_equal(path_unlink(&fs_base, "d/g"), 0);
	assert_int_equal(path_rmdir(&fs_base, "d"), 0);
	assert_int_equal(exists("d"), -ENOENT);
}

/* A directory that is emptied holds no more of the heap than one in which there was never a name. */
static void an_empty_directory_keeps_nothing(void **state)
{
	uint64_t blocks;
	char name[] = "a/x00";

	(void)state;
	assert_int_equal(make_dir("a"), 0);
	blocks = fs_heap_blocks;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 30; i++) {
			name[3] = (char)('0' + i / 10);
			name[4] = (char)('0' + i % 10);
			assert_int_equal(make(name), 0);
		}
		for (int i = 0; i < 30; i++) {
			name[3] = (char)('0' + i / 10);
			name[4] = (char)('0' + i % 10);
			assert_int_equal(path_unlink(&fs_base, name), 0);
		}
		assert_int_equal(fs_heap_blocks, blocks);
	}
	assert_int_equal(path_rmdir(&fs_base, "a"), 0);
}

static void a_removed_directory_can_still_be_left(void **state)
{
	struct path_base base = fs_base;
	struct node *node;
	char path[64];
	size_t size;

	(void)state;
	assert_int_equal(make_dir("d"), 0);
	assert_int_equal(make_dir("d/e"), 0);
	assert_int_equal(path_lookup_place(&fs_base, "d/e", 0, &base.start), 0);
	assert_int_equal(path_of_directory(&fs_base.root, base.start, path, sizeof(path), &size), 0);
	assert_string_equal(path, "/d/e");
	assert_int_equal(size, 5);
	assert_int_equal(path_of_directory(&fs_base.root, base.start, path, 4, &size), -ERANGE);
	assert_int_equal(path_of_directory(&fs_base.root, fs_base.root, path, 2, &size), 0);
	assert_string_equal(path, "/");
	assert_int_equal(path_rmdir(&fs_base, "d/e"), 0);
	assert_int_equal(path_rmdir(&fs_base, "d"), 0);
	assert_int_equal(path_of_directory(&fs_base.root, base.start, path, sizeof(path), &size), -ENOENT);
	assert_int_equal(path_create(&base, "x", S_IFREG, 0), -ENOENT);
	assert_int_equal(path_lookup(&base, "../..", 0, &node), 0);
	assert_ptr_equal(node, fs_base.root.node);
	node_put(node);
	place_put(base.start);
}

static void renames_keep_the_rules(void **state)
{
	(void)state;
	assert_int_equal(make_dir("d"), 0);
	assert_int_equal(make_dir("e"), 0);
	assert_int_equal(make("f"), 0);
	assert_int_equal(make("g"), 0);
	assert_int_equal(move("f", "d/f", 0), 0);
	assert_int_equal(exists("f"), -ENOENT);
	assert_int_equal(move("d/f", "g", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(move("d/f", "g", 0), 0);
	assert_int_equal(links_of("g"), 1);
	assert_int_equal(move("d", "d/x", 0), -EINVAL);
	assert_int_equal(move("d", "g", 0), -ENOTDIR);
	assert_int_equal(move("g", "d", 0), -EISDIR);
	assert_int_equal(move("g", "x/", 0), -ENOTDIR);
	assert_int_equal(move("nothing", "x", 0), -ENOENT);
	assert_int_equal(move("d/.", "x", 0), -EBUSY);
	assert_int_equal(move("g", "x", RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(move("g", "g", 0), 0);
	assert_int_equal(make("d/in"), 0);
	assert_int_equal(move("e", "d", 0), -ENOTEMPTY);
	assert_int_equal(move("d", "e", 0), 0);
	assert_int_equal(exists("e/in"), 0);
	assert_int_equal(links_of("/"), 3);
	assert_int_equal(make_dir("e/sub"), 0);
	assert_int_equal(move("e/sub", "g", RENAME_EXCHANGE), 0);
	assert_int_equal(links_of("e"), 2);
	assert_int_equal(exists("e/sub"), 0);
	assert_int_equal(exists("g/.."), 0);
	assert_int_equal(move("e", "g/e", 0), 0);
	assert_int_equal(links_of("/"), 3);
	assert_int_equal(links_of("g"), 3);
	assert_int_equal(exists("g/e/../../g/e/in"), 0);
}

static void files_open_as_asked(void **state)
{
	struct file *file;

	(void)state;
	assert_int_equal(path_open(&fs_base, "f", O_RDWR, 0, &file), -ENOENT);
	assert_int_equal(path_open(&fs_base, "f", O_RDWR | O_CREAT | O_EXCL, 0600, &file), 0);
	assert_int_equal(do_write(file, "hello", 5), 5);
	file_put(file);
	assert_int_equal(path_open(&fs_base, "f", O_CREAT | O_EXCL, 0600, &file), -EEXIST);
	assert_int_equal(path_open(&fs_base, "f", O_DIRECTORY, 0, &file), -ENOTDIR);
	assert_int_equal(path_open(&fs_base, "new/", O_CREAT | O_RDWR, 0, &file), -EISDIR);
	assert_int_equal(path_open(&fs_base, "/", O_RDWR, 0, &file), -EISDIR);
	assert_int_equal(path_open(&fs_base, "/", O_CREAT, 0, &file), -EISDIR);
	assert_int_equal(path_symlink(&fs_base, "l", "made"), 0);
	assert_int_equal(path_open(&fs_base, "l", O_CREAT | O_NOFOLLOW, 0, &file), -ELOOP);
	assert_int_equal(path_open(&fs_base, "l", O_CREAT | O_EXCL, 0, &file), -EEXIST);
	assert_int_equal(path_open(&fs_base, "l", O_CREAT | O_WRONLY, 0640, &file), 0);
	file_put(file);
	assert_int_equal(exists("made"), 0);
	assert_int_equal(path_open(&fs_base, "f", O_RDONLY | O_APPEND, 0, &file), 0);
	assert_int_equal(do_write(file, "x", 1), -EBADF);
	file_put(file);
	assert_int_equal(path_open(&fs_base, "f", O_WRONLY | O_APPEND, 0, &file), 0);
	assert_int_equal(do_write(file, "!", 1), 1);
	assert_int_equal(file->offset, 6);
	assert_int_equal(do_read(file, (char[1]){ 0 }, 1), -EBADF);
	file_put(file);
	assert_int_equal(path_open(&fs_base, "f", O_WRONLY | O_TRUNC, 0, &file), 0);
	assert_int_equal(file->node->size, 6);
	assert_int_equal(node_truncate(file->node, 0), 0);
	file_put(file);
	assert_int_equal(path_open(&fs_base, "l", O_PATH | O_NOFOLLOW, 0, &file), 0);
	assert_true(node_is(file->node, S_IFLNK));
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_read(file, &io)), -EBADF);
	file_put(file);
	assert_int_equal(path_create(&fs_base, "dev", S_IFCHR, DEVICE_NUMBER(77, 7)), 0);
	assert_int_equal(path_open(&fs_base, "dev", O_RDWR, 0, &file), -ENXIO);
}

/* All names, each once, however small the pieces; and those that stay while others come and go. */
static void listings_are_whole(void **state)
{
	struct file *dir;
	bool seen[100] = { false };
	char name[16];
	int64_t done;
	int dots = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(make(name), 0);
	}
	assert_int_equal(path_open(&fs_base, "/", O_RDONLY | O_DIRECTORY, 0, &dir), 0);
	assert_int_equal(WITH_USER_IO(io, 0, 23, file_getdents(dir, &io)), -EINVAL);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 100, file_getdents(dir, &io)), -EFAULT);
	while ((done = WITH_USER_IO(io, 0, 100, file_getdents(dir, &io))) > 0) {
		uint8_t bytes[100];

		user_get(0, bytes, (size_t)done);
		for (int64_t at = 0; at < done;) {
			struct linux_dirent64 head;
			const char *text = (char *)bytes + at + sizeof(head);

			memcpy(&head, bytes + at, sizeof(head));
			assert_int_equal(head.reclen % 8, 0);
			at += head.reclen;
			if (text[0] == '.') {
				dots++;
				assert_int_equal(head.type, 4);
				continue;
			}
			assert_int_equal(head.type, 8);
			assert_false(seen[atoi(text + 1)]);
			seen[atoi(text + 1)] = true;
			assert_int_equal(path_unlink(&fs_base, text), 0);
		}
	}
	assert_int_equal(done, 0);
	assert_int_equal(dots, 2);
	for (int i = 0; i < 100; i++)
		assert_true(seen[i]);
	assert_int_equal(file_seek(dir, 0, SEEK_SET), 0);
	assert_true(WITH_USER_IO(io, 0, 100, file_getdents(dir, &io)) == 48);
	assert_int_equal(file_seek(dir, 0, SEEK_CUR), 2);
	assert_int_equal(dir->offset, 0);
	assert_int_equal(do_read(dir, name, 1), -EISDIR);
	file_put(dir);
}

/* One call of each kind that allocates. */
static int change(int which)
{
	struct file *file;
	int error;

	switch (which) {
	case 0:
		return make("a/new");
	case 1:
		return path_symlink(&fs_base, "a/new", "target");
	case 2:
		return path_link(&fs_base, "f", &fs_base, "a/new", 0);
	case 3:
		return move("f", "a/new", 0);
	case 4:
		error = path_open(&fs_base, "a/new", O_CREAT | O_RDWR, 0600, &file);
		if (!error)
			file_put(file);
		return error;
	default:
		return exists("l/f");
	}
}

static void out_of_memory_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(path_symlink(&fs_base, "l", "./"), 0);
	for (int which = 0; which < 6; which++) {
		assert_int_equal(make_dir("a"), 0);
		assert_int_equal(make("f"), 0);
		for (uint64_t n = 1;; n++) {
			uint64_t blocks = fs_heap_blocks;
			uint64_t nodes = fs_base.root.node->fs->nodes;
			int error;

			fs_heap_fail_in = n;
			error = change(which);
			fs_heap_fail_in = 0;
			if (!error) {
				assert_true(n > 1);
				break;
			}
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(fs_base.root.node->fs->nodes, nodes);
			/* A directory may have got its buckets. */
			assert_in_range(fs_heap_blocks, blocks, blocks + 1);
			assert_int_equal(exists("a/new"), -ENOENT);
			assert_int_equal(exists("f"), 0);
			assert_int_equal(links_of("f"), 1);
		}
		if (which < 5)
			assert_int_equal(path_unlink(&fs_base, "a/new"), 0);
		if (which != 3)
			assert_int_equal(path_unlink(&fs_base, "f"), 0);
		assert_int_equal(path_rmdir(&fs_base, "a"), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_lead_to_nodes),
		TEST(links_are_followed),
		TEST(names_come_and_go),
		TEST(an_empty_directory_keeps_nothing),
		TEST(a_removed_directory_can_still_be_left),
		TEST(renames_keep_the_rules),
		TEST(files_open_as_asked),
		TEST(listings_are_whole),
		TEST(out_of_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

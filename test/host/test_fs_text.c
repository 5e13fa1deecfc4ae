/*
 * Files that functions make, and the tree that they hang in; and which path a file has.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/linux_stat.h"
#include "kernel/fs/mount_internal.h"
#include "kernel/fs/place.h"
#include "kernel/fs/text_fs.h"

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

/* ---- text ---- */

static void text_grows(void **state)
{
	struct text text = { 0 };
	size_t start_of_line;

	(void)state;
	text_add(&text, "%s", "");
	assert_int_equal(text.size, 0);
	for (int i = 0; i < 5000; i++)
		text_add(&text, "%d,", i % 10);
	assert_int_equal(text.size, 10000);
	assert_false(text.lost);
	for (size_t i = 0; i < text.size; i += 2)
		assert_int_equal(text.bytes[i] * 256 + text.bytes[i + 1], (int)('0' + i / 2 % 10) * 256 + ',');
	start_of_line = text.size;
	text_add(&text, "ab");
	text_pad(&text, start_of_line, 5);
	text_add(&text, "c");
	text_pad(&text, start_of_line, 2);
	assert_memory_equal(text.bytes + start_of_line, "ab    c ", 8);
	assert_int_equal(text.size, start_of_line + 8);
	start_of_line = text.size;
	text_add_char(&text, '=');
	text_add_string(&text, "n ");
	text_add_number(&text, UINT64_MAX);
	text_add_number_right(&text, 7, 3);
	text_add_number_right(&text, 1234, 3);
	text_add_hex(&text, 0xbeef, 8);
	assert_memory_equal(text.bytes + start_of_line, "=n 18446744073709551615  712340000beef", 38);
	assert_int_equal(text.size, start_of_line + 38);
	text_free(&text);
	assert_null(text.bytes);
}

static void text_is_bounded(void **state)
{
	static char piece[1 << 16];
	struct text text = { 0 };

	(void)state;
	memset(piece, 'x', sizeof(piece));
	while (!text.lost)
		text_add_bytes(&text, piece, sizeof(piece));
	assert_int_equal(text.size, TEXT_MAX);
	text_add_bytes(&text, "y", 1);
	text_add(&text, "y");
	assert_int_equal(text.size, TEXT_MAX);
	text_free(&text);
	fs_heap_fail_in = 2;
	text_add_bytes(&text, piece, 1000);
	text_add_bytes(&text, piece, 1000);
	fs_heap_fail_in = 0;
	assert_true(text.lost);
	text_add_char(&text, 'y');
	text_add_number(&text, 1);
	text_pad(&text, 0, 2000);
	assert_int_equal(text.size, 1000);
	text_free(&text);
	assert_false(text.lost);
}

/* ---- files ---- */

static int times_made;
static int make_error;
static char taken[32];

static int make_numbers(struct node *node, struct text *ret)
{
	(void)node;
	times_made++;
	for (int i = 0; i < 1000; i++)
		text_add(ret, "%d:%03d\n", times_made, i);
	return make_error;
}

static int make_word(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "word");
	return 0;
}

static int make_target(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "a/b/numbers");
	return make_error;
}

static int take_word(struct node *node, const char *bytes, size_t size)
{
	(void)node;
	if (size >= sizeof(taken))
		return -EINVAL;
	memcpy(taken, bytes, size + 1);
	return 0;
}

static int more_lookup(struct node *root, struct name name, struct node **ret)
{
	if (name.size != 4 || memcmp(name.text, "more", 4) != 0)
		return -ENOENT;
	*ret = node_get(root);
	return 0;
}

static int more_next(struct node *root, uint64_t *position, struct dir_entry *ret)
{
	(void)root;
	if (*position > TEXT_FS_MORE)
		return 0;
	*ret = (struct dir_entry){ { "more", 4 }, 99, S_IFDIR };
	*position = TEXT_FS_MORE + 1;
	return 1;
}

static struct text_fs_type sample = { .name = "sample",
				      .magic = 0x5a,
				      .file_size = 7,
				      .create_error = -ENXIO,
				      .children = &(const struct text_children){ more_lookup, more_next } };

static struct text_entry sample_entries[] = {
	{ .path = "a/b/numbers", .mode = S_IFREG | 0444, .make = make_numbers },
	{ .path = "link", .mode = S_IFLNK | 0777, .make = make_target },
	{ .path = "a/word", .mode = S_IFREG | 0644, .make = make_word, .take = take_word },
	{ .path = "empty", .mode = S_IFDIR | 0700 },
};

/* The mounts of the tree and of the sample, which are in no list. */
static struct mount tree_mount, sample_mount;

/* The sample at /m: its root. */
static struct node *mount_sample(void)
{
	struct place at;
	struct node *root;

	assert_int_equal(path_create(&fs_base, "m", S_IFDIR | 0755, 0), 0);
	assert_int_equal(text_fs_create(&sample, &root), 0);
	tree_mount = (struct mount){ .root = fs_base.root.node, .refs = 1 };
	sample_mount = (struct mount){ .root = root, .refs = 1 };
	fs_base.root.mount = fs_base.start.mount = &tree_mount;
	root->fs->mount = &sample_mount;
	assert_int_equal(path_lookup_place(&fs_base, "m", 0, &at), 0);
	mount_attach(&sample_mount, &at);
	place_put(at);
	return root;
}

static void unmount_sample(struct node *root)
{
	mount_unhook(&sample_mount);
	root->fs->mount = NULL;
	fs_base.root.mount = fs_base.start.mount = NULL;
	assert_int_equal(tree_mount.refs + sample_mount.refs, 2);
	text_fs_destroy(root);
}

static struct file *open_at(const char *path, unsigned flags)
{
	struct file *file;

	assert_int_equal(path_open(&fs_base, path, flags, 0, &file), 0);
	return file;
}

/* Pieces of one text fit together; a read at the start makes a new one. */
static void files_are_made_when_read(void **state)
{
	struct node *root = mount_sample();
	struct file *file = open_at("m/link", O_RDONLY), *other = open_at("m/a/b/numbers", O_RDONLY);
	char bytes[6001], *line;

	(void)state;
	times_made = 0;
	assert_int_equal(do_read(file, bytes, 100), 100);
	assert_memory_equal(bytes, "1:000\n1:001\n", 12);
	assert_int_equal(do_read(other, bytes, 6), 6);
	assert_memory_equal(bytes, "2:000\n", 6);
	assert_int_equal(do_read(file, bytes, sizeof(bytes)), 5900);
	line = bytes + 5900 - 6;
	assert_memory_equal(line, "1:999\n", 6);
	assert_int_equal(do_read(file, bytes, 1), 0);
	assert_int_equal(times_made, 2);
	assert_int_equal(file_seek(file, 6, SEEK_SET), 6);
	assert_int_equal(do_read(file, bytes, 6), 6);
	assert_memory_equal(bytes, "1:001\n", 6);
	assert_int_equal(file_seek(file, 0, SEEK_SET), 0);
	assert_int_equal(do_read(file, bytes, 6), 6);
	assert_memory_equal(bytes, "3:000\n", 6);
	assert_int_equal(WITH_USER_IO(io, 0, 6, file_pread(other, &io, 12)), 6);
	assert_memory_equal((user_get(0, bytes, 6), bytes), "2:002\n", 6);
	assert_int_equal(do_write(file, "x", 1), -EBADF);
	file_put(file);
	file_put(other);
	unmount_sample(root);
}

/* ---- records ---- */

#define KEYS 2000

static bool there[KEYS];  /* which records there are */
static size_t most_added; /* bytes that one call added */

/* A record for each key that is there, 5 bytes to 13 long. */
static int more_records(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	(void)node;
	for (; *place < KEYS && ret->size < enough; ++*place)
		if (there[*place])
			text_add(ret, "%04d%.*s\n", (int)*place, (int)(*place % 9), "xxxxxxxx");
	if (ret->size > most_added)
		most_added = ret->size;
	return make_error;
}

/* Read at *offset until that gives bytes, or the end; *ret_steps: how often it took one more step. */
static int64_t read_records(struct file *file, char *bytes, size_t size, uint64_t *offset, unsigned *ret_steps)
{
	int64_t got = -EAGAIN;

	for (*ret_steps = 0; got == -EAGAIN; ++*ret_steps) {
		struct user_io io;

		user_io_init_kernel(&io, bytes, size);
		got = file->ops->read(file, &io, offset);
	}
	return got;
}

static void open_records(struct file *ret)
{
	*ret = (struct file){ .properties = 0 };
	assert_int_equal(text_file_open_records(ret, more_records), 0);
	assert_int_equal(ret->properties, FILE_SEEKS | FILE_STEPS);
}

/* The whole text, for reads that begin anywhere. */
static size_t whole_text(char *ret, size_t room)
{
	struct text text = { 0 };
	uint64_t place = 0;

	assert_int_equal(more_records(NULL, &place, room, &text), 0);
	assert_true(text.size < room);
	memcpy(ret, text.bytes, text.size);
	room = text.size;
	text_free(&text);
	return room;
}

/* Any piece, in any order, is what the whole text has there; a step makes no more than a page. */
static void records_are_found_by_offset(void **state)
{
	static char whole[16 * KEYS], piece[8192];
	struct random random = random_start("test_fs_text");
	struct file file;
	uint64_t offset;
	unsigned steps;
	size_t size;

	(void)state;
	memset(there, 1, sizeof(there));
	size = whole_text(whole, sizeof(whole));
	open_records(&file);
	most_added = 0;
	for (unsigned i = 0; i < 3000; i++) {
		size_t wanted = random_below(&random, sizeof(piece)) + 1, from;
		int64_t got;

		if (random_below(&random, 3))
			offset = random_below(&random, (unsigned)size + 100);
		from = offset;
		got = read_records(&file, piece, wanted, &offset, &steps);
		assert_in_range(got, from < size, wanted);
		assert_int_equal(offset, from + (size_t)got);
		assert_true(from + (size_t)got <= size || !got);
		assert_memory_equal(piece, whole + from, (size_t)got);
		assert_in_range(steps, 1, size / 3800 + 2);
	}
	assert_in_range(most_added, 3840, 4096);
	/* Behind the end there is nothing; few bytes are not worth a page. */
	offset = size + 5;
	assert_int_equal(read_records(&file, piece, 10, &offset, &steps), 0);
	most_added = offset = 0;
	assert_int_equal(read_records(&file, piece, 10, &offset, &steps), 10);
	assert_in_range(most_added, 10, 22);
	file.ops->release(&file);
}

/* A reading from start to end while records come and go: whole lines, in order, and each that was there all the time. */
static void records_may_come_and_go(void **state)
{
	struct random random = random_start("test_fs_text");
	static char all[32 * KEYS];
	static bool kept[KEYS];
	struct file file;

	(void)state;
	open_records(&file);
	for (unsigned round = 0; round < 50; round++) {
		uint64_t offset = 0;
		unsigned steps;
		int64_t got, last = -1;

		for (int i = 0; i < KEYS; i++)
			kept[i] = there[i] = random_below(&random, 2);
		while ((got = read_records(&file, all + offset, random_below(&random, 600) + 1, &offset, &steps)) > 0) {
			assert_int_equal(steps, 1);
			for (unsigned i = random_below(&random, 100); i; i--) {
				unsigned key = random_below(&random, KEYS);

				there[key] = !there[key];
				kept[key] = false;
			}
		}
		assert_int_equal(got, 0);
		all[offset] = '\0';
		for (const char *line = all; *line; line = strchr(line, '\n') + 1) {
			int key = -1, length = 0;

			assert_int_equal(sscanf(line, "%4d%*[x]%n", &key, &length), 1);
			assert_true(key > last && key < KEYS);
			assert_int_equal(line[4 + key % 9], '\n');
			kept[key] = false;
			last = key;
		}
		for (int i = 0; i < KEYS; i++)
			assert_false(kept[i]);
	}
	file.ops->release(&file);
}

/* After an error the next read begins anew, and finds its offset again. */
static void records_need_memory(void **state)
{
	static char whole[16 * KEYS], piece[4096];
	uint64_t blocks = fs_heap_blocks, offset = 0;
	struct file file;
	unsigned steps;

	(void)state;
	memset(there, 1, sizeof(there));
	(void)whole_text(whole, sizeof(whole));
	open_records(&file);
	fs_heap_fail_in = 1;
	assert_int_equal(read_records(&file, piece, 4000, &offset, &steps), -ENOMEM);
	fs_heap_fail_in = 0;
	assert_int_equal(read_records(&file, piece, 1000, &offset, &steps), 1000);
	make_error = -ESRCH;
	assert_in_range(read_records(&file, piece, 4000, &offset, &steps), 1, 20);
	assert_int_equal(read_records(&file, piece, 4000, &offset, &steps), -ESRCH);
	make_error = 0;
	assert_int_equal(read_records(&file, piece, 100, &offset, &steps), 100);
	assert_memory_equal(piece, whole + offset - 100, 100);
	file.ops->release(&file);
	assert_int_equal(fs_heap_blocks, blocks);
	fs_heap_fail_in = 1;
	assert_int_equal(text_file_open_records(&file, more_records), -ENOMEM);
	fs_heap_fail_in = 0;
}

static void what_cannot_be_made_is_an_error(void **state)
{
	struct node *root = mount_sample();
	struct file *file = open_at("m/a/b/numbers", O_RDONLY);
	struct node *node;
	struct link_target target;
	char bytes[16];
	uint64_t blocks;

	(void)state;
	make_error = -ESRCH;
	assert_int_equal(do_read(file, bytes, 6), -ESRCH);
	assert_int_equal(path_lookup(&fs_base, "m/link", PATH_NO_FOLLOW, &node), 0);
	assert_int_equal(node_readlink(node, &target), -ESRCH);
	make_error = 0;
	blocks = fs_heap_blocks;
	fs_heap_fail_in = 1;
	assert_int_equal(do_read(file, bytes, 6), -ENOMEM);
	fs_heap_fail_in = 2;
	assert_int_equal(do_read(file, bytes, 6), -ENOMEM);
	fs_heap_fail_in = 1;
	assert_int_equal(node_readlink(node, &target), -ENOMEM);
	fs_heap_fail_in = 0;
	assert_int_equal(fs_heap_blocks, blocks);
	assert_int_equal(do_read(file, bytes, 6), 6);
	/* A read in the middle of nothing makes it too. */
	assert_int_equal(node_readlink(node, &target), 0);
	assert_int_equal(target.name.size, 11);
	link_target_put(&target);
	node_put(node);
	file_put(file);
	unmount_sample(root);
}

static void two_may_read_one_link(void **state)
{
	struct node *root = mount_sample();
	struct link_target first, second;
	struct node *node;

	(void)state;
	assert_int_equal(path_lookup(&fs_base, "m/link", PATH_NO_FOLLOW, &node), 0);
	assert_int_equal(node_readlink(node, &first), 0);
	assert_int_equal(node_readlink(node, &second), 0);
	assert_int_equal(first.name.size, second.name.size);
	assert_memory_equal(first.name.text, second.name.text, first.name.size);
	link_target_put(&second);
	link_target_put(&first);
	node_put(node);
	unmount_sample(root);
}

static void files_take_what_is_written(void **state)
{
	struct node *root = mount_sample();
	struct file *file = open_at("m/a/word", O_WRONLY | O_TRUNC);
	char many[64] = "";

	(void)state;
	assert_int_equal(do_write(file, "hello\n", 6), 6);
	assert_string_equal(taken, "hello\n");
	assert_int_equal(do_write(file, many, sizeof(many)), -EINVAL);
	file_put(file);
	file = open_at("m/a/b/numbers", O_RDWR);
	assert_int_equal(do_write(file, "x", 1), -EINVAL);
	assert_int_equal(node_truncate(file->node, 0), 0);
	file_put(file);
	assert_int_equal(path_create(&fs_base, "m/new", S_IFREG | 0600, 0), -ENXIO);
	assert_int_equal(path_unlink(&fs_base, "m/a/word"), -EPERM);
	unmount_sample(root);
}

static void the_tree_is_as_listed(void **state)
{
	static const char *const names[] = { ".", "..", "a", "link", "empty", "more" };
	struct node *root = mount_sample(), *node;
	struct linux_statfs statfs;
	struct linux_stat stat;
	struct file *dir = open_at("m", O_RDONLY);
	char record[64], path[32];
	size_t size;

	(void)state;
	/* One by one: each call goes on where the last one ended. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t got = WITH_USER_IO(io, 0, 32, file_getdents(dir, &io));

		assert_in_range(got, 24, 32);
		user_get(0, record, (size_t)got);
		assert_string_equal(record + sizeof(struct linux_dirent64), names[i]);
	}
	assert_int_equal(WITH_USER_IO(io, 0, 32, file_getdents(dir, &io)), 0);
	file_put(dir);
	assert_int_equal(path_lookup(&fs_base, "m/a/b/numbers", 0, &node), 0);
	node_stat(node, &stat);
	assert_int_equal(stat.size, 7);
	assert_int_equal(stat.mode, S_IFREG | 0444);
	assert_int_equal(path_of_node(&fs_base.root, node, path, sizeof(path), &size), 0);
	assert_string_equal(path, "/m/a/b/numbers");
	node_statfs(&(struct place){ NULL, node }, &statfs);
	assert_int_equal(statfs.blocks, 0);
	assert_int_equal(statfs.type, 0x5a);
	node_put(node);
	assert_int_equal(path_lookup(&fs_base, "m/more", 0, &node), 0);
	assert_ptr_equal(node, root);
	node_put(node);
	assert_int_equal(path_lookup(&fs_base, "m/a/mor", 0, &node), -ENOENT);
	unmount_sample(root);
}

static void a_tree_needs_memory(void **state)
{
	struct node *root;
	uint64_t blocks = fs_heap_blocks, n = 1;

	(void)state;
	for (;; n++) {
		fs_heap_fail_in = n;
		if (text_fs_create(&sample, &root) == 0)
			break;
		assert_int_equal(fs_heap_blocks, blocks);
	}
	fs_heap_fail_in = 0;
	assert_int_equal(n, 2 + 6 + 1);
	text_fs_destroy(root);
	assert_int_equal(fs_heap_blocks, blocks);
}

/* ---- paths of nodes ---- */

static const char *path_at(const char *path)
{
	static char text[64];
	struct node *node;
	size_t size;

	assert_int_equal(path_lookup(&fs_base, path, PATH_NO_FOLLOW, &node), 0);
	assert_int_equal(path_of_node(&fs_base.root, node, text, sizeof(text), &size), 0);
	assert_int_equal(size, strlen(text) + 1);
	node_put(node);
	return text;
}

static void files_know_their_paths(void **state)
{
	struct file *file;
	char text[64];
	size_t size;

	(void)state;
	assert_int_equal(path_create(&fs_base, "d", S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "d/f", S_IFREG | 0644, 0), 0);
	assert_string_equal(path_at("/"), "/");
	assert_string_equal(path_at("d"), "/d");
	assert_string_equal(path_at("d/f"), "/d/f");
	assert_int_equal(path_rename(&fs_base, "d/f", &fs_base, "g", 0), 0);
	assert_string_equal(path_at("g"), "/g");
	assert_int_equal(path_link(&fs_base, "g", &fs_base, "d/h", 0), 0);
	assert_int_equal(path_unlink(&fs_base, "g"), 0);
	assert_string_equal(path_at("d/h"), "/d/h");
	file = open_at("d/h", O_RDONLY);
	assert_int_equal(path_of_node(&fs_base.root, file->node, text, 4, &size), -ERANGE);
	assert_int_equal(path_unlink(&fs_base, "d/h"), 0);
	assert_int_equal(path_of_node(&fs_base.root, file->node, text, sizeof(text), &size), 0);
	assert_string_equal(text, "/d/h (deleted)");
	assert_int_equal(path_rename(&fs_base, "d", &fs_base, "e", 0), 0);
	assert_int_equal(path_of_node(&fs_base.root, file->node, text, sizeof(text), &size), 0);
	assert_string_equal(text, "/e/h (deleted)");
	assert_int_equal(path_rmdir(&fs_base, "e"), 0);
	assert_int_equal(path_of_node(&fs_base.root, file->node, text, sizeof(text), &size), 0);
	assert_int_equal(strncmp(text, "/#", 2), 0);
	file_put(file);
}

static void expect_path(struct file *file, const char *path)
{
	char text[64];
	size_t size;

	assert_int_equal(path_of_node(&fs_base.root, file->node, text, sizeof(text), &size), 0);
	assert_string_equal(text, path);
}

/* Names come and go, with their directories, in any order: a file shows one that there is, or the last one. */
static void a_file_of_many_names_knows_them(void **state)
{
	struct file *file;

	(void)state;
	for (const char *name = "a\0b\0c\0"; *name; name += 2)
		assert_int_equal(path_create(&fs_base, name, S_IFDIR | 0755, 0), 0);
	assert_int_equal(path_create(&fs_base, "a/f", S_IFREG | 0644, 0), 0);
	file = open_at("a/f", O_RDONLY);
	assert_int_equal(path_link(&fs_base, "a/f", &fs_base, "b/g", 0), 0);
	assert_int_equal(path_link(&fs_base, "a/f", &fs_base, "c/h", 0), 0);
	expect_path(file, "/a/f");
	assert_int_equal(path_unlink(&fs_base, "b/g"), 0);
	assert_int_equal(path_rmdir(&fs_base, "b"), 0);
	expect_path(file, "/a/f");
	assert_int_equal(path_unlink(&fs_base, "a/f"), 0);
	assert_int_equal(path_rmdir(&fs_base, "a"), 0);
	expect_path(file, "/c/h");
	assert_int_equal(path_create(&fs_base, "c/i", S_IFREG | 0644, 0), 0);
	assert_int_equal(path_rename(&fs_base, "c/i", &fs_base, "c/h", RENAME_EXCHANGE), 0);
	expect_path(file, "/c/i");
	assert_int_equal(path_rename(&fs_base, "c/h", &fs_base, "c/i", 0), 0);
	expect_path(file, "/c/i (deleted)");
	assert_int_equal(path_unlink(&fs_base, "c/i"), 0);
	assert_int_equal(path_rmdir(&fs_base, "c"), 0);
	assert_int_equal(file->node->links, 0);
	file_put(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_grows),
		TEST(text_is_bounded),
		TEST(files_are_made_when_read),
		TEST(what_cannot_be_made_is_an_error),
		TEST(records_are_found_by_offset),
		TEST(records_may_come_and_go),
		TEST(records_need_memory),
		TEST(two_may_read_one_link),
		TEST(files_take_what_is_written),
		TEST(the_tree_is_as_listed),
		TEST(a_tree_needs_memory),
		TEST(files_know_their_paths),
		TEST(a_file_of_many_names_knows_them),
	};

	text_fs_add(&sample, sample_entries, sizeof(sample_entries) / sizeof(sample_entries[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}

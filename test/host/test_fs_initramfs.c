/*
 * From archives to trees: what does not fit is passed over, damage is named, at its place.
 */
#include <unistd.h>

#include "test/host/fs_user.h"

#include "kernel/fs/cpio.h"
#include "kernel/fs/initramfs.h"
#include "kernel/lib/log.h"
#include "test/host/cpio_writer.h"

static struct cpio_writer writer;

static int start(void **state)
{
	(void)state;
	fs_start();
	writer = (struct cpio_writer){ (uint8_t *)fs_machine->memory, 0 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_end();
	return 0;
}

static int unpack(struct initramfs_report *ret)
{
	return initramfs_unpack(fs_base.root.node, paddr(FS_BASE), writer.size, ret);
}

static void add(const char *name, uint32_t mode, const char *data)
{
	cpio_write(&writer, &(struct cpio_file){ .name = name,
						 .mode = mode,
						 .ino = 7,
						 .links = 1,
						 .uid = 5,
						 .gid = 6,
						 .mtime = 1000,
						 .data = data,
						 .size = strlen(data) });
}

static void expect(const char *path, uint32_t mode, const char *content)
{
	struct node *node;
	struct file *file;
	struct link_target target;
	char got[64];

	assert_int_equal(path_lookup(&fs_base, path, PATH_NO_FOLLOW, &node), 0);
	assert_int_equal(node->mode, mode);
	if (node_is(node, S_IFLNK)) {
		assert_int_equal(node_readlink(node, &target), 0);
		assert_int_equal(target.name.size, strlen(content));
		assert_memory_equal(target.name.text, content, target.name.size);
		link_target_put(&target);
	} else if (node_is(node, S_IFREG)) {
		assert_int_equal(file_open(&(struct place){ NULL, node }, O_RDONLY, &file), 0);
		assert_int_equal(do_read(file, got, sizeof(got)), strlen(content));
		assert_memory_equal(got, content, strlen(content));
		file_put(file);
	}
	node_put(node);
}

static void everything_arrives(void **state)
{
	struct initramfs_report report;
	struct linux_stat stat;
	struct node *node;

	(void)state;
	add(".", S_IFDIR | 0700, "");
	add("./bin", S_IFDIR | 0755, "");
	add("bin/sh", S_IFREG | 0755, "program");
	add("init", S_IFLNK | 0777, "bin/sh");
	add("deep/er/file", S_IFREG | 0644, "x");
	add("empty", S_IFREG | 0600, "");
	cpio_write(&writer, &(struct cpio_file){ .name = "null",
						 .mode = S_IFCHR | 0666,
						 .ino = 9,
						 .links = 1,
						 .rdev_major = 1,
						 .rdev_minor = 3 });
	cpio_trailer(&writer);
	cpio_pad(&writer, 512);
	/* A second archive: replaces, adds. */
	add("/bin/sh", S_IFREG | 0700, "other");
	add("bin", S_IFDIR | 0711, "");
	cpio_trailer(&writer);
	assert_int_equal(unpack(&report), 0);
	assert_null(report.what);
	assert_int_equal(report.passed_over, 0);
	assert_int_equal(report.bytes, 7 + 1 + 5);
	expect("/", S_IFDIR | 0700, "");
	expect("/bin", S_IFDIR | 0711, "");
	expect("/bin/sh", S_IFREG | 0700, "other");
	expect("/init", S_IFLNK | 0777, "bin/sh");
	expect("/deep/er/file", S_IFREG | 0644, "x");
	expect("/empty", S_IFREG | 0600, "");
	expect("/null", S_IFCHR | 0666, "");
	assert_int_equal(path_lookup(&fs_base, "null", 0, &node), 0);
	node_stat(node, &stat);
	assert_int_equal(stat.rdev, 0x103);
	assert_int_equal(stat.uid, 0);
	node_put(node);
	assert_int_equal(path_lookup(&fs_base, "bin/sh", 0, &node), 0);
	node_stat(node, &stat);
	assert_int_equal(stat.uid, 5);
	assert_int_equal(stat.gid, 6);
	assert_int_equal(stat.mtime.seconds, 1000);
	node_put(node);
	/* A directory's time is the archive's, not that of what came into it later. */
	assert_int_equal(path_lookup(&fs_base, "bin", 0, &node), 0);
	assert_int_equal(node->mtime.seconds, 1000);
	node_put(node);
}

static void expect_same(const char *a, const char *b, bool same)
{
	struct node *first, *second;

	assert_int_equal(path_lookup(&fs_base, a, PATH_NO_FOLLOW, &first), 0);
	assert_int_equal(path_lookup(&fs_base, b, PATH_NO_FOLLOW, &second), 0);
	assert_int_equal(first == second, same);
	node_put(first);
	node_put(second);
}

/* A path leads through links, as a program's would; what is missing is made where they lead. */
static void links_on_the_path_are_followed(void **state)
{
	struct initramfs_report report;

	(void)state;
	add("usr/bin", S_IFDIR | 0755, "");
	add("bin", S_IFLNK | 0777, "usr/bin");
	add("bin/sh", S_IFREG | 0755, "shell");
	add("bin/../lib/deep/file", S_IFREG | 0644, "x");
	add("up/../../top", S_IFREG | 0644, "top");
	/* A link of an entry's own name is replaced, not followed. */
	add("old", S_IFLNK | 0777, "bin/sh");
	add("old", S_IFREG | 0644, "new");
	cpio_trailer(&writer);
	assert_int_equal(unpack(&report), 0);
	assert_int_equal(report.passed_over, 0);
	expect("/usr/bin/sh", S_IFREG | 0755, "shell");
	expect("/bin", S_IFLNK | 0777, "usr/bin");
	expect("/usr/lib/deep/file", S_IFREG | 0644, "x");
	expect("/top", S_IFREG | 0644, "top");
	expect("/old", S_IFREG | 0644, "new");
}

/* cpio -o gives all names but the last no content. */
static void hard_links_are_one_file(void **state)
{
	struct initramfs_report report;
	struct cpio_file file = { .mode = S_IFREG | 0644, .ino = 12, .links = 3 };
	struct node *a, *c;

	(void)state;
	for (int i = 0; i < 3; i++) {
		file.name = (const char *[]){ "a", "b", "c" }[i];
		file.data = "content";
		file.size = i == 2 ? 7 : 0;
		cpio_write(&writer, &file);
	}
	cpio_trailer(&writer);
	/* The same number in another archive is another file. */
	file.name = "other";
	cpio_write(&writer, &file);
	assert_int_equal(unpack(&report), 0);
	expect("a", S_IFREG | 0644, "content");
	assert_int_equal(path_lookup(&fs_base, "a", 0, &a), 0);
	assert_int_equal(path_lookup(&fs_base, "c", 0, &c), 0);
	assert_ptr_equal(a, c);
	assert_int_equal(a->links, 3);
	node_put(a);
	node_put(c);
}

/* Of several contents the last counts; a number that comes again with another type is another file. */
static void hard_links_keep_their_types(void **state)
{
	struct initramfs_report report;
	struct cpio_file file = { .mode = S_IFREG | 0644, .ino = 12, .links = 3, .data = "first content", .size = 13 };

	(void)state;
	file.name = "a";
	cpio_write(&writer, &file);
	file.name = "b";
	file.data = "last";
	file.size = 4;
	cpio_write(&writer, &file);
	file.name = "c";
	file.size = 0;
	cpio_write(&writer, &file);
	file.name = "pipe";
	file.mode = S_IFIFO | 0600;
	cpio_write(&writer, &file);
	file.name = "pipe2";
	cpio_write(&writer, &file);
	cpio_trailer(&writer);
	/* An entry of a file that is there already: its other names see the new content. */
	add("a", S_IFREG | 0600, "later");
	assert_int_equal(unpack(&report), 0);
	assert_int_equal(report.passed_over, 0);
	expect("c", S_IFREG | 0600, "later");
	expect_same("a", "b", true);
	expect_same("pipe", "pipe2", true);
	expect_same("pipe", "a", false);
	expect("pipe", S_IFIFO | 0600, "");
}

/* Unpack, with an error, at `offset`; what comes before is there. */
static void expect_error(uint64_t offset, const char *what)
{
	struct initramfs_report report;

	assert_int_equal(unpack(&report), -EINVAL);
	assert_int_equal(report.offset, offset);
	if (!strstr(report.what, what))
		fail_msg("\"%s\" expected: \"%s\"", what, report.what);
	expect("good", S_IFREG | 0644, "good");
	assert_int_equal(path_unlink(&fs_base, "good"), 0);
	writer.size = 0;
}

static size_t after_good_file(void)
{
	add("good", S_IFREG | 0644, "good");
	return writer.size;
}

static void damage_is_named(void **state)
{
	size_t at;
	struct node *node;

	(void)state;
	at = after_good_file();
	memcpy(writer.bytes + at, "garbage", 7);
	writer.size += 7;
	expect_error(at, "magic");
	at = after_good_file();
	memcpy(writer.bytes + at, "\x1f\x8b\x08", 3);
	writer.size += 3;
	expect_error(at, "the header ends early");
	at = after_good_file();
	add("x", S_IFREG, "content");
	writer.bytes[at + 5] = '7';
	expect_error(at, "old portable format");
	at = after_good_file();
	add("x", S_IFREG, "content");
	writer.size = at + 109;
	expect_error(at, "inside a header");
	at = after_good_file();
	add("x", S_IFREG, "content");
	writer.size = at + 111;
	expect_error(at, "inside a name");
	at = after_good_file();
	add("x", S_IFREG, "content");
	writer.size -= 2;
	expect_error(at, "inside a file's content");
	/* Half a file is none. */
	assert_int_equal(path_lookup(&fs_base, "x", 0, &node), -ENOENT);
	at = after_good_file();
	add("x", S_IFREG, "content");
	writer.bytes[at + 20] = 'g';
	expect_error(at, "hexadecimal");
}

static void packers_are_named(void **state)
{
	static const struct {
		const char *magic, *what;
	} packers[] = {
		{ "\xfd\x37zXZ", "compressed with xz: only gzip's" },
		{ "\x28\xb5\x2f\xfd", "zstd" },
		{ "BZh9", "bzip2" },
		{ "\x02\x21\x4c\x18", "lz4 (its old format)" },
		{ "\x04\x22\x4d\x18", "lz4:" },
		{ "\x89LZO\x01\x0d\x0a\x1a\x0a", "lzop" },
		{ "LZIP\x01", "lzip" },
		{ "\x1f\x9d\x90", "compress (.Z)" },
		{ "hsqs", "squashfs" },
		{ "sqsh", "squashfs" },
		{ "\xc7\x71", "old binary" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
		size_t at = after_good_file(), size = strlen(packers[i].magic);

		memcpy(writer.bytes + at, packers[i].magic, size);
		writer.size += size;
		expect_error(at, packers[i].what);
	}
	/* The magic number of lzma has a zero in it. */
	memcpy(writer.bytes + after_good_file(), "]\0\0\x80", 4);
	writer.size += 4;
	expect_error(writer.size - 4, "lzma");
}

/* Unpack: the next entry is passed over with this line, and the good file comes. */
static void expect_passed_over(const char *line)
{
	struct initramfs_report report;
	struct log_record record;
	uint64_t seq = log_end();

	add("good", S_IFREG | 0644, "good");
	cpio_trailer(&writer);
	assert_int_equal(unpack(&report), 0);
	assert_int_equal(report.passed_over, 1);
	assert_int_equal(report.nodes, 1);
	assert_true(log_get(seq, &record));
	if (record.size < strlen(line) || !strstr(record.text, line))
		fail_msg("\"%s\" expected: \"%.*s\"", line, (int)record.size, record.text);
	expect("good", S_IFREG | 0644, "good");
	assert_int_equal(path_unlink(&fs_base, "good"), 0);
	writer.size = 0;
}

static void what_does_not_fit_is_passed_over(void **state)
{
	struct initramfs_report report;
	char name[5000];
	struct node *node;
	size_t at;

	(void)state;
	add("file", S_IFREG | 0644, "x");
	add("full/of", S_IFDIR | 0755, "");
	add("circle", S_IFLNK | 0777, "circle");
	add("nowhere", S_IFLNK | 0777, "gone/away");
	assert_int_equal(unpack(&report), 0);
	writer.size = 0;
	add("file/x", S_IFREG, "content");
	expect_passed_over("file/x, at offset 0: passed over: something on its path is no directory");
	add("full", S_IFREG, "content");
	expect_passed_over("full, at offset 0: passed over: a directory that is not empty has its name");
	add("circle/x", S_IFREG, "content");
	expect_passed_over("circle/x, at offset 0: passed over: symbolic links on its path lead in a circle");
	add("nowhere/x", S_IFREG, "content");
	expect_passed_over("nowhere/x, at offset 0: passed over: its path leads nowhere");
	add("x", 0150000, "content");
	expect_passed_over("x, at offset 0: passed over: a file of no known type");
	add("x", S_IFDIR | 0755, "content");
	expect_passed_over("x, at offset 0: passed over: it has content and is no regular file");
	add("x", S_IFLNK | 0777, "");
	expect_passed_over("x, at offset 0: passed over: its path leads nowhere");
	add("", S_IFREG | 0777, "content");
	expect_passed_over("an entry, at offset 0: passed over: its path leads nowhere");
	memset(name, 'n', 300);
	name[300] = '\0';
	add(name, S_IFREG, "content");
	expect_passed_over("a name of more than 255 bytes");
	memset(name, '/', 4096);
	name[4096] = '\0';
	add(name, S_IFREG, "content");
	expect_passed_over("an entry, at offset 0: passed over: the name's size is 0 or above 4096");
	memset(name, 't', 4097);
	name[4097] = '\0';
	add("x", S_IFLNK, name);
	expect_passed_over("x, at offset 0: passed over: a symbolic link's target of more than 4096 bytes");
	add("xy", S_IFREG, "content");
	writer.bytes[112] = 'z';
	expect_passed_over("an entry, at offset 0: passed over: the name does not end with NUL");
	for (int right = 0; right < 2; right++) {
		at = writer.size;
		add(right ? "right" : "wrong", S_IFREG, "abc");
		writer.bytes[at + 5] = '2';
		memcpy(writer.bytes + at + 102, right ? "00000126" : "00000127", 8);
		if (!right)
			expect_passed_over("wrong, at offset 0: passed over: the checksum of its content is wrong");
	}
	assert_int_equal(unpack(&report), 0);
	assert_int_equal(report.passed_over, 0);
	expect("right", S_IFREG, "abc");
	assert_int_equal(path_lookup(&fs_base, "wrong", 0, &node), -ENOENT);
}

/* However many entries are passed over: sixteen lines. */
static void lines_are_few(void **state)
{
	struct initramfs_report report;
	uint64_t seq;

	(void)state;
	add("file", S_IFREG | 0644, "x");
	for (int i = 0; i < 100; i++)
		add("file/x", S_IFREG, "content");
	seq = log_end();
	assert_int_equal(unpack(&report), 0);
	assert_int_equal(report.passed_over, 100);
	assert_int_equal(log_end(), seq + 16);
}

static void out_of_memory_is_said(void **state)
{
	struct initramfs_report report;

	(void)state;
	add("d/file", S_IFREG | 0644, "x");
	cpio_write(&writer, &(struct cpio_file){ .name = "e", .mode = S_IFREG, .ino = 1, .links = 2 });
	for (uint64_t n = 1;; n++) {
		int error;

		fs_heap_fail_in = n;
		error = unpack(&report);
		fs_heap_fail_in = 0;
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_non_null(strstr(report.what, "no memory"));
		/* The first allocation is the unpacker's state: if it fails, nothing of the archive has been read. */
		assert_true(n == 1 ? report.left == writer.size : report.left <= writer.size);
	}
	expect("d/file", S_IFREG | 0644, "x");
}

/* Replace what has been written from `start` on by what gzip(1) makes of it. */
static void pack_from(size_t start)
{
	char name[] = "/tmp/ankeos-initramfs-XXXXXX", command[128];
	int file = mkstemp(name);
	FILE *pipe;

	assert_true(file >= 0);
	assert_int_equal(write(file, writer.bytes + start, writer.size - start), writer.size - start);
	close(file);
	snprintf(command, sizeof(command), "gzip -c %s", name);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	writer.size = start + fread(writer.bytes + start, 1, MIB - start, pipe);
	assert_int_equal(pclose(pipe), 0);
	unlink(name);
}

static void packed_archives_arrive(void **state)
{
	struct initramfs_report report;
	char text[5001];
	size_t start;

	(void)state;
	memset(text, 'x', 5000);
	text[5000] = '\0';
	add("plain", S_IFREG | 0644, "plain");
	cpio_trailer(&writer);
	for (int i = 0; i < 2; i++) {
		cpio_pad(&writer, 4);
		start = writer.size;
		add(i ? "second" : "first", S_IFREG | 0644, i ? "second" : "first");
		add("both", S_IFREG | 0644, i ? "new" : "old");
		add(i ? "text2" : "text1", S_IFREG | 0644, text);
		cpio_trailer(&writer);
		pack_from(start);
	}
	cpio_pad(&writer, 512);
	add("last", S_IFREG | 0644, "last");
	cpio_trailer(&writer);
	assert_int_equal(unpack(&report), 0);
	assert_null(report.what);
	assert_int_equal(report.nodes, 8);
	assert_int_equal(report.bytes, 5 + 5 + 6 + 3 + 3 + 10000 + 4);
	expect("plain", S_IFREG | 0644, "plain");
	expect("first", S_IFREG | 0644, "first");
	expect("second", S_IFREG | 0644, "second");
	expect("both", S_IFREG | 0644, "new");
	expect("last", S_IFREG | 0644, "last");
	/* A page for each file but one, and two for each of the two large ones, until the files go. */
	assert_int_equal(frame_free_count(&machine_frames), fs_frames_at_start - 3 - 4);
}

static void expect_packed_error(uint64_t offset, bool packed, const char *what)
{
	struct initramfs_report report;

	assert_int_equal(unpack(&report), -EINVAL);
	if (!strstr(report.what, what))
		fail_msg("\"%s\" expected: \"%s\"", what, report.what);
	assert_int_equal(report.offset, offset);
	assert_int_equal(report.packed, packed);
}

static void packed_damage_is_named(void **state)
{
	size_t start, inside;
	struct node *node;

	(void)state;
	start = after_good_file();
	add("x", S_IFREG | 0644, "content");
	pack_from(start);
	writer.bytes[writer.size - 8] ^= 1;
	expect_packed_error(start, false, "checksum");
	/* The checksum comes last: what it is about is there by then. */
	expect("x", S_IFREG | 0644, "content");

	writer.size = 0;
	start = after_good_file();
	add("y", S_IFREG | 0644, "content");
	inside = writer.size - start;
	memcpy(writer.bytes + writer.size, "garbage", 7);
	writer.size += 7;
	pack_from(start);
	expect_packed_error(inside, true, "magic");
	expect("y", S_IFREG | 0644, "content");

	/* The archive that was packed is cut off, and the packed one is whole. */
	writer.size = 0;
	add("first", S_IFREG | 0644, "first");
	inside = writer.size;
	add("z", S_IFREG | 0644, "content");
	writer.size -= 3;
	pack_from(0);
	expect_packed_error(inside, true, "inside a file's content");
	expect("first", S_IFREG | 0644, "first");
	assert_int_equal(path_lookup(&fs_base, "z", 0, &node), -ENOENT);

	writer.size = 0;
	add("x", S_IFREG | 0644, "content");
	pack_from(0);
	pack_from(0);
	expect_packed_error(0, true, "gzip, inside one that was");
}

/* `files` files of a MiB each, whose bytes are hard to pack or not, packed; they fill [0, MIB) of the memory at most. */
static void write_large(unsigned files, const char *source)
{
	char command[512];
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "d=$(mktemp -d) && cd $d && for i in $(seq %u); do head -c 1048576 %s >f$i; done && "
		 "ls f* | cpio -o -H newc --quiet | gzip -1; rm -r $d",
		 files, source);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	writer.size = fread(writer.bytes, 1, MIB, pipe);
	assert_int_equal(pclose(pipe), 0);
}

static void too_much_to_unpack(void **state)
{
	struct initramfs_report report;

	(void)state;
	write_large(40, "/dev/zero");
	assert_int_equal(unpack(&report), -ENOMEM);
	assert_non_null(strstr(report.what, "no memory"));
	assert_in_range(report.left, 1, writer.size - 1);
	assert_in_range(report.nodes, 25, 31);
	/* The packed archive's memory is free now. */
	assert_true(writer.size > 8 * PAGE_SIZE);
	fs_frames_at_start += writer.size / PAGE_SIZE;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_arrives),
		TEST(links_on_the_path_are_followed),
		TEST(hard_links_are_one_file),
		TEST(hard_links_keep_their_types),
		TEST(damage_is_named),
		TEST(packers_are_named),
		TEST(what_does_not_fit_is_passed_over),
		TEST(lines_are_few),
		TEST(packed_archives_arrive),
		TEST(packed_damage_is_named),
		TEST(too_much_to_unpack),
		TEST(out_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

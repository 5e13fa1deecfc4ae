/*
 * From archives to trees; damaged archives are named, at the place of the damage.
 */
#include <unistd.h>

#include "test/host/fs_user.h"

#include "kernel/fs/cpio.h"
#include "kernel/fs/initramfs.h"
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
	return initramfs_unpack(fs_base.root, paddr(FS_BASE), writer.size, ret);
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
		assert_int_equal(file_open(node, O_RDONLY, &file), 0);
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
	assert_null(report.error.what);
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

static void expect_error(uint64_t offset, const char *what)
{
	struct initramfs_report report;

	assert_int_equal(unpack(&report), -EINVAL);
	assert_int_equal(report.error.offset, offset);
	if (!strstr(report.error.what, what))
		fail_msg("\"%s\" expected: \"%s\"", what, report.error.what);
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
	memcpy(writer.bytes + at,
	       "\xfd"
	       "7zXZ",
	       5);
	writer.size += 5;
	expect_error(at, "compressed with xz: only gzip");
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
	at = after_good_file();
	add("x", S_IFREG, "content");
	writer.bytes[at + 20] = 'g';
	expect_error(at, "hexadecimal");
	at = after_good_file();
	add("x", S_IFREG, "content");
	memset(writer.bytes + at + 6 + 11 * 8, '0', 8);
	expect_error(at, "size");
	at = after_good_file();
	add("xy", S_IFREG, "content");
	writer.bytes[at + 112] = 'z';
	expect_error(at, "NUL");
	at = after_good_file();
	add("a/../../b", S_IFREG, "content");
	expect_error(at, "out of the root");
	at = after_good_file();
	add("good/x", S_IFREG, "content");
	expect_error(at, "path");
	at = after_good_file();
	add("x", 0150000, "content");
	expect_error(at, "type");
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
		assert_non_null(strstr(report.error.what, "no memory"));
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
	assert_null(report.error.what);
	assert_int_equal(report.nodes, 8);
	assert_int_equal(report.bytes, 5 + 5 + 6 + 3 + 3 + 10000 + 4);
	expect("plain", S_IFREG | 0644, "plain");
	expect("first", S_IFREG | 0644, "first");
	expect("second", S_IFREG | 0644, "second");
	expect("both", S_IFREG | 0644, "new");
	expect("last", S_IFREG | 0644, "last");
	/* What was unpacked is the files' for ever: two pages for each archive. */
	assert_int_equal(frame_free_count(&machine_frames), fs_frames_at_start - 4);
	fs_frames_at_start -= 4;
}

static void expect_packed_error(uint64_t offset, bool packed, const char *what)
{
	struct initramfs_report report;

	assert_int_equal(unpack(&report), -EINVAL);
	if (!strstr(report.error.what, what))
		fail_msg("\"%s\" expected: \"%s\"", what, report.error.what);
	assert_int_equal(report.error.offset, offset);
	assert_int_equal(report.packed, packed);
	assert_int_equal(report.needed, 0);
}

static void packed_damage_is_named(void **state)
{
	size_t start, inside;

	(void)state;
	start = after_good_file();
	add("x", S_IFREG | 0644, "content");
	pack_from(start);
	writer.bytes[writer.size - 8] ^= 1;
	expect_packed_error(start, false, "checksum");
	assert_int_equal(path_unlink(&fs_base, "good"), 0);
	assert_int_equal(frame_free_count(&machine_frames), fs_frames_at_start);

	/* The last entry of an archive is wrong, and a packed one follows directly. */
	writer.size = 0;
	inside = after_good_file();
	add("good/x", S_IFREG | 0644, "content");
	cpio_pad(&writer, 4);
	start = writer.size;
	add("x", S_IFREG | 0644, "content");
	pack_from(start);
	expect_packed_error(inside, false, "path");
	assert_int_equal(path_unlink(&fs_base, "good"), 0);

	writer.size = 0;
	start = after_good_file();
	add("x", S_IFREG | 0644, "content");
	inside = writer.size - start;
	memcpy(writer.bytes + writer.size, "garbage", 7);
	writer.size += 7;
	pack_from(start);
	expect_packed_error(inside, true, "magic");
	expect("x", S_IFREG | 0644, "content");
	fs_frames_at_start--;

	writer.size = 0;
	add("x", S_IFREG | 0644, "content");
	pack_from(0);
	pack_from(0);
	expect_packed_error(0, true, "gzip within gzip");
	fs_frames_at_start--;
}

static void too_much_to_unpack(void **state)
{
	struct initramfs_report report;
	FILE *pipe = popen("head -c 67108864 /dev/zero | gzip", "r");

	(void)state;
	assert_non_null(pipe);
	writer.size = fread(writer.bytes, 1, MIB, pipe);
	assert_int_equal(pclose(pipe), 0);
	assert_int_equal(unpack(&report), -ENOMEM);
	assert_non_null(strstr(report.error.what, "too little memory"));
	assert_int_equal(report.needed, 64 * MIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_arrives),     TEST(hard_links_are_one_file), TEST(damage_is_named),
		TEST(packed_archives_arrive), TEST(packed_damage_is_named),  TEST(too_much_to_unpack),
		TEST(out_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

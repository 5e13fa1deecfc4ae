/* Mapped files: one page is the same bytes for all who see it, and a file that becomes shorter leaves all mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

#define RW (PROT_READ | PROT_WRITE)

static volatile char *map(long file, int protection, int flags, size_t pages)
{
	long at = sys(SYS_mmap, NULL, pages * PAGE, protection, flags, file, 0);

	if (at < 0 && at > -4096)
		bail("mmap", at);
	return (volatile char *)at;
}

/* One file of several pages, and what maps it. */
static void check_one_page(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
	volatile char *reader, *writer, *copy;
	char byte = 0, old;

	if (file < 0)
		bail(path, file);
	reader = map(file, PROT_READ, MAP_SHARED, 2);
	writer = map(file, RW, MAP_SHARED, 2);
	copy = map(file, RW, MAP_PRIVATE, 2);
	old = reader[0];
	is(copy[0], old, "a private mapping shows what the shared one does");
	is(writer[0], old, "and so does another shared one");
	writer[0] = (char)(old + 1);
	is(reader[0], (char)(old + 1), "what is written to one shared mapping is in the other");
	is(copy[0], (char)(old + 1), "and in a private one that was not written to");
	sys(SYS_pread64, file, &byte, 1, 0);
	is(byte, (char)(old + 1), "and in the file");
	byte = '!';
	sys(SYS_pwrite64, file, &byte, 1, 1);
	is(reader[1], '!', "what is written to the file is in one shared mapping");
	is(writer[1], '!', "and in the other");
	copy[1] = '?';
	is(reader[1], '!', "what is written to a private mapping is not");
	writer[0] = old;
	is(copy[0], (char)(old + 1), "a private page that was written to stays as it is");
	sys(SYS_munmap, reader, 2 * PAGE);
	sys(SYS_munmap, writer, 2 * PAGE);
	sys(SYS_munmap, copy, 2 * PAGE);
	sys(SYS_close, file);
}

static void test_one_page(void)
{
	char bytes[2 * PAGE];
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/pages", O_CREAT | O_RDWR, 0600);

	memset(bytes, 'a', sizeof(bytes));
	sys(SYS_pwrite64, file, bytes, sizeof(bytes), 0);
	sys(SYS_close, file);
	check_one_page("/tmp/pages");
	sys(SYS_unlink, "/tmp/pages");
	check_one_page("/test/.pages");
}

/* A child that shares or copies what its parent mapped; the parent says by a byte when to look. */
struct look {
	volatile char *at;
	int ask[2], answer[2];
};

static int look_when_told(struct look *look)
{
	char byte;

	sys(SYS_read, look->ask[0], &byte, 1);
	return touch_read((void *)look->at);
}

/* What happens to a child that touches `at` after the file has become shorter: its wait status. */
static void check_shorter(long file, int flags, bool touch, const char *name)
{
	volatile char *at = map(file, RW, flags, 3);
	struct look look = { .at = at + 2 * PAGE };
	int status = 0;
	long child;

	sys(SYS_ftruncate, file, 3 * PAGE);
	sys(SYS_pwrite64, file, "x", 1, 2 * PAGE);
	if (touch)
		at[2 * PAGE] = 'y';
	is(at[2 * PAGE], touch ? 'y' : 'x', name);
	at[0] = 'z';
	sys(SYS_pipe2, look.ask, 0);
	child = sys(SYS_fork);
	if (child == 0)
		sys(SYS_exit_group, look_when_told(&look));
	is(sys(SYS_ftruncate, file, PAGE + 1), 0, "the file becomes shorter");
	sys(SYS_write, look.ask[1], "", 1);
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, KILLED(SIGBUS), "SIGBUS for a child that had the page");
	is(in_child(touch_read, (void *)(at + 2 * PAGE)), KILLED(SIGBUS), "and for who maps it");
	is(in_child(touch_read, (void *)(at + 2 * PAGE - 1)), EXITED(0), "the rest of the last page is zero");
	is(at[0], 'z', "what is before it has stayed");
	is(sys(SYS_ftruncate, file, 3 * PAGE), 0, "the file becomes longer again");
	is(at[2 * PAGE], 0, "with zeros");
	sys(SYS_munmap, at, 3 * PAGE);
	sys(SYS_close, look.ask[0]);
	sys(SYS_close, look.ask[1]);
}

static void test_shorter(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);
	volatile char *at;

	check_shorter(file, MAP_SHARED, true, "a shared page");
	check_shorter(file, MAP_PRIVATE, false, "a private page, read");
	check_shorter(file, MAP_PRIVATE, true, "a private page, written to");
	at = map(file, RW, MAP_SHARED, 3);
	at[PAGE] = 'x';
	is(sys(SYS_truncate, path, PAGE), 0, "truncate by name");
	is(in_child(touch_read, (void *)(at + PAGE)), KILLED(SIGBUS), "takes pages away as well");
	at[1] = 'x';
	is(sys(SYS_close, sys(SYS_openat, AT_FDCWD, path, O_RDWR | O_TRUNC, 0)), 0, "and O_TRUNC");
	is(in_child(touch_read, (void *)at), KILLED(SIGBUS), "does, too");
	sys(SYS_munmap, at, 3 * PAGE);
	sys(SYS_close, file);
}

/* A page with the end inside stays mapped; what is behind the end is gone. */
static void test_end(const char *path)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);
	volatile char *at = map(file, RW, MAP_SHARED, 1);

	sys(SYS_ftruncate, file, PAGE);
	at[9] = at[10] = 'x';
	sys(SYS_ftruncate, file, 10);
	is(at[9], 'x', "a file ends inside a page");
	is(at[10], 0, "what is behind its end is zero in mappings");
	sys(SYS_munmap, at, PAGE);
	sys(SYS_close, file);
}

int main(void)
{
	test_one_page();
	test_shorter("/tmp/shorter");
	test_end("/tmp/shorter");
	sys(SYS_unlink, "/tmp/shorter");
	/* What lies in the archive. */
	test_end("/test/.pages");
	test_shorter("/test/.pages");
	return finish();
}

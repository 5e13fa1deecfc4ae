/*
 * Tests files, names, descriptors and pipes that several processes use at once, on as many CPUs as there are: some of
 * their own, and some shared by all. Each process checks what it reads, and counts faults in shared memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define WORKERS 4
#define ROUNDS  150
#define PAGES   24 /* the pages of the file that all use */
#define RECORDS 4000
#define WORDS   (PAGE / 8)

static struct shared {
	long faults; /* atomic */
	long stop;   /* atomic: the worker that the others disturb has done its rounds */
	unsigned char seen[RECORDS];
} * shared;

/* Count a fault unless `good`. The first fault of a process is printed, too. */
static void expect(bool good, const char *what, long saw)
{
	static bool told;

	if (good)
		return;
	__atomic_add_fetch(&shared->faults, 1, __ATOMIC_RELAXED);
	if (!told)
		printf("# process %d: %s: %ld\n", (int)getpid(), what, saw);
	told = true;
}

static bool goes_on(void)
{
	return !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

/*
 * Run each bodies[i](i) in a process of its own. The first ends the others by shared->stop. Returns the faults of all.
 */
static long run(void (*const bodies[])(int self), int count)
{
	int children[WORKERS], status;

	shared->faults = shared->stop = 0;
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		children[i] = (int)sys(SYS_fork);
		if (!children[i]) {
			bodies[i](i);
			if (!i)
				__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
			fflush(stdout);
			_exit(0);
		}
		if (children[i] < 0)
			bail("fork", children[i]);
	}
	for (int i = 0; i < count; i++) {
		sys(SYS_wait4, children[i], &status, 0, NULL);
		shared->faults += status != 0;
		if (!i)
			__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	}
	return shared->faults;
}

/* ---- a file for each ---- */

static unsigned char byte_of(int self, int round, long at)
{
	return (unsigned char)(self * 61 + round * 7 + at + at / 256);
}

static void check_bytes(int self, int round, const unsigned char *bytes, long at, long count)
{
	for (long i = 0; i < count; i++)
		if (bytes[i] != byte_of(self, round, at + i)) {
			expect(false, "a byte of the own file, at", at + i);
			return;
		}
}

static void read_through(int self, int round, int file, long size)
{
	unsigned char bytes[5000];
	long at = 0, got = 1;

	for (long want = 1 + round % 9; got > 0; want = (want * 5 + 3) % 5000 + 1) {
		got = sys(SYS_read, file, bytes, want);
		expect(got == (want < size - at ? want : size - at), "bytes of a read", got);
		check_bytes(self, round, bytes, at, got);
		at += got > 0 ? got : 0;
		expect(sys(SYS_lseek, file, 0, SEEK_CUR) == at, "the position", at);
	}
	at = (round * 977L) % size;
	expect(sys(SYS_lseek, file, at, SEEK_SET) == at, "lseek", at);
	got = sys(SYS_read, file, bytes, 100);
	expect(got == (size - at < 100 ? size - at : 100), "bytes behind lseek", got);
	check_bytes(self, round, bytes, at, got);
	expect(sys(SYS_read, file, bytes, sizeof(bytes)) >= 0 && sys(SYS_pread64, file, bytes, 10, size) == 0,
	       "the end", 0);
	expect(sys(SYS_read, file, (void *)8, 1) == (sys(SYS_lseek, file, 0, SEEK_CUR) == size ? 0 : -EFAULT), "EFAULT",
	       0);
}

static void own_files(int self)
{
	static unsigned char bytes[3 * PAGE];
	char name[32];

	snprintf(name, sizeof(name), "/tmp/own.%d", self);
	for (int round = 0; round < ROUNDS; round++) {
		const long size = (long)PAGE + (round * 331) % (2 * (long)PAGE);
		long file = sys(SYS_open, name, O_RDWR | O_CREAT | O_TRUNC, 0600), copy;

		for (long i = 0; i < size; i++)
			bytes[i] = byte_of(self, round, i);
		expect(sys(SYS_write, file, bytes, size) == size, "write", size);
		copy = sys(SYS_open, name, O_RDONLY | O_CLOEXEC, 0);
		expect(copy > file && !sys(SYS_close, file), "open and close", copy);
		file = sys(SYS_dup, copy);
		read_through(self, round, (int)copy, size);
		expect(!sys(SYS_close, copy) && sys(SYS_close, copy) == -EBADF, "close", copy);
		if (round % 3 == 0)
			expect(!sys(SYS_unlink, name), "unlink", round);
		expect(sys(SYS_pread64, file, bytes, size, 0) == size, "pread", size);
		check_bytes(self, round, bytes, 0, size);
		expect(!sys(SYS_close, file), "close of the copy", file);
		expect(sys(SYS_open, name, O_RDONLY, 0) == (round % 3 ? file : -ENOENT), "the lowest descriptor", file);
		sys(SYS_close, file);
	}
	sys(SYS_unlink, name);
}

/*
 * ---- one file for all: each half of a word is 0, or says in which page it lies, or when it was written. A truncation
 * may leave a part of a word, and a read may see a part of a write ----
 */

static void change_file(int self)
{
	static uint64_t page[WORDS];
	const long file = sys(SYS_open, "/tmp/one", O_RDWR | O_CREAT, 0600);

	(void)self;
	for (int round = 0; round < ROUNDS; round++) {
		for (uint64_t at = 0; at < PAGES; at++) {
			for (size_t i = 0; i < WORDS; i++)
				page[i] = at << 32 | (uint64_t)(round + 1);
			if ((at + (uint64_t)round) % 5)
				expect(sys(SYS_pwrite64, file, page, PAGE, at * PAGE) == (long)PAGE, "pwrite",
				       (long)at);
		}
		if (round % 4 == 1)
			sys(SYS_fallocate, file, 3 /* make a hole, and keep the file's size */, 4 * PAGE, 8 * PAGE);
		expect(!sys(SYS_ftruncate, file, (round * 7919L) % (PAGES * (long)PAGE)), "ftruncate", round);
	}
	sys(SYS_close, file);
}

static void check_page(const uint64_t *words, uint64_t page, long bytes)
{
	for (long i = 0; i < bytes / 8; i++)
		if ((words[i] >> 32 && words[i] >> 32 != page) || (uint32_t)words[i] > ROUNDS) {
			expect(false, "a word of another page", (long)words[i]);
			return;
		}
}

static void *look_at_file(void *argument)
{
	uint64_t words[WORDS];

	for (uint64_t round = 0; goes_on(); round++) {
		const long file = sys(SYS_open, "/tmp/one", O_RDONLY, 0);

		for (uint64_t at = 0; at < PAGES && file >= 0; at++) {
			const uint64_t page = (at * 5 + round) % PAGES;
			const long got = sys(SYS_pread64, file, words, PAGE, page * PAGE);

			expect(got >= 0, "pread", got);
			check_page(words, page, got);
		}
		for (uint64_t page = 0; page < PAGES && file >= 0; page++) {
			const long got = sys(SYS_read, file, words, PAGE);

			if (got <= 0)
				break;
			check_page(words, page, got);
			if (got % (long)PAGE)
				break;
		}
		expect(file < 0 || !sys(SYS_close, file), "close", file);
	}
	return argument;
}

static void look_alone(int self)
{
	(void)self;
	look_at_file(NULL);
}

static void look_by_threads(int self)
{
	pthread_t thread;

	(void)self;
	pthread_create(&thread, NULL, look_at_file, NULL);
	look_at_file(NULL);
	pthread_join(thread, NULL);
}

/* ---- names ---- */

static void make_file(const char *name, char letter)
{
	char bytes[600];
	const long file = sys(SYS_open, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	memset(bytes, letter, sizeof(bytes));
	expect(sys(SYS_write, file, bytes, sizeof(bytes)) == sizeof(bytes) && !sys(SYS_close, file), name, file);
}

static void change_names(int self)
{
	(void)self;
	make_file("/tmp/names/always", 'a');
	for (int round = 0; round < ROUNDS; round++) {
		make_file("/tmp/names/new", (char)('a' + round % 26));
		expect(!sys(SYS_rename, "/tmp/names/new", "/tmp/names/always"), "rename", round);
		sys(SYS_mkdir, "/tmp/names/deep", 0755);
		make_file("/tmp/names/deep/file", 'd');
		sys(SYS_chmod, "/tmp/names/deep", round % 2 ? 0700 : 0755);
		sys(SYS_rename, "/tmp/names/deep", "/tmp/names/deeper");
		expect(!sys(SYS_unlink, "/tmp/names/deeper/file") && !sys(SYS_rmdir, "/tmp/names/deeper"), "rmdir",
		       round);
		expect(!sys(SYS_mount, "tmpfs", "/tmp/names/mount", "tmpfs", 0, NULL), "mount", round);
		make_file("/tmp/names/mount/file", 'm');
		sched_yield();
		expect(!sys(SYS_umount2, "/tmp/names/mount", round % 2 ? MNT_DETACH : 0) || round % 2 == 0, "umount",
		       round);
		while (sys(SYS_umount2, "/tmp/names/mount", 0) == -EBUSY)
			sched_yield();
	}
}

/* Open and read a file whose bytes are all the same. Returns whether it was there. */
static bool read_same(const char *name)
{
	char bytes[700];
	const long file = sys(SYS_open, name, O_RDONLY, 0);
	long got;

	expect(file >= 0 || file == -ENOENT, name, file);
	if (file < 0)
		return false;
	got = sys(SYS_read, file, bytes, sizeof(bytes));
	for (long i = 1; i < got; i++)
		if (bytes[i] != bytes[0]) {
			expect(false, name, i);
			break;
		}
	expect(got == 0 || got == 600, "bytes of a name's file", got);
	expect(!sys(SYS_close, file), "close", file);
	return true;
}

static void follow_names(int self)
{
	bool seen = false;

	(void)self;
	if (self == 3)
		sys(SYS_chdir, "/tmp/names");
	while (goes_on()) {
		const bool there = read_same(self == 3 ? "always" : "/tmp/names/always");

		expect(there || !seen, "a name that is always there", 0);
		seen |= there;
		read_same("/tmp/names/deep/file");
		read_same("/tmp/names/mount/file");
	}
}

/* ---- pipes ---- */

static int ends[2];

static void feed(int self)
{
	(void)self;
	for (uint64_t i = 1; i <= ROUNDS * 40; i++) {
		struct pollfd end = { .fd = ends[1], .events = POLLOUT };

		expect(sys(SYS_poll, &end, 1, -1) == 1 && end.revents == POLLOUT, "poll for room", end.revents);
		expect(sys(SYS_write, ends[1], &i, sizeof(i)) == sizeof(i), "write to a pipe", (long)i);
		if (i % 64 == 0)
			sched_yield();
	}
}

static void drain(int self)
{
	uint64_t number = 0;

	(void)self;
	for (uint64_t i = 1; i <= ROUNDS * 40; i++) {
		struct pollfd both[2] = { { .fd = ends[0], .events = POLLIN }, { .fd = -1 } };
		long ready = i % 2 ? sys(SYS_poll, both, 2, -1) : 1;

		expect(ready == 1, "poll for bytes", ready);
		expect(sys(SYS_read, ends[0], &number, sizeof(number)) == sizeof(number) && number == i,
		       "the order in a pipe", (long)number);
	}
}

static void watch_pipe(int self)
{
	(void)self;
	while (goes_on()) {
		struct pollfd both[2] = { { .fd = ends[0], .events = POLLIN }, { .fd = ends[1], .events = POLLOUT } };
		const long ready = sys(SYS_poll, both, 2, 0);

		expect(ready >= 0 && !((both[0].revents | both[1].revents) & ~(POLLIN | POLLOUT)), "poll", ready);
	}
}

/* ---- descriptors that others look at ---- */

static void change_descriptors(int self)
{
	(void)self;
	for (int round = 0; round < ROUNDS * 10; round++) {
		const long file = sys(SYS_open, "/tmp/names/always", O_RDONLY, 0);
		char byte = 0;

		expect(sys(SYS_read, file, &byte, 1) == 1 && byte >= 'a' && byte <= 'z', "read", byte);
		expect(sys(SYS_lseek, file, 0, SEEK_CUR) == 1, "the position", file);
		expect(!sys(SYS_close, file), "close", file);
	}
}

static void look_at_descriptors(int self)
{
	const int other = (int)getpid() - self;
	const long process = sys(SYS_pidfd_open, other, 0);
	char path[48], text[64];

	for (int fd = 3; goes_on(); fd = fd == 8 ? 3 : fd + 1) {
		const long copy = sys(SYS_pidfd_getfd, process, fd, 0);
		struct stat status;

		/*
		 * Read nothing by the copy: the position is shared with the other process, which would find it moved.
		 */
		expect(copy < 0 || !sys(SYS_fstat, copy, &status), "fstat of a descriptor", copy);
		if (copy >= 0)
			sys(SYS_close, copy);
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", other, fd);
		sys(SYS_readlink, path, text, sizeof(text));
	}
}

/* ---- one position for two ---- */

static void take_records(int self)
{
	uint32_t record[4];

	(void)self;
	while (sys(SYS_read, ends[0], record, sizeof(record)) == sizeof(record))
		if (record[0] < RECORDS)
			__atomic_add_fetch(&shared->seen[record[0]], 1, __ATOMIC_RELAXED);
}

static void test_position(void)
{
	static void (*const bodies[])(int) = { take_records, take_records, take_records };
	long wrong = 0;

	ends[0] = (int)sys(SYS_open, "/tmp/records", O_RDWR | O_CREAT, 0600);
	for (uint32_t i = 0; i < RECORDS; i++)
		sys(SYS_write, ends[0], (uint32_t[4]){ i }, 16);
	sys(SYS_lseek, ends[0], 0, SEEK_SET);
	is(run(bodies, 3), 0, "three processes read by one position");
	for (int i = 0; i < RECORDS; i++)
		wrong += shared->seen[i] != 1;
	is(wrong, 0, "each record was read once");
	sys(SYS_close, ends[0]);
	sys(SYS_unlink, "/tmp/records");
}

int main(void)
{
	static void (*const own[])(int) = { own_files, own_files, own_files, own_files };
	static void (*const one[])(int) = { change_file, look_alone, look_by_threads, look_alone };
	static void (*const names[])(int) = { change_names, follow_names, follow_names, follow_names };
	static void (*const pipes[])(int) = { feed, drain, watch_pipe, watch_pipe };
	static void (*const descriptors[])(int) = { change_descriptors, look_at_descriptors, look_at_descriptors };

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sys(SYS_mkdir, "/tmp/names", 0755);
	sys(SYS_mkdir, "/tmp/names/mount", 0755);
	is(run(own, WORKERS), 0, "processes with files of their own");
	is(run(one, WORKERS), 0, "one file that is written, cut and read");
	is(run(names, WORKERS), 0, "names that change");
	is(sys(SYS_pipe, ends), 0, "a pipe");
	is(run(pipes, WORKERS), 0, "a pipe that all use");
	sys(SYS_close, ends[0]);
	sys(SYS_close, ends[1]);
	is(run(descriptors, 3), 0, "descriptors that others look at");
	test_position();
	sys(SYS_unlink, "/tmp/one");
	sys(SYS_unlink, "/tmp/names/always");
	sys(SYS_rmdir, "/tmp/names/mount");
	sys(SYS_rmdir, "/tmp/names");
	return finish();
}

/* Pages: N of one area that are touched, private and shared, and those of a file. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "test/user/scale/scale.h"

#define LARGEST 32768 /* 128 MiB */
#define RW      (PROT_READ | PROT_WRITE)
#define PLACE   (1UL << 40)

static int file = -1;
static volatile char *base;
static volatile char sum;

static void touch(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		base[i * PAGE] = 1;
}

static void look(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sum += base[i * PAGE];
}

static void map(unsigned n, int flags)
{
	base = (char *)must(sys(SYS_mmap, PLACE, n * PAGE, RW, flags | MAP_FIXED, file, 0), "mmap");
}

static void unmap(unsigned n, unsigned turn)
{
	(void)turn;
	must(sys(SYS_munmap, base, n * PAGE), "munmap");
}

static void map_private(unsigned n, unsigned turn)
{
	(void)turn;
	map(n, MAP_PRIVATE | MAP_ANONYMOUS);
}

static void map_touched(unsigned n, unsigned turn)
{
	map_private(n, turn);
	touch(n);
}

static long touch_all(unsigned n, unsigned turn)
{
	(void)turn;
	touch(n);
	return 0;
}

static long look_at_all(unsigned n, unsigned turn)
{
	(void)turn;
	look(n);
	return 0;
}

static long unmap_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_munmap, base, n * PAGE);
}

static long give_up_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_madvise, base, n * PAGE, MADV_DONTNEED);
}

static long protect_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_mprotect, base, n * PAGE, PROT_READ);
}

static long map_populated(unsigned n, unsigned turn)
{
	(void)turn;
	map(n, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE);
	return 0;
}

static long move_all(unsigned n, unsigned turn)
{
	long place = sys(SYS_mremap, base, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, PLACE + (1UL << 36));

	(void)turn;
	base = place > 0 ? (char *)place : base;
	return place;
}

static void private_pages(unsigned n)
{
	map_touched(n, 0);
}

static void shared_pages(unsigned n)
{
	map(n, MAP_SHARED | MAP_ANONYMOUS);
	touch(n);
}

static int child, gate[2];

/* A child that shares all pages until they are written to. */
static void start_child(unsigned n, unsigned turn)
{
	char byte;

	(void)n, (void)turn;
	must(sys(SYS_pipe, gate), "pipe");
	child = (int)must(sys(SYS_fork), "fork");
	if (child == 0) {
		sys(SYS_close, gate[1]);
		sys(SYS_read, gate[0], &byte, 1);
		sys(SYS_exit_group, 0);
	}
}

static void end_child(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_close, gate[0]);
	sys(SYS_close, gate[1]);
	must(sys(SYS_wait4, child, NULL, 0, NULL), "wait4");
}

static long map_and_unmap(unsigned n, unsigned turn)
{
	long place = sys(SYS_mmap, 0, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)n, (void)turn;
	return sys(SYS_munmap, place, PAGE);
}

static void file_pages(unsigned n)
{
	static char page[PAGE];

	work_open();
	file = (int)must(sys(SYS_open, "x", O_CREAT | O_RDWR, 0644), "create");
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_pwrite64, file, page, PAGE, i * PAGE), "write");
}

static void map_file(unsigned n, unsigned turn)
{
	(void)turn;
	map(n, MAP_SHARED);
}

static void map_file_and_look(unsigned n, unsigned turn)
{
	map_file(n, turn);
	look(n);
}

static void map_file_private(unsigned n, unsigned turn)
{
	(void)turn;
	map(n, MAP_PRIVATE);
}

static long sync_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_msync, base, n * PAGE, MS_SYNC);
}

#define PAGES         .largest = LARGEST, .each = true, .after = unmap
#define PRIVATE_PAGES .largest = LARGEST, .setup = private_pages
#define SHARED_PAGES  .largest = LARGEST, .setup = shared_pages
#define FILE_PAGES    .largest = LARGEST, .each = true, .setup = file_pages, .after = unmap

static const struct row rows[] = {
	{ "write to new pages, a page", PAGES, .before = map_private, .step = touch_all },
	{ "read of new pages, a page", PAGES, .before = map_private, .step = look_at_all },
	{ "populate, a page", PAGES, .step = map_populated },
	{ "munmap, a page", .largest = LARGEST, .each = true, .before = map_touched, .step = unmap_all },
	{ "MADV_DONTNEED, a page", PAGES, .before = map_touched, .step = give_up_all },
	{ "mprotect, a page", PAGES, .before = map_touched, .step = protect_all },
	{ "mremap, a page", PAGES, .before = map_touched, .step = move_all },
	{ "fork, exit, wait4, a page", PRIVATE_PAGES, .each = true, .step = fork_and_wait },
	{ "copy on write, a page", PRIVATE_PAGES, .each = true, .kind = ROW_BYTES, .before = start_child,
	  .step = touch_all, .after = end_child },
	{ "mmap and munmap, N pages", PRIVATE_PAGES, .step = map_and_unmap },
	{ "fork, exit, wait4, N shared pages", SHARED_PAGES, .step = fork_and_wait },
	{ "read of file pages, a page", FILE_PAGES, .before = map_file, .step = look_at_all },
	{ "write to file pages, a page", FILE_PAGES, .before = map_file, .step = touch_all },
	{ "write to file pages that were read, a page", FILE_PAGES, .before = map_file_and_look, .step = touch_all },
	{ "write to private file pages, a page", FILE_PAGES, .kind = ROW_BYTES, .before = map_file_private,
	  .step = touch_all },
	{ "msync, a page", FILE_PAGES, .before = map_file_and_look, .step = sync_all },
};

ROOM(pages);

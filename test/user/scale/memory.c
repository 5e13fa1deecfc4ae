/* Areas: N pages side by side whose rights differ by turns, and N holes between areas. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "test/user/scale/scale.h"

#define LARGEST 60000
#define RW      (PROT_READ | PROT_WRITE)

/* Where the areas lie. */
#define PLACE (1UL << 40)

static int maps, statm, status;
static volatile char *middle;
static long made;

static void map_at(unsigned long place, unsigned long bytes, int rights)
{
	must(sys(SYS_mmap, place, bytes, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), "mmap");
}

static void open_texts(void)
{
	maps = open_file("/proc/self/maps");
	statm = open_file("/proc/self/statm");
	status = open_file("/proc/self/status");
}

static void areas(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		map_at(PLACE + i * PAGE, PAGE, i % 2 ? PROT_READ : RW);
	middle = (char *)(PLACE + (n / 4 * 2) * PAGE); /* one that is writable */
	open_texts();
}

static void holes(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		map_at(PLACE + 2 * i * PAGE, PAGE, RW);
	middle = (char *)(PLACE + (n / 2 * 2) * PAGE);
	open_texts();
}

static long map_and_unmap(unsigned n, unsigned turn)
{
	long place = sys(SYS_mmap, 0, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)n, (void)turn;
	return sys(SYS_munmap, place, 2 * PAGE);
}

static long unmap_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_munmap, middle, PAGE);
}

static void map_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	map_at((unsigned long)middle, PAGE, RW);
}

static long protect_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_mprotect, middle, PAGE, PROT_NONE);
}

static void unprotect_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_mprotect, middle, PAGE, RW), "mprotect");
}

/* A page of it was never touched, or not since it was last given up. */
static long touch_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	*middle = 1;
	return 0;
}

static void give_up_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_madvise, middle, PAGE, MADV_DONTNEED), "madvise");
}

static void touch_before(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	*middle = 1;
}

static long give_up(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_madvise, middle, PAGE, MADV_DONTNEED);
}

static long brk_pair(unsigned n, unsigned turn)
{
	long end = sys(SYS_brk, 0);

	(void)n, (void)turn;
	sys(SYS_brk, end + (long)PAGE);
	return sys(SYS_brk, end);
}

static long look_at_middle(unsigned n, unsigned turn)
{
	unsigned char seen;

	(void)n, (void)turn;
	return sys(SYS_mincore, middle, PAGE, &seen);
}

static void make_two(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	made = must(sys(SYS_mmap, 0, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap");
	*(volatile char *)made = 1;
}

static long move_two(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return made = sys(SYS_mremap, made, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
}

static void drop_three(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_munmap, made, 3 * PAGE), "munmap");
}

static long read_maps(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_all(maps);
}

static long read_maps_start(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_once(maps, 100);
}

static long read_statm(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_once(statm, 100);
}

static long read_status(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_once(status, 4096);
}

static long unmap_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_munmap, PLACE, n * PAGE);
}

static void map_all(unsigned n, unsigned turn)
{
	(void)turn;
	for (unsigned i = 0; i < n; i++)
		map_at(PLACE + i * PAGE, PAGE, i % 2 ? PROT_READ : RW);
}

static long protect_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_mprotect, PLACE, n * PAGE, PROT_NONE);
}

#define AMONG .largest = LARGEST, .setup = areas
#define HOLES .largest = LARGEST, .setup = holes

static const struct row rows[] = {
	{ "mmap and munmap", AMONG, .kind = ROW_LOG, .step = map_and_unmap },
	{ "munmap of the middle", AMONG, .kind = ROW_LOG, .step = unmap_middle, .after = map_middle },
	{ "mprotect of the middle", AMONG, .kind = ROW_LOG, .step = protect_middle, .after = unprotect_middle },
	{ "fault", AMONG, .kind = ROW_LOG, .before = give_up_middle, .step = touch_middle },
	{ "MADV_DONTNEED", AMONG, .kind = ROW_LOG, .before = touch_before, .step = give_up },
	{ "mincore", AMONG, .kind = ROW_LOG, .step = look_at_middle },
	{ "brk up and down", AMONG, .kind = ROW_LOG, .step = brk_pair },
	{ "mremap that moves", AMONG, .kind = ROW_LOG, .before = make_two, .step = move_two, .after = drop_three },
	{ "fork, exit, wait4, an area", AMONG, .each = true, .step = fork_and_wait },
	{ "maps, a line", AMONG, .each = true, .step = read_maps },
	{ "maps, first 100 bytes", AMONG, .step = read_maps_start },
	{ "statm", AMONG, .step = read_statm },
	{ "status", AMONG, .step = read_status },
	{ "mprotect, an area", AMONG, .each = true, .step = protect_all, .after = map_all },
	{ "munmap, an area", AMONG, .each = true, .step = unmap_all, .after = map_all },
	{ "mmap and munmap, N holes", HOLES, .kind = ROW_LOG, .step = map_and_unmap },
	{ "fault, N holes", HOLES, .kind = ROW_LOG, .before = give_up_middle, .step = touch_middle },
};

ROOM(memory);

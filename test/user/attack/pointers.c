/* Every system call with pointers at each kind of boundary: the call may fail, the child may die, the kernel goes on. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "paging/layout.h"
#include "test/user/attack/victim.h"

#define LAST_CALL 450

/* Where a pointer may point; filled in by make_targets(). */
enum {
	NULL_POINTER,
	ONE,
	BEFORE_HOLE, /* the last 4 bytes before memory that is not mapped */
	AFTER_HOLE,  /* the first byte of memory behind a hole */
	IN_HOLE,
	READ_ONLY,
	WRITABLE,
	LAST_PAGE,
	LAST_BYTE,
	NON_CANONICAL,
	LAST_NON_CANONICAL,
	IN_HHDM,
	IN_MMIO,
	IN_NOTHING,
	IN_HEAP,
	IN_IMAGE,
	LAST_OF_ALL,
	TARGETS,
};

static long targets[TARGETS];

/* What stands in the arguments beside the pointer. */
static const long beside[] = { 0, 1, 8, 4096, -1 };

#define SHAPES (6 * COUNT(beside) + 1) /* the pointer in each place alone, and in all at once */

static void make_targets(void)
{
	char *memory = fresh(4 * PAGE, PROT_READ | PROT_WRITE);

	sys(SYS_munmap, memory + PAGE, PAGE);
	sys(SYS_mprotect, memory + 2 * PAGE, PAGE, PROT_READ);
	targets[NULL_POINTER] = 0;
	targets[ONE] = 1;
	targets[BEFORE_HOLE] = (long)(memory + PAGE - 4);
	targets[IN_HOLE] = (long)(memory + PAGE);
	targets[AFTER_HOLE] = targets[READ_ONLY] = (long)(memory + 2 * PAGE);
	targets[WRITABLE] = (long)(memory + 3 * PAGE);
	targets[LAST_PAGE] = (long)(USER_SIZE - PAGE);
	targets[LAST_BYTE] = (long)(USER_SIZE - 1);
	targets[NON_CANONICAL] = (long)USER_SIZE;
	targets[LAST_NON_CANONICAL] = (long)(HHDM_BASE - 1);
	targets[IN_HHDM] = (long)HHDM_BASE;
	targets[IN_MMIO] = (long)MMIO_BASE;
	targets[IN_NOTHING] = (long)(MMIO_BASE + MMIO_SIZE);
	targets[IN_HEAP] = (long)HEAP_BASE;
	targets[IN_IMAGE] = (long)IMAGE_BASE;
	targets[LAST_OF_ALL] = -8;
}

static void try_call(uint64_t index)
{
	uint64_t shape = index % SHAPES, target = index / SHAPES % TARGETS;
	long number = (long)(index / (SHAPES * TARGETS)), arguments[6];

	for (unsigned i = 0; i < 6; i++) {
		bool all = shape == SHAPES - 1;

		arguments[i] = all || shape % 6 == i ? targets[target] : beside[shape / 6];
	}
	attack(number, arguments);
}

/* The calls that must say EFAULT, for each address that is never theirs. */
static void test_answers(void)
{
	static const int bad[] = { NULL_POINTER, ONE,        IN_HOLE, NON_CANONICAL, LAST_NON_CANONICAL, IN_HHDM,
				   IN_MMIO,      IN_NOTHING, IN_HEAP, IN_IMAGE,      LAST_OF_ALL };
	static const struct {
		long number, arguments[6];
		int place;
		const char *name;
	} calls[] = {
		{ SYS_write, { 1, 0, 8 }, 1, "write" },
		{ SYS_pipe2, { 0, 0 }, 0, "pipe2" },
		{ SYS_uname, { 0 }, 0, "uname" },
		{ SYS_sysinfo, { 0 }, 0, "sysinfo" },
		{ SYS_clock_gettime, { 1, 0 }, 1, "clock_gettime" },
		{ SYS_nanosleep, { 0, 0 }, 0, "nanosleep" },
		{ SYS_fstat, { 1, 0 }, 1, "fstat" },
		{ SYS_openat, { -100, 0, 0 }, 1, "openat" },
		{ SYS_execve, { 0, 0, 0 }, 0, "execve" },
		{ SYS_getrandom, { 0, 8, 0 }, 0, "getrandom" },
		{ SYS_arch_prctl, { 0x1003, 0 }, 1, "arch_prctl" },
		{ SYS_writev, { 1, 0, 1 }, 1, "writev" },
	};

	for (size_t i = 0; i < COUNT(calls); i++) {
		char name[64];
		long wrong = 0;

		for (size_t j = 0; j < COUNT(bad); j++) {
			long arguments[6];

			for (int k = 0; k < 6; k++)
				arguments[k] = k == calls[i].place ? targets[bad[j]] : calls[i].arguments[k];
			if (attack(calls[i].number, arguments) != -EFAULT)
				wrong = targets[bad[j]] ? targets[bad[j]] : -1;
		}
		snprintf(name, sizeof(name), "%s says EFAULT for each address that is not the caller's", calls[i].name);
		is(wrong, 0, name);
	}
}

/* A buffer that reaches over the end of user memory, or of all memory. */
static void test_lengths(void)
{
	long writable = targets[WRITABLE];

	is(sys(SYS_read, -1, writable, -1L), -EBADF, "read of 2^64 - 1 bytes from no file");
	is_true(sys(SYS_write, 1, targets[LAST_PAGE], 1L << 40) < 0, 0, "write from the last page on");
	is(sys(SYS_write, 1, IMAGE_BASE, 1UL << 62), -EFAULT, "write of 2^62 bytes from kernel memory");
	is(sys(SYS_getrandom, targets[BEFORE_HOLE], 4, 0), 4, "getrandom up to a hole");
}

int main(void)
{
	uint64_t count = (LAST_CALL + 1) * SHAPES * TARGETS, deaths, hangs;

	victims_init();
	make_targets();
	test_answers();
	test_lengths();
	is((long)victims_run(count, 5000, try_call, &deaths, &hangs), (long)count,
	   "calls 0 to 450 with pointers of 17 kinds in 31 shapes");
	printf("# %lu calls, %lu deaths, %lu hangs\n", (unsigned long)count, (unsigned long)deaths,
	       (unsigned long)hangs);
	remove_objects();
	is(in_child(touch_read, (void *)targets[WRITABLE]), EXITED(0), "a child still runs");
	return finish();
}

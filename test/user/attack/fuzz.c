/*
 * Random system calls: fuzz [COUNT [SEED]]. Children make them and may die or hang; the kernel goes on.
 *
 * The same seed gives the same calls. Most are calls that the kernel has, with arguments that are pointers, small
 * numbers, fds and limits; the rest is any number with anything.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "paging/layout.h"
#include "test/user/attack/victim.h"

#define USUAL_COUNT 20000
#define AT_ONCE     500
#define MOST_NUMBER 450

static const long numbers[] = {
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_open,
	SYS_openat,
	SYS_fstat,
	SYS_newfstatat,
	SYS_readlink,
	SYS_ioctl,
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mprotect,
	SYS_mremap,
	SYS_madvise,
	SYS_arch_prctl,
	SYS_set_tid_address,
	SYS_set_robust_list,
	SYS_prlimit64,
	SYS_getrandom,
	SYS_futex,
	SYS_clone,
	SYS_fork,
	SYS_vfork,
	SYS_execve,
	SYS_wait4,
	SYS_exit,
	SYS_exit_group,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_gettid,
	SYS_getpid,
	SYS_getppid,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_gettimeofday,
	SYS_uname,
	SYS_sysinfo,
	SYS_getrusage,
	SYS_times,
	SYS_prctl,
	SYS_pipe2,
	SYS_dup2,
	SYS_getdents64,
};

static uint64_t seed = 1;
static char *memory; /* writable, writable, hole, read-only, writable */

/* SplitMix64: each call has a state of its own, so it is the same in whatever child it runs. */
static uint64_t next(uint64_t *state)
{
	uint64_t mixed = *state += 0x9e3779b97f4a7c15;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return mixed ^ mixed >> 31;
}

static long kernel_address(uint64_t *state)
{
	static const uint64_t bases[] = { HHDM_BASE, MMIO_BASE, HEAP_BASE, IMAGE_BASE, USER_SIZE, HHDM_BASE - 1 };

	return (long)(bases[next(state) % COUNT(bases)] + (next(state) & 0x3fffff));
}

static long random_argument(uint64_t *state)
{
	uint64_t choice = next(state) % 16;

	switch (choice) {
	case 0:
	case 1:
	case 2:
		return (long)(memory + next(state) % (5 * PAGE));
	case 3:
		return (long)(memory + next(state) % 5 * PAGE);
	case 4:
		return (long)(memory + 2 * PAGE - next(state) % 64);
	case 5:
		return kernel_address(state);
	case 6:
		return (long)(next(state) % 8 * PAGE);
	case 7:
		return -(long)(next(state) % 200);
	case 8:
		return (long)(1UL << next(state) % 64);
	case 9:
		return (long)((1UL << next(state) % 64) - 1);
	case 10:
		return (long)next(state);
	default:
		return (long)(next(state) % 64);
	}
}

static void step(uint64_t index)
{
	uint64_t state = seed * 0x100000001 + index;
	long number, arguments[6];

	if (next(&state) % 4)
		number = numbers[next(&state) % COUNT(numbers)];
	else
		number = (long)(next(&state) % (MOST_NUMBER + 1));
	for (int i = 0; i < 6; i++)
		arguments[i] = random_argument(&state);
	attack(number, arguments);
}

static unsigned long free_memory(void)
{
	struct sysinfo info;

	if (sys(SYS_sysinfo, &info) != 0)
		return 0;
	return info.freeram * info.mem_unit / 1024;
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : USUAL_COUNT, deaths, hangs;

	if (argc > 2)
		seed = strtoul(argv[2], NULL, 0);
	victims_init();
	memory = fresh(5 * PAGE, PROT_READ | PROT_WRITE);
	sys(SYS_munmap, memory + 2 * PAGE, PAGE);
	sys(SYS_mprotect, memory + 3 * PAGE, PAGE, PROT_READ);
	printf("# seed %lu, free before: %lu KiB\n", (unsigned long)seed, free_memory());
	fflush(stdout);
	is((long)victims_run(count, AT_ONCE, step, &deaths, &hangs), (long)count, "random system calls");
	printf("# %lu calls, %lu deaths, %lu hangs, free after: %lu KiB\n", (unsigned long)count, (unsigned long)deaths,
	       (unsigned long)hangs, free_memory());
	remove_objects();
	is(in_child(touch_read, memory), EXITED(0), "a child still runs");
	is(sys(SYS_getppid), 1, "init is still the parent");
	return finish();
}

/*
 * The default bundle's `demo`: shows its own address space, allocates, faults, forks and measures, and ends.
 *
 * Exits with 0 when all was as it should be, else with the number of things that were not. As the first program,
 * with init=/bin/demo, its end is the machine's. Runs on Linux as well.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paging/layout.h"
#include "test/user/bench/bench.h"

#define ROUNDS 5

extern const char __ehdr_start[], etext[], edata[], end[];

static int wrong;

static void check(int passed, const char *what)
{
	printf("  %-58s %s\n", what, passed ? "yes" : "NO");
	wrong += !passed;
}

static void show_range(const char *what, const void *first, const void *last)
{
	printf("  %#018lx-%#018lx %s\n", (unsigned long)first, (unsigned long)last, what);
}

static void show_map(char **argv)
{
	char *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), text[512];
	int file = open("/proc/self/maps", O_RDONLY);
	ssize_t bytes;

	printf("\nThis program's address space:\n");
	show_range("code and constants", __ehdr_start, etext);
	show_range("data", (const char *)((uintptr_t)edata & -PAGE), end);
	printf("  %#018lx                    end of the heap\n", (unsigned long)sys(SYS_brk, 0));
	printf("  %#018lx                    a page from mmap\n", (unsigned long)mapped);
	printf("  %#018lx                    the stack, here\n", (unsigned long)__builtin_frame_address(0));
	printf("  %#018lx                    arguments\n", (unsigned long)argv);
	printf("  %#018lx                    end of user memory; nothing above it is ours\n", (unsigned long)USER_SIZE);
	printf("  vDSO: %s\n", getauxval(AT_SYSINFO_EHDR) ? "there" : "none, a clock is a system call");
	if (mapped != MAP_FAILED)
		munmap(mapped, PAGE);
	while (file >= 0 && (bytes = read(file, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)bytes, stdout);
	if (file >= 0)
		close(file);
}

/* Allocate blocks of many sizes, all at once, and fill each with its own number. */
static int allocate(void)
{
	unsigned char *blocks[64];
	size_t sizes[64];
	int good = 1;

	for (size_t i = 0; i < 64; i++) {
		sizes[i] = (i * 2654435761U) % (64 << 10) + 1;
		blocks[i] = malloc(sizes[i]);
		good &= blocks[i] != NULL;
		if (blocks[i])
			memset(blocks[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < 64; i++) {
		good &= blocks[i] && blocks[i][0] == i && blocks[i][sizes[i] - 1] == i;
		free(blocks[i]);
	}
	return good;
}

/* Return the signal that ends a child which reads at `address`; 0 when none does. */
static int signal_of_read(uint64_t address)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(*(volatile unsigned char *)address & 0);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int exit_status_of_fork(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(7);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void try_things(void)
{
	printf("\nWhat it tries:\n");
	check(allocate(), "64 blocks of up to 64 KiB keep what is written to them");
	check(exit_status_of_fork() == 7, "a child exits, and its status arrives");
	check(signal_of_read((uint64_t)end) == 0, "a child that reads its own data lives");
	check(signal_of_read(0) == SIGSEGV, "a child that reads address 0 is ended");
	check(signal_of_read(HHDM_BASE) == SIGSEGV, "a child that reads the direct map is ended");
	check(signal_of_read(HEAP_BASE) == SIGSEGV, "a child that reads the kernel's heap is ended");
	check(signal_of_read(IMAGE_BASE) == SIGSEGV, "a child that reads the kernel's image is ended");
}

static void measure(const char *what, uint64_t (*run)(unsigned count), unsigned count)
{
	uint64_t least = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t spent = run(count);

		least = spent < least ? spent : least;
	}
	printf("  %-30s %10lu\n", what, (unsigned long)(least / count));
	fflush(stdout);
}

_Noreturn void failed(const char *what, long saw)
{
	printf("demo: %s: saw %ld\n", what, saw);
	fflush(stdout);
	_exit(1);
}

int main(int argc, char **argv)
{
	static struct utsname name;
	static struct sysinfo info;

	(void)argc;
	uname(&name);
	sysinfo(&info);
	printf("%s %s on %s: process %d, %lu of %lu MiB free\n", name.sysname, name.release, name.machine, getpid(),
	       info.freeram * info.mem_unit >> 20, info.totalram * info.mem_unit >> 20);
	show_map(argv);
	try_things();
	printf("\nTicks of the time-stamp counter for one:\n");
	measure("system call (getppid)", bench_getppid, 1000);
	measure("clock_gettime", bench_clock, 1000);
	measure("fault on a new page", bench_fault, PAGES);
	measure("mmap and munmap of a page", bench_map_page, 100);
	measure("yield to another process", bench_yield, 200);
	measure("fork, exit and wait", bench_fork, 20);
	printf("\nThis program ends now, with status %d: the number of things that were not as they should be.\n",
	       wrong);
	return wrong;
}

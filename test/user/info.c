/*
 * Tests uname, sysinfo, the IDs, limits, getrandom, prctl, arch_prctl, reboot's errors, the auxiliary vector, and the
 * registers that a system call must keep.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL        ((void *)(-1UL << 31))
#define NON_CANONICAL (1UL << 47)
#define SET_GS        0x1001
#define SET_FS        0x1002
#define GET_FS        0x1003
#define GET_GS        0x1004

static int program_argc;
static char **program_argv;

static void test_identity(void)
{
	struct utsname name;

	is(sys(SYS_getuid), 0, "getuid");
	is(sys(SYS_geteuid), 0, "geteuid");
	is(sys(SYS_getgid), 0, "getgid");
	is(sys(SYS_getegid), 0, "getegid");
	is_true(sys(SYS_getpid) > 1, sys(SYS_getpid), "getpid");
	is(sys(SYS_getppid), 1, "getppid");
	memset(&name, 0, sizeof(name));
	is(sys(SYS_uname, &name), 0, "uname");
	is_text(name.machine, "x86_64", "the machine");
	is_true(name.sysname[0] && name.release[0], name.release[0], "a system and a release");
	is_between(name.release[0], '1', '9', "the release starts with a number, which libraries read");
	is(sys(SYS_uname, KERNEL), -EFAULT, "uname to a kernel address");
	is(sys(SYS_uname, NULL), -EFAULT, "uname to NULL");
}

static void test_system(void)
{
	struct sysinfo info;

	memset(&info, 0xff, sizeof(info));
	is(sys(SYS_sysinfo, &info), 0, "sysinfo");
	is_true(info.totalram * info.mem_unit > 16 << 20, (long)info.totalram, "tells memory");
	is_true(info.freeram > 0 && info.freeram < info.totalram, (long)info.freeram, "some of it free");
	is_between(info.uptime, 0, 1 << 20, "since when it runs");
	is_true(info.procs >= 1, info.procs, "and how many tasks there are");
	is(sys(SYS_sysinfo, KERNEL), -EFAULT, "sysinfo to a kernel address");
}

static void test_limits(void)
{
	struct rlimit limit = { 0, 0 }, lower;

	is(sys(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit), 0, "prlimit64 of the stack");
	is((long)limit.rlim_cur, 8 << 20, "8 MiB");
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit), 0, "prlimit64 of the files");
	is_true(limit.rlim_cur >= 64 && limit.rlim_cur <= limit.rlim_max, (long)limit.rlim_cur, "64 or more");
	lower = (struct rlimit){ 32, limit.rlim_max };
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &lower, NULL), 0, "prlimit64 sets a limit");
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &lower), 0, "and tells it");
	is((long)lower.rlim_cur, 32, "32");
	is(sys(SYS_dup2, 1, 32), -EBADF, "dup2 beyond it");
	is(sys(SYS_dup2, 1, 31), 31, "dup2 just below it");
	sys(SYS_close, 31);
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL), 0, "prlimit64 sets it back");
	lower = (struct rlimit){ 5, 4 };
	is(sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &lower, NULL), -EINVAL, "prlimit64 of more than the most");
	is(sys(SYS_prlimit64, 0, 77, NULL, &limit), -EINVAL, "prlimit64 of what");
	is(sys(SYS_prlimit64, 0, RLIMIT_STACK, NULL, KERNEL), -EFAULT, "prlimit64 to a kernel address");
	is(sys(SYS_prlimit64, 0, RLIMIT_STACK, KERNEL, NULL), -EFAULT, "prlimit64 from a kernel address");
	is(sys(SYS_prlimit64, 1 << 30, RLIMIT_STACK, NULL, &limit), -ESRCH, "prlimit64 of a process that is none");
}

static void test_random(void)
{
	unsigned char bytes[256], again[256], set = 0;

	memset(bytes, 0, sizeof(bytes));
	is(sys(SYS_getrandom, bytes, sizeof(bytes), 0), sizeof(bytes), "getrandom");
	is(sys(SYS_getrandom, again, sizeof(again), 0), sizeof(again), "getrandom again");
	is_true(memcmp(bytes, again, sizeof(bytes)) != 0, 0, "gives something else");
	for (size_t i = 0; i < sizeof(bytes); i++)
		set |= bytes[i];
	is(set, 0xff, "with every bit somewhere");
	is(sys(SYS_getrandom, bytes, 0, 0), 0, "getrandom of nothing");
	is(sys(SYS_getrandom, bytes, 8, 0x100), -EINVAL, "getrandom with unknown flags");
	is(sys(SYS_getrandom, KERNEL, 8, 0), -EFAULT, "getrandom to a kernel address");
}

static void test_prctl(void)
{
	char name[16] = "", long_name[] = "a-name-of-more-than-15-bytes";

	is(sys(SYS_prctl, PR_SET_NAME, "tester"), 0, "prctl(PR_SET_NAME)");
	is(sys(SYS_prctl, PR_GET_NAME, name), 0, "prctl(PR_GET_NAME)");
	is_text(name, "tester", "tells the name");
	sys(SYS_prctl, PR_SET_NAME, long_name);
	sys(SYS_prctl, PR_GET_NAME, name);
	is_text(name, "a-name-of-more-", "a long one is cut");
	sys(SYS_prctl, PR_SET_NAME, "x");
	sys(SYS_prctl, PR_GET_NAME, name);
	is(memcmp(name, "x\0\0\0\0\0\0\0\0\0\0\0\0\0\0", sizeof(name)), 0, "zeros follow a short one");
	is(sys(SYS_prctl, 0x7777), -EINVAL, "prctl that does not exist");
	is(sys(SYS_prctl, PR_SET_NAME, KERNEL), -EFAULT, "prctl from a kernel address");
}

static void test_bases(void)
{
	static long cell = 0x7766;
	unsigned long base = 1, fs = 0;
	long value;

	is(sys(SYS_arch_prctl, GET_FS, &fs), 0, "arch_prctl(ARCH_GET_FS)");
	is_true(fs != 0, (long)fs, "the library has set it");
	is(sys(SYS_arch_prctl, SET_GS, &cell), 0, "arch_prctl(ARCH_SET_GS)");
	is(sys(SYS_arch_prctl, GET_GS, &base), 0, "arch_prctl(ARCH_GET_GS)");
	is((long)base, (long)&cell, "tells what was set");
	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	is(value, 0x7766, "and GS shows it");
	sys(SYS_sched_yield);
	sys(SYS_getppid);
	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	is(value, 0x7766, "after another call too");
	is(sys(SYS_arch_prctl, SET_GS, NON_CANONICAL), -EPERM, "arch_prctl with a non-canonical base");
	is(sys(SYS_arch_prctl, SET_GS, KERNEL), -EPERM, "arch_prctl with a base in kernel memory");
	is(sys(SYS_arch_prctl, GET_GS, KERNEL), -EFAULT, "arch_prctl to a kernel address");
	is(sys(SYS_arch_prctl, 0x7777, 0), -EINVAL, "arch_prctl that does not exist");
	sys(SYS_arch_prctl, SET_GS, 0);
	if (getauxval(AT_HWCAP2) & 2) {
		__asm__ volatile("rdfsbase %0" : "=r"(base));
		is((long)base, (long)fs, "FSGSBASE, which AT_HWCAP2 promises, reads FS's base");
	}
}

/*
 * Return an entry of the auxiliary vector as the kernel wrote it, behind the environment: glibc's getauxval(AT_HWCAP)
 * returns something else.
 */
static unsigned long auxiliary(unsigned long type)
{
	extern char **environ;
	char **end = environ;
	const Elf64_auxv_t *entry;

	while (*end)
		end++;
	for (entry = (const Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++) {
		if (entry->a_type == type)
			return entry->a_un.a_val;
	}
	return 0;
}

static void test_auxiliary(void)
{
	const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
	const unsigned char *seed = (const unsigned char *)getauxval(AT_RANDOM);
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	unsigned loads = 0;

	is((long)getauxval(AT_PAGESZ), PAGE, "AT_PAGESZ");
	is((long)getauxval(AT_PHENT), sizeof(Elf64_Phdr), "AT_PHENT");
	is_true(headers != NULL, 0, "AT_PHDR");
	for (unsigned long i = 0; headers && i < getauxval(AT_PHNUM); i++)
		loads += headers[i].p_type == PT_LOAD;
	is_between(loads, 1, 16, "shows the program's segments");
	is_true(getauxval(AT_ENTRY) != 0, 0, "AT_ENTRY");
	is((long)getauxval(AT_SECURE), 0, "AT_SECURE");
	is((long)getauxval(AT_UID) + (long)getauxval(AT_EGID), 0, "AT_UID and AT_EGID");
	is_true(seed != NULL, 0, "AT_RANDOM");
	is_true(seed && (seed[0] | seed[5] | seed[10] | seed[15]), 0, "is not zero");
	is_text((const char *)getauxval(AT_EXECFN), program_argv[0], "AT_EXECFN");
	is_text(platform ? platform : "x86_64", "x86_64", "AT_PLATFORM, if there");
	is_true(auxiliary(AT_HWCAP) & (1 << 25), (long)auxiliary(AT_HWCAP), "AT_HWCAP has SSE");
	is(program_argc, 1, "argc");
	is_text(getenv("RUNNER") ? getenv("RUNNER") : "", "1", "the environment");
	is((long)__builtin_frame_address(0) % 16, 0, "the stack is aligned as the ABI wants");
}

/*
 * Make a system call with a number in each register that the call must keep. The registers are summed up afterwards,
 * before any other code runs.
 */
static void test_abi(void)
{
	long rbx = 11, rdx = 22, rsi = 33, rdi = 44, result = SYS_getppid, flags, low, high;
	register long r8 __asm__("r8") = 55;
	register long r10 __asm__("r10") = 66;
	register long r9 __asm__("r9") = 77;
	register long r12 __asm__("r12") = 88;
	register long r15 __asm__("r15") = 99;

	__asm__ volatile("stc; std; syscall; pushf; pop %%rcx; cld"
			 : "+a"(result), "+b"(rbx), "+d"(rdx), "+S"(rsi), "+D"(rdi), "+r"(r10), "+r"(r9), "+r"(r12),
			   "+r"(r15), "+r"(r8), "=c"(flags)
			 :
			 : "r11", "memory", "cc");
	high = r8 + r9 + r10 + r12 + r15;
	low = rbx + rdx + rsi + rdi;
	is(low, 11 + 22 + 33 + 44, "a call keeps RBX, RDX, RSI, RDI");
	is(high, 55 + 66 + 77 + 88 + 99, "and R8 to R10, R12, R15");
	is(flags & 0x401, 0x401, "and the flags, the direction flag too");
	is(flags & 0x200, 0x200, "interrupts stay on");
	is(sys(1000), -ENOSYS, "call 1000");
	is(sys(0x7fffffff), -ENOSYS, "call 2^31 - 1");
	is(sys(-1L), -ENOSYS, "call -1");
	is(sys(0x40000000 | SYS_getppid), -ENOSYS, "a call of the x32 ABI");
	is(sys(SYS_getppid), 1, "and then getppid");
}

static void test_reboot_errors(void)
{
	is(sys(SYS_reboot, 1, 2, 0x4321fedc, 0), -EINVAL, "reboot without its magic numbers");
	is(sys(SYS_reboot, 0xfee1dead, 0x28121969, 0x777, 0), -EINVAL, "reboot that does not exist");
}

/* ---- limits are a process's own, whatever it shares ---- */

static int lower_files(void *unused)
{
	struct rlimit limit = { 3, 4096 };

	(void)unused;
	return sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL) == 0 && sys(SYS_dup, 1) == -EMFILE ? 7 : 1;
}

static void test_limits_of_sharers(void)
{
	static char stack[16384];
	struct rlimit before, after;
	long child, got;
	int status = 0;

	sys(SYS_prlimit64, 0, RLIMIT_AS, NULL, &before);
	child = vfork();
	if (child == 0) {
		struct rlimit small = { 1 << 20, before.rlim_max };

		if (sys(SYS_prlimit64, 0, RLIMIT_AS, &small, NULL) != 0)
			_exit(1);
		got = sys(SYS_mmap, 0, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		_exit(got == -ENOMEM ? 7 : 2);
	}
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, EXITED(7), "a limit on memory that vfork's child sets holds for the child");
	sys(SYS_prlimit64, 0, RLIMIT_AS, NULL, &after);
	is_true(after.rlim_cur == before.rlim_cur, (long)after.rlim_cur, "and is not its parent's");
	got = sys(SYS_mmap, 0, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_true(got > 0, got, "who maps what it likes");
	sys(SYS_munmap, got, 8 << 20);

	child = clone(lower_files, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL);
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, EXITED(7), "a limit on files that a child with the same files sets holds for the child");
	got = sys(SYS_dup, 1);
	is_true(got > 2, got, "and not for its parent");
	close((int)got);
}

static int seconds_of_cpu(void *unused)
{
	struct rlimit limit = { 0, 0 };

	(void)unused;
	sys(SYS_prlimit64, 0, RLIMIT_CPU, NULL, &limit);
	return (int)limit.rlim_cur;
}

static int fork_with_limit(void *unused)
{
	struct rlimit limit = { 77, 100 };

	sys(SYS_prlimit64, 0, RLIMIT_CPU, &limit, NULL);
	return in_child(seconds_of_cpu, unused) >> 8;
}

#ifdef __GLIBC__

static volatile int told;

static void tell(int signal)
{
	struct rlimit limit;

	if (signal == SIGXCPU && sys(SYS_prlimit64, 0, RLIMIT_CPU, NULL, &limit) == 0 && limit.rlim_cur == 2)
		told++;
}

static int use_time(void *at)
{
	struct rlimit limit = { 1, 2 };

	signal(SIGXCPU, tell);
	sys(SYS_prlimit64, 0, RLIMIT_CPU, &limit, NULL);
	while (told < 10)
		*(volatile int *)at = told;
	return 0;
}

/* Check RLIMIT_CPU. Some builds of the program leave this out, since it takes two seconds. */
static void test_cpu_time(void)
{
	int *seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	is(in_child(use_time, seen), KILLED(SIGKILL), "CPU time over the hard limit is the end");
	is(*seen, 1, "and over the soft one a signal, the next a second later");
	munmap(seen, PAGE);
}

#else

static void test_cpu_time(void)
{
}

#endif

int main(int argc, char **argv)
{
	program_argc = argc;
	program_argv = argv;
	test_identity();
	test_system();
	test_limits();
	test_limits_of_sharers();
	is(in_child(fork_with_limit, NULL), EXITED(77), "a child has the limit on CPU time of its parent");
	test_cpu_time();
	test_random();
	test_prctl();
	test_bases();
	test_auxiliary();
	test_abi();
	test_reboot_errors();
	return finish();
}

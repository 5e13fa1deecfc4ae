/*
 * Tests core files: which processes get one, how it is named, and what is in it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DUMPED(signal) ((signal) | 0x80)

#define SPARSE (256UL << 20) /* bytes of a mapping of which only one page is touched */

static char *volatile marked, *volatile sparse;
static char old_pattern[130];

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	is(write(fd, text, strlen(text)), (long)strlen(text), path);
	close(fd);
}

static void limit_core(rlim_t size)
{
	struct rlimit limit = { size, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &limit);
}

static int abort_body(void *argument)
{
	(void)argument;
	limit_core(RLIM_INFINITY);
	memcpy(marked, "marked", 7);
	memcpy(sparse + SPARSE / 2, "far", 4);
	raise(SIGABRT);
	return 1;
}

static int fault_body(void *argument)
{
	(void)argument;
	limit_core(RLIM_INFINITY);
	signal(SIGSEGV, SIG_IGN);
	__asm__ volatile("movb $1, 16");
	return 1;
}

static int no_limit_body(void *argument)
{
	limit_core((rlim_t)(long)argument);
	raise(SIGQUIT);
	return 1;
}

static int hidden_body(void *argument)
{
	(void)argument;
	limit_core(RLIM_INFINITY);
	prctl(PR_SET_DUMPABLE, 0);
	raise(SIGQUIT);
	return 1;
}

static int term_body(void *argument)
{
	(void)argument;
	limit_core(RLIM_INFINITY);
	raise(SIGTERM);
	return 1;
}

static void *wait_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

static int threads_body(void *argument)
{
	pthread_t thread;

	(void)argument;
	limit_core(RLIM_INFINITY);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	usleep(10000);
	abort();
}

#define LARGE (4UL << 20)

static int large_body(void *argument)
{
	(void)argument;
	limit_core(RLIM_INFINITY);
	memset(fresh(LARGE, PROT_READ | PROT_WRITE), 1, LARGE);
	abort();
}

/* ---- the file ---- */

static char *image;
static size_t image_size;

static bool load(const char *path)
{
	struct stat stat;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &stat) != 0)
		return false;
	image_size = (size_t)stat.st_size;
	image = mmap(NULL, image_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	unlink(path);
	return image != MAP_FAILED;
}

static const Elf64_Phdr *segment(int index)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;

	return index < header->e_phnum ? (const Elf64_Phdr *)(image + header->e_phoff) + index : NULL;
}

/* Count the notes of a type; *ret becomes the content of the first. */
static int notes_of(unsigned type, const void **ret)
{
	const char *at = image + segment(0)->p_offset, *end = at + segment(0)->p_filesz;
	int found = 0;

	while (at < end) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
		const char *content = at + sizeof(*note) + ((note->n_namesz + 3) & ~3U);

		if (note->n_type == type && !found++ && ret)
			*ret = content;
		at = content + ((note->n_descsz + 3) & ~3U);
	}
	return found;
}

static const char *memory_at(const void *address)
{
	const Elf64_Phdr *at;

	for (int i = 1; (at = segment(i)) != NULL; i++)
		if ((size_t)address >= at->p_vaddr && (size_t)address - at->p_vaddr < at->p_filesz)
			return image + at->p_offset + ((size_t)address - at->p_vaddr);
	return NULL;
}

static void test_content(void)
{
	const struct elf_prstatus *status = NULL;
	const struct elf_prpsinfo *process = NULL;
	const siginfo_t *info = NULL;
	const unsigned long *files = NULL;
	const char *memory;

	is(in_child(abort_body, NULL), DUMPED(SIGABRT), "a signal that leaves a core file");
	if (!is(load("core.test"), 1, "which is there"))
		return;
	is(memcmp(image, ELFMAG, SELFMAG), 0, "it is an ELF file");
	is(((const Elf64_Ehdr *)image)->e_type, ET_CORE, "of a core");
	is(segment(0)->p_type, PT_NOTE, "with notes");
	is(notes_of(NT_PRSTATUS, (const void **)&status), 1, "of one thread");
	is(status->pr_cursig, SIGABRT, "its signal");
	is((long)status->pr_ppid, getpid(), "its parent");
	is(notes_of(NT_PRPSINFO, (const void **)&process), 1, "of the process");
	is_text(process->pr_fname, "cores", "its name");
	is(notes_of(0x53494749, (const void **)&info), 1, "a siginfo");
	is(info->si_signo, SIGABRT, "with the signal");
	is(info->si_pid, status->pr_pid, "and its sender");
	is(notes_of(NT_AUXV, NULL), 1, "an auxiliary vector");
	is(notes_of(NT_FPREGSET, NULL), 1, "FPU registers");
	is(notes_of(0x46494c45, (const void **)&files), 1, "mapped files");
	is_true(files[0] > 0 && files[1] == PAGE, (long)files[0], "of which there are some");
	memory = memory_at(marked);
	is(memory && memcmp(memory, "marked", 7) == 0, 1, "and its memory");
	memory = memory_at(marked + 8 * PAGE);
	is(memory && !*memory, 1, "pages that were never touched are zeros");
	memory = memory_at(sparse + SPARSE / 2);
	is(memory && memcmp(memory, "far", 4) == 0, 1, "a page in the middle of a large mapping");
	memory = memory_at(sparse + SPARSE / 2 + PAGE);
	is(memory && !*memory, 1, "and zeros behind it");
	munmap(image, image_size);
	is(in_child(threads_body, NULL), DUMPED(SIGABRT), "one with threads");
	is(load("core.test"), 1, "leaves one, too");
	is(notes_of(NT_PRSTATUS, NULL), 4, "with all of its threads");
	is(notes_of(NT_FPREGSET, NULL), 4, "and their FPU registers");
	munmap(image, image_size);
}

static void test_who(void)
{
	is(in_child(fault_body, NULL), DUMPED(SIGSEGV), "a fault whose signal is ignored");
	is(load("core.test"), 1, "leaves a core file");
	is(in_child(no_limit_body, (void *)0), KILLED(SIGQUIT), "with a limit of 0");
	is(in_child(no_limit_body, (void *)4095), KILLED(SIGQUIT), "or of less than a page");
	is(load("core.test"), 0, "there is none");
	is(in_child(no_limit_body, (void *)8192), DUMPED(SIGQUIT), "with a small limit");
	is(load("core.test"), 1, "there is a part");
	is_true(image_size <= 8192, (long)image_size, "of that size");
	is(in_child(hidden_body, NULL), KILLED(SIGQUIT), "one that is not dumpable");
	is(in_child(term_body, NULL), KILLED(SIGTERM), "a signal that leaves none");
	is(load("core.test"), 0, "there is none");
	mkdir("core.test", 0700);
	is(in_child(abort_body, NULL), KILLED(SIGABRT), "when a directory has its name there is none");
	rmdir("core.test");
}

static volatile sig_atomic_t told_code, told_status;

static void told(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	told_code = info->si_code;
	told_status = info->si_status;
}

/* Make a child that makes a child of its own, and return the pid of the latter, which waits for signals. */
static pid_t grandchild(pid_t *ret_child)
{
	int fds[2];
	pid_t pid = -1;

	if (pipe(fds) != 0)
		bail("pipe", errno);
	*ret_child = fork();
	if (*ret_child == 0) {
		pid = fork();
		if (pid == 0) {
			limit_core(RLIM_INFINITY);
			pid = getpid();
			(void)!write(fds[1], &pid, sizeof(pid));
			wait_for_ever(NULL);
		}
		waitpid(pid, NULL, 0);
		wait_for_ever(NULL);
	}
	is(read(fds[0], &pid, sizeof(pid)), sizeof(pid), "a child's child");
	close(fds[0]);
	close(fds[1]);
	return pid;
}

/* Check what SIGCHLD tells a parent, and a tracer that is not the parent. */
static void test_news(void)
{
	struct sigaction action = { .sa_sigaction = told, .sa_flags = SA_SIGINFO | SA_RESTART }, old;
	pid_t child, pid;
	int status = -1;

	sigaction(SIGCHLD, &action, &old);
	is(in_child(abort_body, NULL), DUMPED(SIGABRT), "one that leaves a core file");
	is(told_code, CLD_DUMPED, "SIGCHLD's code says so");
	is(told_status, SIGABRT, "and its status is the signal");
	is(in_child(term_body, NULL), KILLED(SIGTERM), "one that leaves none");
	is(told_code, CLD_KILLED, "SIGCHLD's code");
	is(told_status, SIGTERM, "and its status");
	pid = grandchild(&child);
	is(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0, "a tracee");
	is(kill(pid, SIGABRT), 0, "gets a signal");
	is(waitpid(pid, &status, 0), pid, "and stops");
	is(ptrace(PTRACE_CONT, pid, NULL, (void *)SIGABRT), 0, "passed on");
	is(waitpid(pid, &status, 0), pid, "the signal ends it");
	is(status, DUMPED(SIGABRT), "with a core file");
	is(told_code, CLD_DUMPED, "SIGCHLD's code says so");
	is(told_status, SIGABRT, "and its status is the signal");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	sigaction(SIGCHLD, &old, NULL);
	unlink("core.test");
}

/* Send SIGKILL in the middle of a dump. */
static void test_kill(void)
{
	struct stat file = { 0 };
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(large_body(NULL));
	while (stat("core.test", &file) != 0 || !file.st_size)
		usleep(1000);
	is(kill(child, SIGKILL), 0, "SIGKILL for a process that dumps its core");
	is(waitpid(child, &status, 0), child, "ends the dump");
	is(status & 0x7f, SIGABRT, "but is not what has ended the process");
	unlink("core.test");
}

/* ---- what is left out ---- */

#define SIGN_SIZE 64

/* Write bytes into the first page of `marked` that are nowhere else, after they were computed. */
static void sign(char *to)
{
	for (int i = 0; i < SIGN_SIZE; i++)
		to[i] = (char)(i * 37 + 11);
}

struct left_out {
	int advice;         /* for the page with the sign; -1: none */
	const char *filter; /* for coredump_filter; NULL: as it is */
};

static int left_out_body(void *argument)
{
	const struct left_out *how = argument;
	int fd;

	limit_core(RLIM_INFINITY);
	munmap(sparse, SPARSE);
	if (how->filter) {
		fd = open("/proc/self/coredump_filter", O_WRONLY);
		if (write(fd, how->filter, strlen(how->filter)) < 0)
			return 2;
		close(fd);
	}
	if (how->advice >= 0 && madvise(marked, PAGE, how->advice))
		return 3;
	sign(marked);
	raise(SIGABRT);
	return 1;
}

/* Return whether a core file of a process that was told to leave memory out has the sign; -1: there is no file. */
static int has_sign(int advice, const char *filter)
{
	struct left_out how = { advice, filter };
	char wanted[SIGN_SIZE];
	bool found = false;

	if (in_child(left_out_body, &how) != DUMPED(SIGABRT) || !load("core.test"))
		return -1;
	sign(wanted);
	for (size_t at = 0; at + SIGN_SIZE <= image_size && !found; at += 16)
		found = memcmp(image + at, wanted, SIGN_SIZE) == 0;
	munmap(image, image_size);
	return found;
}

static void test_left_out(void)
{
	char text[16] = { 0 };
	int fd = open("/proc/self/coredump_filter", O_RDWR);

	is(read(fd, text, sizeof(text)), 9, "coredump_filter");
	is_text(text, "00000033\n", "begins as Linux's");
	is(write(fd, "0x", 2) < 0 ? -errno : 0, -EINVAL, "takes numbers");
	is(write(fd, "9x", 2) < 0 ? -errno : 0, -EINVAL, "only");
	close(fd);
	is(has_sign(-1, NULL), 1, "private memory is in a core file");
	is(has_sign(MADV_DONTDUMP, NULL), 0, "but not with MADV_DONTDUMP");
	is(has_sign(MADV_DODUMP, NULL), 1, "MADV_DODUMP changes nothing");
	is(has_sign(-1, "0x32\n"), 0, "nor is it with a filter that leaves it out");
	is(has_sign(-1, "51"), 1, "51 is 0x33");
}

int main(void)
{
	int fd;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/tmp", 0777);
	is(chdir("/tmp"), 0, "a directory");
	fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	is_true(read(fd, old_pattern, sizeof(old_pattern) - 1) > 0, fd, "a pattern");
	close(fd);
	write_file("/proc/sys/kernel/core_pattern", "%e%%%s-test\n");
	marked = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sparse = mmap(NULL, SPARSE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	is(in_child(abort_body, NULL), DUMPED(SIGABRT), "a core file");
	is(access("cores%6-test", F_OK), 0, "has the name that the pattern makes");
	unlink("cores%6-test");
	write_file("/proc/sys/kernel/core_pattern", "core.test");
	test_content();
	test_who();
	test_news();
	test_kill();
	test_left_out();
	write_file("/proc/sys/kernel/core_pattern", old_pattern);
	umount("/proc");
	return finish();
}

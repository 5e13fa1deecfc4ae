/*
 * Memory ends in the middle of calls: each case makes a call whose pointer leads to a page that nobody has touched, while
 * no frame is free, and a second thread does something to what the call works with as soon as it can run. The kernel ends
 * one of the large children for its memory. The call must come out as if it had been made before that or after it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PREY_PAGES 512 /* more than this program has: the kernel ends one of these */
#define PREYS      4
#define ROUNDS     6 /* of a case, until the second thread came in between */

/* ---- memory ---- */

static int eater;         /* a file that takes all frames */
static int adjust;        /* /proc/self/oom_score_adj */
static pid_t prey[PREYS]; /* 0: none */
static char block[65536]; /* of the eater, touched before memory ends */
static char buffer[8192]; /* the second thread's, touched too */

static void prey_run(void)
{
	volatile char *memory = fresh(PREY_PAGES * PAGE, PROT_READ | PROT_WRITE);

	for (size_t i = 0; i < PREY_PAGES; i++)
		memory[i * PAGE] = 1;
	for (;;)
		pause();
}

/* As many large children as there are to be; those that were ended are replaced. */
static void keep_prey(void)
{
	int status;
	pid_t ended;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < PREYS; i++)
			if (prey[i] == ended)
				prey[i] = 0;
	for (int i = 0; i < PREYS; i++) {
		if (prey[i])
			continue;
		prey[i] = fork();
		if (prey[i] == 0)
			prey_run();
		if (prey[i] < 0)
			bail("no child", prey[i]);
	}
	usleep(50000);
}

/* Make this process one that the killer chooses first (1000), or any other (0). */
static void set_adjust(const char *text)
{
	if (pwrite(adjust, text, strlen(text), 0) != (ssize_t)strlen(text))
		bail("oom_score_adj cannot be set", errno);
}

/* Take every frame. As the one whom the killer would choose, this process is refused and nobody ends. */
static void fill(void)
{
	set_adjust("1000");
	while (write(eater, block, sizeof(block)) == (ssize_t)sizeof(block))
		;
	while (write(eater, block, PAGE) == (ssize_t)PAGE)
		;
	set_adjust("0");
}

static void empty(void)
{
	if (ftruncate(eater, 0) != 0 || lseek(eater, 0, SEEK_SET) != 0)
		bail("the file cannot be emptied", -1);
}

/* A page that nobody has touched, between pages that nobody may touch: no large page has room there. */
static char *untouched(void)
{
	char *three = fresh(3 * PAGE, PROT_NONE);

	if (mprotect(three + PAGE, PAGE, PROT_READ | PROT_WRITE) != 0)
		bail("mprotect", -1);
	return three + PAGE;
}

/* ---- the second thread ---- */

static void (*act)(void);
static volatile bool armed, acted, over;

static void *second(void *unused)
{
	(void)unused;
	while (!over) {
		if (__atomic_exchange_n(&armed, false, __ATOMIC_SEQ_CST)) {
			act();
			acted = true;
			usleep(20000);
		}
		sched_yield();
	}
	return NULL;
}

/* ---- the cases: `prepare` makes things, `call` is made without memory, `check` says what is wrong, NULL when nothing is */

static char *page;
static int ends[2], file;
static long result, others; /* of the call, of the second thread's */
static pid_t child;

static const char *told(bool good, const char *what)
{
	return good ? NULL : what;
}

static void prepare_pipe(void)
{
	if (pipe2(ends, O_NONBLOCK) != 0)
		bail("pipe2", -1);
}

static void close_pipe(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* 250 bytes, each of another value; two readers. */
static void prepare_pipe_read(void)
{
	char bytes[250];

	prepare_pipe();
	for (int i = 0; i < 250; i++)
		bytes[i] = (char)(i + 1);
	if (write(ends[1], bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		bail("write", -1);
}

static void call_pipe_read(void)
{
	result = sys(SYS_read, ends[0], page, 200);
}

static void act_pipe_read(void)
{
	others = sys(SYS_read, ends[0], buffer, 230);
}

static const char *check_pipe_read(void)
{
	char rest[512];
	bool seen[256] = { false };
	int left = -1;
	long more;

	ioctl(ends[0], FIONREAD, &left);
	more = sys(SYS_read, ends[0], rest, sizeof(rest));
	close_pipe();
	if (more == -EAGAIN)
		more = 0;
	if (left != more || more < 0)
		return "FIONREAD is not what is there";
	for (long i = 0; i < (result > 0 ? result : 0); i++)
		seen[(unsigned char)page[i]] = !seen[(unsigned char)page[i]];
	for (long i = 0; i < (others > 0 ? others : 0); i++)
		seen[(unsigned char)buffer[i]] = !seen[(unsigned char)buffer[i]];
	for (long i = 0; i < more; i++)
		seen[(unsigned char)rest[i]] = !seen[(unsigned char)rest[i]];
	for (int i = 1; i <= 250; i++)
		if (!seen[i])
			return "a byte came twice, or never";
	return told((result > 0 ? result : 0) + (others > 0 ? others : 0) + more == 250, "bytes were made up");
}

/* Zeros of a page that is not there, while another writes a frame full but for one byte. */
static void call_pipe_write(void)
{
	result = sys(SYS_write, ends[1], page, 200);
}

static void act_pipe_write(void)
{
	memset(buffer, 'W', PAGE - 1);
	others = sys(SYS_write, ends[1], buffer, PAGE - 1);
}

static const char *check_pipe_write(void)
{
	char *all = malloc(2 * PAGE);
	long got = sys(SYS_read, ends[0], all, 2 * PAGE), zeros = 0, first = -1;
	long wrote = (result > 0 ? result : 0) + (others > 0 ? others : 0);
	bool good = got == wrote || (got == -EAGAIN && wrote == 0);

	for (long i = 0; i < got; i++) {
		if (all[i] == 0 && first < 0)
			first = i;
		zeros += all[i] == 0;
		good = good && (all[i] == 0 || all[i] == 'W');
	}
	for (long i = first; good && first >= 0 && i < first + zeros; i++)
		good = all[i] == 0;
	free(all);
	close_pipe();
	return told(good && zeros == (result > 0 ? result : 0), "the pipe gives other bytes than were written");
}

static void prepare_event(void)
{
	file = (int)sys(SYS_eventfd2, 7, O_NONBLOCK);
}

static void call_read_8(void)
{
	result = sys(SYS_read, file, page, 8);
}

static void act_read_8(void)
{
	others = sys(SYS_read, file, buffer, 8);
}

static const char *check_event(void)
{
	long again = sys(SYS_read, file, buffer + 64, 8);

	close(file);
	if (again != -EAGAIN)
		return "the counter is not empty";
	return told((result == 8) + (others == 8) == 1, "not exactly one has read the value");
}

static void prepare_timer(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };

	file = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	timerfd_settime(file, 0, &soon, NULL);
	usleep(1000);
}

static const char *check_timer(void)
{
	close(file);
	return told((result == 8) + (others == 8) == 1, "not exactly one has read the expiration");
}

static void prepare_directory(void)
{
	char name[32];

	mkdir("/tmp/many", 0777);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "/tmp/many/%d", i);
		close(open(name, O_CREAT, 0666));
	}
	file = open("/tmp/many", O_RDONLY | O_DIRECTORY);
}

static void call_directory(void)
{
	result = sys(SYS_getdents64, file, page, PAGE);
}

static void act_close(void)
{
	close(file);
}

/* It was made before the file was closed, or after. */
static const char *check_closed(void)
{
	close(file);
	return told(result >= 0 || result == -EBADF, "neither a result nor -EBADF");
}

static const char *check_directory(void)
{
	char name[32];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "/tmp/many/%d", i);
		unlink(name);
	}
	rmdir("/tmp/many");
	return check_closed();
}

static void prepare_epoll(void)
{
	prepare_event();
	ends[0] = epoll_create1(0);
}

static void call_epoll_add(void)
{
	result = sys(SYS_epoll_ctl, ends[0], EPOLL_CTL_ADD, file, page);
}

static const char *check_epoll(void)
{
	close(ends[0]);
	return check_closed();
}

static void prepare_epoll_wait(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	prepare_epoll();
	epoll_ctl(ends[0], EPOLL_CTL_ADD, file, &event);
}

static void call_epoll_wait(void)
{
	result = sys(SYS_epoll_wait, ends[0], page, 5, 0);
}

static const char *check_epoll_wait(void)
{
	close(ends[0]);
	close(file);
	return told(result == 0 || result == 1, "neither no event nor one");
}

static void prepare_file(void)
{
	file = open("/tmp/some", O_CREAT | O_RDWR | O_TRUNC, 0666);
	memset(buffer, 'f', sizeof(buffer));
	if (write(file, buffer, sizeof(buffer)) != (ssize_t)sizeof(buffer) || lseek(file, 0, SEEK_SET) != 0)
		bail("a file of two pages", -1);
	unlink("/tmp/some");
}

static void call_file_read(void)
{
	result = sys(SYS_read, file, page, PAGE);
}

static void act_nothing(void)
{
}

static const char *check_file_read(void)
{
	bool good = result == (long)PAGE;

	for (size_t i = 0; good && i < PAGE; i++)
		good = page[i] == 'f';
	close(file);
	return told(good, "a page of the file is not read");
}

static void call_file_write(void)
{
	result = sys(SYS_pwrite64, file, page, PAGE, 0);
}

static const char *check_file_write(void)
{
	bool good = result == (long)PAGE && pread(file, buffer, PAGE, 0) == (ssize_t)PAGE;

	for (size_t i = 0; good && i < PAGE; i++)
		good = buffer[i] == 0;
	close(file);
	return told(good, "a page of zeros is not written");
}

static void call_lock(void)
{
	result = sys(SYS_fcntl, file, F_SETLK, page);
}

static void call_fionbio(void)
{
	result = sys(SYS_ioctl, file, FIONBIO, page);
}

static void call_times(void)
{
	result = sys(SYS_utimensat, file, NULL, page, 0);
}

static void prepare_sendfile(void)
{
	prepare_file();
	ends[0] = open("/dev/null", O_WRONLY);
}

static void call_sendfile(void)
{
	result = sys(SYS_sendfile, ends[0], file, page, 100);
}

/* Its buffer is the kernel's, which may be refused. */
static const char *check_sendfile(void)
{
	close(ends[0]);
	if (result == -ENOMEM)
		result = 0;
	return check_closed();
}

static void prepare_text(void)
{
	file = open("/proc/self/maps", O_RDONLY);
	if (read(file, buffer, 1) != 1)
		bail("/proc/self/maps", -1);
}

static void act_text(void)
{
	others = sys(SYS_pread64, file, buffer, 100, 0);
}

static void call_text(void)
{
	result = sys(SYS_read, file, page, 64);
}

static const char *check_text(void)
{
	bool good = result == 64;

	/* From the second byte on: 7 digits of an address. */
	for (int i = 0; good && i < 7; i++)
		good = (page[i] >= '0' && page[i] <= '9') || (page[i] >= 'a' && page[i] <= 'f');
	close(file);
	return told(good, "not the text of a map");
}

static void prepare_child(void)
{
	child = fork();
	if (child == 0)
		for (;;)
			pause();
}

static void act_reap(void)
{
	kill(child, SIGKILL);
	others = sys(SYS_wait4, child, NULL, 0, NULL);
}

static void call_prlimit(void)
{
	result = sys(SYS_prlimit64, child, RLIMIT_NOFILE, page, NULL);
}

static const char *check_prlimit(void)
{
	return told((result == 0 || result == -ESRCH) && others == child, "neither set nor no such process");
}

static void prepare_zombie(void)
{
	siginfo_t info;

	child = fork();
	if (child == 0)
		_exit(5);
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
}

static void act_wait(void)
{
	others = sys(SYS_wait4, child, NULL, 0, NULL);
}

static void call_wait(void)
{
	result = sys(SYS_wait4, child, page, 0, NULL);
}

static const char *check_wait(void)
{
	if ((result == child) + (others == child) != 1)
		return "not exactly one has the child";
	return told(result != child || *(int *)page == EXITED(5), "the status is lost");
}

static void prepare_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sys(SYS_tkill, sys(SYS_gettid), SIGUSR1);
}

static void call_signal(void)
{
	static const uint64_t mask = 1ULL << (SIGUSR1 - 1);
	static const struct timespec none;

	result = sys(SYS_rt_sigtimedwait, &mask, page, &none, 8);
}

static const char *check_signal(void)
{
	return told(result == SIGUSR1 && *(int *)page == SIGUSR1, "the signal is lost");
}

static volatile int handled;

static void handler(int signal)
{
	handled = signal;
}

/* The handler's frame goes to an alternate stack that nobody has touched. */
static void prepare_handler(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = fresh(64 * PAGE, PROT_READ | PROT_WRITE), .ss_size = 64 * PAGE };

	handled = 0;
	*(volatile char *)stack.ss_sp = 1;
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR2, &action, NULL);
}

static void call_handler(void)
{
	result = sys(SYS_tkill, sys(SYS_gettid), SIGUSR2);
}

static const char *check_handler(void)
{
	return told(handled == SIGUSR2, "no handler ran");
}

/* The second name lies in a page that is not there; the working directory goes meanwhile. */
static void prepare_rename(void)
{
	mkdir("/tmp/here", 0777);
	if (chdir("/tmp/here") != 0)
		bail("chdir", -1);
}

static void act_leave(void)
{
	if (chdir("/") == 0)
		rmdir("/tmp/here");
}

static void call_rename(void)
{
	result = sys(SYS_rename, "x", page);
}

static const char *check_rename(void)
{
	act_leave();
	return told(result == -ENOENT, "renaming to nothing is no -ENOENT");
}

static void nothing(void)
{
}

static void call_stat(void)
{
	result = sys(SYS_stat, "/dev/null", page);
}

static const char *check_stat(void)
{
	return told(result == 0 && S_ISCHR(((struct stat *)page)->st_mode), "stat tells something else");
}

static void call_uname(void)
{
	result = sys(SYS_uname, page);
}

static const char *check_uname(void)
{
	return told(result == 0 && !strcmp(((struct utsname *)page)->machine, "x86_64"), "uname tells something else");
}

static void call_cwd(void)
{
	result = sys(SYS_getcwd, page, PAGE);
}

static const char *check_cwd(void)
{
	return told(result == 2 && !strcmp(page, "/"), "getcwd tells something else");
}

static void call_random(void)
{
	result = sys(SYS_getrandom, page, PAGE, 0);
}

static const char *check_random(void)
{
	return told(result == (long)PAGE, "getrandom gives less than a page");
}

/* A process that is ending already, and so the one that the kernel waits for, stops for its tracer on the way. */
static void prepare_tracee(void)
{
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT);
	ptrace(PTRACE_CONT, child, NULL, NULL);
	waitpid(child, NULL, 0);
}

static const char *check_tracee(void)
{
	ptrace(PTRACE_CONT, child, NULL, NULL);
	waitpid(child, NULL, 0);
	return told(result == 0, "uname failed");
}

static const struct test_case {
	const char *name;
	void (*prepare)(void);
	void (*call)(void);
	void (*act)(void);
	const char *(*check)(void);
} cases[] = {
	{ "a pipe is read by two", prepare_pipe_read, call_pipe_read, act_pipe_read, check_pipe_read },
	{ "a pipe is written by two", prepare_pipe, call_pipe_write, act_pipe_write, check_pipe_write },
	{ "an eventfd is read by two", prepare_event, call_read_8, act_read_8, check_event },
	{ "a timerfd is read by two", prepare_timer, call_read_8, act_read_8, check_timer },
	{ "a directory is listed and closed", prepare_directory, call_directory, act_close, check_directory },
	{ "epoll_ctl adds what is closed", prepare_epoll, call_epoll_add, act_close, check_epoll },
	{ "epoll_wait tells of what is closed", prepare_epoll_wait, call_epoll_wait, act_close, check_epoll_wait },
	{ "a file is read", prepare_file, call_file_read, act_nothing, check_file_read },
	{ "a file is written", prepare_file, call_file_write, act_nothing, check_file_write },
	{ "a file is locked and closed", prepare_file, call_lock, act_close, check_closed },
	{ "FIONBIO on what is closed", prepare_file, call_fionbio, act_close, check_closed },
	{ "utimensat on what is closed", prepare_file, call_times, act_close, check_closed },
	{ "sendfile from what is closed", prepare_sendfile, call_sendfile, act_close, check_sendfile },
	{ "a text of /proc is read by two", prepare_text, call_text, act_text, check_text },
	{ "prlimit64 of a child that is reaped", prepare_child, call_prlimit, act_reap, check_prlimit },
	{ "a child is waited for by two", prepare_zombie, call_wait, act_wait, check_wait },
	{ "a signal is waited for", prepare_signal, call_signal, act_nothing, check_signal },
	{ "a handler's frame", prepare_handler, call_handler, act_nothing, check_handler },
	{ "rename in a directory that goes", prepare_rename, call_rename, act_leave, check_rename },
	{ "stat", nothing, call_stat, act_nothing, check_stat },
	{ "uname", nothing, call_uname, act_nothing, check_uname },
	{ "uname while a tracee is stopped at its end", prepare_tracee, call_uname, act_nothing, check_tracee },
	{ "getcwd", nothing, call_cwd, act_nothing, check_cwd },
	{ "getrandom", nothing, call_random, act_nothing, check_random },
};

/* Until the second thread came in between: the kernel may find frames that it had kept, without another task's help. */
static const char *run_case(const struct test_case *test)
{
	const char *wrong = NULL;

	acted = false;
	for (int round = 0; round < ROUNDS && !wrong && !acted; round++) {
		keep_prey();
		result = others = 0;
		page = untouched();
		test->prepare();
		act = test->act;
		fill();
		armed = true;
		test->call();
		/* Not begun: it comes after the call then. Begun: it comes to its end. */
		if (__atomic_exchange_n(&armed, false, __ATOMIC_SEQ_CST))
			act();
		else
			while (!acted)
				sched_yield();
		empty();
		wrong = test->check();
	}
	return wrong;
}

/* ---- who waits for memory keeps its priority ---- */

static volatile int *shared;

static int needy(void *unused)
{
	struct sysinfo info;
	size_t hog, i;
	char *memory;

	(void)unused;
	sysinfo(&info);
	hog = info.freeram / 100 * 60 / PAGE;
	if (fork() == 0) {
		memory = fresh(hog * PAGE, PROT_READ | PROT_WRITE);
		for (i = 0; i < hog; i++)
			memory[i * PAGE] = 1;
		shared[0] = 1;
		for (;;)
			pause();
	}
	while (!shared[0])
		usleep(10000);
	memory = fresh(hog * PAGE, PROT_READ | PROT_WRITE);
	/* Beyond what is free: the kernel ends the one above, and this one goes on although somebody computes. */
	for (i = 0; i < hog - hog / 10; i++)
		memory[i * PAGE] = 1;
	return 7;
}

static void test_priority(void)
{
	pid_t computing = fork(), waiting;
	int status = -1;

	if (computing == 0)
		for (;;)
			;
	waiting = fork();
	if (waiting == 0)
		_exit(needy(NULL));
	for (int i = 0; i < 600 && waitpid(waiting, &status, WNOHANG) == 0; i++)
		usleep(100000);
	is(status, EXITED(7), "who waits for memory goes on beside one who computes");
	kill(computing, SIGKILL);
	kill(waiting, SIGKILL);
	while (waitpid(-1, &status, WNOHANG) >= 0)
		usleep(10000);
}

/* argv[1]: how many of the cases, from the first on; all without it. */
int main(int argc, char **argv)
{
	const size_t wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : COUNT(cases);
	const size_t count = wanted < COUNT(cases) ? wanted : COUNT(cases);
	pthread_t thread;
	size_t between = 0;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared[0] = 0;
	test_priority();
	eater = memfd_create("eater", 0);
	adjust = open("/proc/self/oom_score_adj", O_WRONLY);
	memset(block, 1, sizeof(block));
	memset(buffer, 1, sizeof(buffer));
	if (eater < 0 || adjust < 0 || pthread_create(&thread, NULL, second, NULL) != 0)
		bail("no file or no thread", eater);
	for (size_t i = 0; i < count; i++) {
		const char *wrong = run_case(&cases[i]);

		between += acted;
		if (!is_true(!wrong, result, cases[i].name))
			printf("# %s\n", wrong);
	}
	is_between((long)between, (long)count / 2, (long)count,
		   "in most cases others ran before the call was made again");
	over = true;
	pthread_join(thread, NULL);
	for (int i = 0; i < PREYS; i++)
		if (prey[i])
			kill(prey[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return finish();
}

/*
 * Programs that take all there is of one thing: threads, pipes, files in tmpfs, memory that is locked or populated, large
 * children. Each ends or is refused, and beside it a shell, which runs a command every 200 ms, lives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PROGRAM  "/test/bomb"
#define MIB      (1UL << 20)
#define CHILDREN 8
#define PATIENCE 600 /* tenths of a second that something may take */

/* ---- the shell ---- */

/* Shared with it: how many commands it has run, and how often it could not. */
static volatile int *commands;

static void run_command(void)
{
	char *words[] = { (char *)PROGRAM, (char *)"command", NULL };
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		execv(PROGRAM, words);
		_exit(1);
	}
	if (child > 0)
		waitpid(child, &status, 0);
	commands[status == 0 ? 0 : 1]++;
}

static pid_t start_shell(void)
{
	pid_t shell = fork();

	if (shell < 0)
		bail("no shell", errno);
	while (shell == 0) {
		run_command();
		usleep(200000);
	}
	return shell;
}

/* ---- the attacks: each returns when it is refused ---- */

static char block[65536];

/*
 * Write the block. After each MiB the attacker sleeps for 5 ms: it may be killed as soon as all memory is taken, and
 * must have lasted longer than the shell's pause between two commands by then, however fast the machine is.
 */
static bool write_block(int file)
{
	static unsigned written;

	if (++written % (MIB / sizeof(block)) == 0)
		usleep(5000);
	return write(file, block, sizeof(block)) > 0;
}

/* What it has, it keeps for a while. */
static void keep(void)
{
	usleep(600000);
}

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
	while (pthread_create(&thread, &attributes, sleep_for_ever, NULL) == 0)
		;
	keep();
}

static void pipes(void)
{
	struct rlimit limit = { 65536, 65536 };
	int ends[2];

	setrlimit(RLIMIT_NOFILE, &limit);
	while (pipe2(ends, O_NONBLOCK) == 0)
		if (!write_block(ends[1]))
			break;
	keep();
}

static void fill(int file)
{
	while (write_block(file))
		;
	keep();
}

static void named_file(void)
{
	fill(open("/tmp/bomb", O_CREAT | O_WRONLY, 0600));
	unlink("/tmp/bomb");
}

static void unnamed_file(void)
{
	fill(memfd_create("bomb", 0));
}

static void lock_memory(void)
{
	char *memory = mmap(NULL, 1024 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (mlock(memory, 1024 * MIB) == 0)
		;
	keep();
}

static void populate(void)
{
	if (mmap(NULL, 1024 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) ==
	    MAP_FAILED)
		return;
	keep();
}

static void large_children(void)
{
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			memset(fresh(64 * MIB, PROT_READ | PROT_WRITE), 1, 64 * MIB);
			keep();
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
	{ "threads", threads },
	{ "pipes", pipes },
	{ "a file in tmpfs", named_file },
	{ "a file without a name", unnamed_file },
	{ "mlock", lock_memory },
	{ "MAP_POPULATE", populate },
	{ "children of 64 MiB", large_children },
};

/* ---- the judge ---- */

/* Whether the shell runs `more` commands. */
static bool goes_on(pid_t shell, int more)
{
	int wanted = commands[0] + more;

	for (int i = 0; i < PATIENCE && commands[0] < wanted; i++) {
		if (waitpid(shell, NULL, WNOHANG) != 0)
			return false;
		usleep(100000);
	}
	return commands[0] >= wanted;
}

static int wait_for(pid_t attacker)
{
	int status = -1;

	for (int i = 0; i < PATIENCE && waitpid(attacker, &status, WNOHANG) == 0; i++)
		usleep(100000);
	return status;
}

int main(int count, char **words)
{
	char said[100];
	pid_t shell;

	(void)words;
	if (count > 1)
		return 0; /* the command that the shell runs */
	commands = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	commands[0] = commands[1] = 0;
	memset(block, 1, sizeof(block));
	shell = start_shell();
	is_true(goes_on(shell, 1), 0, "a shell runs commands");
	for (size_t i = 0; i < COUNT(attacks); i++) {
		int before = commands[0] + commands[1], status;
		pid_t attacker = fork();

		if (attacker < 0)
			bail("no attacker", errno);
		if (attacker == 0) {
			attacks[i].run();
			_exit(0);
		}
		status = wait_for(attacker);
		printf("# so far %d commands ran, %d did not\n", commands[0], commands[1]);
		snprintf(said, sizeof(said), "%s: the attacker ends or is refused", attacks[i].name);
		is_true(status == EXITED(0) || status == KILLED(SIGKILL), status, said);
		snprintf(said, sizeof(said), "%s: the shell tries commands meanwhile", attacks[i].name);
		is_true(commands[0] + commands[1] > before, before, said);
		snprintf(said, sizeof(said), "%s: the shell lives", attacks[i].name);
		is_true(goes_on(shell, 2), commands[0], said);
	}
	kill(shell, SIGKILL);
	waitpid(shell, NULL, 0);
	return finish();
}

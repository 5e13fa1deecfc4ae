/*
 * The /init that runs the test programs, each file of /test in order of name in a child of its own, and then powers the
 * machine off.
 *
 *   init [stay] [WORD...]           run only these programs; WORD is NAME or NAME:ARGUMENT[:ARGUMENT...]
 *   init [stay] without NAME...     run all programs but these, since a kernel passes at most 32 words
 *
 * `stay`: exit instead of powering off, with status 0 when all passed, and leave it to the kernel what follows.
 * Before the programs this one checks how it was started itself, as a program of the name `init`. It prints `# NAME`
 * before each program, `# NAME: exit N` or `# NAME: signal N` and `# free memory: N KiB` after it, and at the end
 * `# user tests: N passed, M failed`. It makes no system calls but those that the programs test.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DIRECTORY     "/test"
#define MOST_PROGRAMS 64
#define MOST_WORDS    16

#define REBOOT_MAGIC1    0xfee1deadL
#define REBOOT_MAGIC2    0x28121969L
#define REBOOT_POWER_OFF 0x4321fedcL

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int is_among(const char *name, char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, words[i]))
			return 1;
	return 0;
}

/*
 * Fill `names` with the files of DIRECTORY, sorted, without the `without_count` names in `without`. Returns their
 * number, 0 when the directory cannot be read.
 */
static size_t list_programs(char *names[MOST_PROGRAMS], char **without, size_t without_count)
{
	DIR *directory = opendir(DIRECTORY);
	struct dirent *entry;
	size_t count = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)) != NULL && count < MOST_PROGRAMS) {
		/* A name with a dot at its start belongs to a file that a program uses. */
		if (entry->d_name[0] != '.' && !is_among(entry->d_name, without, without_count))
			names[count++] = strdup(entry->d_name);
	}
	closedir(directory);
	qsort(names, count, sizeof(*names), by_name);
	return count;
}

/* In the child: start `word`, NAME[:ARGUMENT...]. Returns only when that fails. */
static void start(char *word)
{
	static char *environment[] = { "RUNNER=1", NULL };
	char *arguments[MOST_WORDS + 1], path[128], *rest = word;
	size_t count = 0;

	while (rest && count < MOST_WORDS)
		arguments[count++] = strsep(&rest, ":");
	arguments[count] = NULL;
	snprintf(path, sizeof(path), DIRECTORY "/%s", arguments[0]);
	arguments[0] = path;
	execve(path, arguments, environment);
	perror(path);
}

/* Check what Linux's convention promises to /init. Returns whether all is so. */
static int check_start(char **argv)
{
	struct stat console, file;
	int status;

	printf("# init\n");
	is(sys(SYS_getpid), 1, "init is process 1");
	is(sys(SYS_getppid), 0, "without a parent");
	is_text(argv[0], "/init", "it was started as /init");
	is(sys(SYS_wait4, -1, NULL, WNOHANG, 0), -ECHILD, "it has no children");
	is(sys(SYS_fstat, 0, &console), 0, "fd 0 is open");
	is(console.st_mode & S_IFMT, S_IFCHR, "and a device");
	for (int i = 1; i < 3; i++) {
		is(sys(SYS_fstat, i, &file), 0, i == 1 ? "fd 1 is open" : "fd 2 is open");
		is((long)file.st_rdev, (long)console.st_rdev, "and the same device");
	}
	is(sys(SYS_fstat, 3, &file), -EBADF, "fd 3 is not open");
	status = finish();
	printf("# init: exit %d\n", status);
	return status == 0;
}

static void show_free_memory(void)
{
	struct sysinfo info;

	if (sys(SYS_sysinfo, &info) == 0)
		printf("# free memory: %lu KiB\n", info.freeram * info.mem_unit / 1024);
}

/* Run a program in a child. Returns whether it exited with 0. */
static int run(char *word)
{
	int status = 0;
	pid_t child, ended;

	printf("# %s\n", word);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		start(word);
		_exit(127);
	}
	if (child < 0) {
		perror("fork");
		return 0;
	}
	/* Wait for any child, since orphans of the program become children of init, too. */
	do
		ended = waitpid(-1, &status, 0);
	while (ended != child && ended > 0);
	if (WIFEXITED(status))
		printf("# %s: exit %d\n", word, WEXITSTATUS(status));
	else
		printf("# %s: signal %d\n", word, WTERMSIG(status));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	show_free_memory();
	return status == 0;
}

int main(int argc, char **argv)
{
	char *names[MOST_PROGRAMS], **words = argv + 1;
	size_t count = (size_t)argc - 1, passed = 0, total;
	int stay = count > 0 && !strcmp(words[0], "stay"), without;

	if (stay) {
		words++;
		count--;
	}
	without = count > 0 && !strcmp(words[0], "without");
	if (count == 0 || without) {
		count = list_programs(names, words + without, count - (size_t)without);
		words = names;
	}
	total = count;
	if (getpid() == 1) {
		passed += (size_t)check_start(argv);
		total++;
	}
	for (size_t i = 0; i < count; i++)
		passed += (size_t)run(words[i]);
	printf("# user tests: %zu passed, %zu failed\n", passed, total - passed);
	fflush(stdout);
	if (stay || getpid() != 1)
		return passed < total;
	sys(SYS_reboot, REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF, 0);
	return 1;
}

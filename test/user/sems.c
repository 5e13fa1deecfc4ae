/*
 * Tests System V's semaphores: semget, semop, semtimedop, semctl, what the end of a process undoes, and
 * /proc/sysvipc/sem.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KEY      0x53454d31
#define STRANGER 1234
#define MOST     32767

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

static long get(long key, int count, int flags)
{
	return sys(SYS_semget, key, count, flags);
}

static long control(long id, int number, int command, void *argument)
{
	return sys(SYS_semctl, id, number, command, argument);
}

static long set(long id, int number, long value)
{
	return sys(SYS_semctl, id, number, SETVAL, value);
}

static long value(long id, int number)
{
	return control(id, number, GETVAL, NULL);
}

static long operate(long id, int number, int change, int flags)
{
	struct sembuf operation = { .sem_num = (unsigned short)number,
				    .sem_op = (short)change,
				    .sem_flg = (short)flags };

	return sys(SYS_semop, id, &operation, 1);
}

/* Wait until `count` tasks wait for a semaphore. */
static void await(long id, int number, int command, int count)
{
	while (control(id, number, command, NULL) < count)
		usleep(1000);
}

static void test_get(void)
{
	struct semid_ds state;
	long id, other;

	is(get(KEY, 3, 0600), -ENOENT, "semget: no such key");
	is(get(KEY, 0, IPC_CREAT | 0600), -EINVAL, "a set of none");
	is(get(KEY, -1, IPC_CREAT | 0600), -EINVAL, "of fewer");
	is(get(KEY, 32001, IPC_CREAT | 0600), -EINVAL, "of too many");
	id = get(KEY, 3, IPC_CREAT | IPC_EXCL | 0640);
	is_true(id >= 0, id, "a set is made");
	is(get(KEY, 3, 0600), id, "and found");
	is(get(KEY, 0, 0), id, "also if no number is asked for");
	is(get(KEY, 4, 0), -EINVAL, "but not if it is too small");
	is(get(KEY, 3, IPC_CREAT | IPC_EXCL), -EEXIST, "IPC_EXCL wants a new one");
	is(control(id, 0, IPC_STAT, &state), 0, "IPC_STAT");
	is((long)state.sem_nsems, 3, "says their number");
	is(state.sem_perm.mode, 0640, "the permissions");
	is(state.sem_otime, 0, "that nothing was done");
	is_true(state.sem_ctime > 0, state.sem_ctime, "and when it was made");
	other = get(IPC_PRIVATE, 1, 0600);
	is_true(other >= 0 && other != id, other, "IPC_PRIVATE");
	is(control(other, 0, IPC_RMID, NULL), 0, "IPC_RMID");
	is(operate(other, 0, 1, 0), -EINVAL, "then it is gone");
	is(control(id, 0, IPC_RMID, NULL), 0, "the first, too");
	is(get(KEY, 3, 0), -ENOENT, "with its key");
	is(control(-1, 0, GETVAL, NULL), -EINVAL, "a negative id");
	is(control(id, 0, 99, NULL), -EINVAL, "an unknown command");
}

static void test_values(void)
{
	long id = get(IPC_PRIVATE, 3, 0600);
	unsigned short all[3] = { 9, 9, 9 };

	is(control(id, 0, GETALL, all), 0, "GETALL");
	is(all[0] | all[1] | all[2], 0, "zeros at first");
	is(set(id, 1, 5), 0, "SETVAL");
	is(value(id, 1), 5, "GETVAL");
	is(control(id, 1, GETPID, NULL), getpid(), "GETPID");
	is(control(id, 0, GETPID, NULL), 0, "nobody has used the other");
	is(set(id, 1, MOST + 1), -ERANGE, "a value too large");
	is(set(id, 1, -1), -ERANGE, "a negative one");
	is(set(id, 3, 1), -EINVAL, "no such semaphore");
	is(control(id, -1, GETVAL, NULL), -EINVAL, "nor that one");
	all[0] = 1;
	all[1] = 2;
	all[2] = 3;
	is(control(id, 0, SETALL, all), 0, "SETALL");
	is(value(id, 0) * 100 + value(id, 1) * 10 + value(id, 2), 123, "sets all");
	all[1] = MOST + 1;
	all[0] = 7;
	is(control(id, 0, SETALL, all), -ERANGE, "or, with one that is too large,");
	is(value(id, 0), 1, "none");
	is(control(id, 0, SETALL, (void *)8), -EFAULT, "SETALL from nowhere");
	is(control(id, 0, GETALL, (void *)8), -EFAULT, "GETALL to nowhere");
	is(control(id, 0, IPC_STAT, (void *)8), -EFAULT, "IPC_STAT to nowhere");
	is(control(id, 0, GETNCNT, NULL), 0, "nobody waits for more");
	is(control(id, 0, GETZCNT, NULL), 0, "nor for zero");
	control(id, 0, IPC_RMID, NULL);
}

static void test_operations(void)
{
	long id = get(IPC_PRIVATE, 3, 0600);
	struct sembuf several[3] = { { 0, 2, 0 }, { 1, -1, IPC_NOWAIT }, { 2, 1, 0 } };
	struct sembuf many[501] = { { 0, 0, 0 } };
	struct semid_ds state;
	struct timespec none = { 0, 0 }, wrong = { 0, -1 }, little = { 0, 1000000 };

	is(operate(id, 0, 3, 0), 0, "semop adds");
	is(operate(id, 0, -1, 0), 0, "and takes");
	is(value(id, 0), 2, "what was asked for");
	is(operate(id, 0, -3, IPC_NOWAIT), -EAGAIN, "IPC_NOWAIT: more than there is");
	is(operate(id, 0, 0, IPC_NOWAIT), -EAGAIN, "nor is it 0");
	is(operate(id, 1, 0, IPC_NOWAIT), 0, "the other one is");
	is(operate(id, 0, MOST, 0), -ERANGE, "a value too large");
	is(operate(id, 3, 1, 0), -EFBIG, "no such semaphore");
	is(sys(SYS_semop, id, several, 3), -EAGAIN, "one of several cannot be done");
	is(value(id, 0) * 100 + value(id, 1) * 10 + value(id, 2), 200, "then none is");
	set(id, 1, 1);
	is(sys(SYS_semop, id, several, 3), 0, "all can be done");
	is(value(id, 0) * 100 + value(id, 1) * 10 + value(id, 2), 401, "and are");
	several[0] = (struct sembuf){ 2, -1, 0 };
	several[1] = (struct sembuf){ 2, 0, IPC_NOWAIT };
	several[2] = (struct sembuf){ 2, 5, 0 };
	is(sys(SYS_semop, id, several, 3), 0, "one after the other");
	is(value(id, 2), 5, "on the same one");
	is(sys(SYS_semop, id, several, 0), -EINVAL, "no operations");
	is(sys(SYS_semop, id, many, 501), -E2BIG, "too many");
	set(id, 0, 0);
	is(sys(SYS_semop, id, many, 500), 0, "as many as there may be");
	is(sys(SYS_semop, id, (void *)8, 1), -EFAULT, "operations that are not there");
	is(sys(SYS_semop, -1, several, 1), -EINVAL, "a negative id");
	control(id, 0, IPC_STAT, &state);
	is_true(state.sem_otime > 0, state.sem_otime, "IPC_STAT says when something was done");
	several[0] = (struct sembuf){ 0, -1, 0 };
	is(sys(SYS_semtimedop, id, several, 1, &none), -EAGAIN, "semtimedop without time");
	is(sys(SYS_semtimedop, id, several, 1, &little), -EAGAIN, "with little");
	is(sys(SYS_semtimedop, id, several, 1, &wrong), -EINVAL, "with a time that is none");
	is(sys(SYS_semtimedop, id, several, 1, (void *)8), -EFAULT, "with a time that is not there");
	is(control(id, 0, GETNCNT, NULL), 0, "nobody waits afterwards");
	control(id, 0, IPC_RMID, NULL);
}

struct waiting {
	long id;
	struct sembuf operations[2];
	int count;
};

static int wait_for(void *argument)
{
	struct waiting *w = argument;

	return (int)-sys(SYS_semop, w->id, w->operations, w->count);
}

static pid_t start(struct waiting *w)
{
	pid_t child = fork();

	if (!child)
		_exit(wait_for(w));
	return child;
}

static long end_of(pid_t child)
{
	int status = -1;

	sys(SYS_wait4, child, &status, 0, NULL);
	return status;
}

static void on_signal(int signal)
{
	(void)signal;
}

static void test_waiting(void)
{
	long id = get(IPC_PRIVATE, 2, 0600);
	struct waiting more = { id, { { 0, -2, 0 } }, 1 }, zero = { id, { { 1, 0, 0 } }, 1 },
		       both = { id, { { 0, -1, 0 }, { 1, -1, 0 } }, 2 };
	pid_t first, second;

	first = start(&more);
	await(id, 0, GETNCNT, 1);
	is(operate(id, 0, 1, 0), 0, "one who waits for two");
	is(control(id, 0, GETNCNT, NULL), 1, "is not content with one");
	is(operate(id, 0, 1, 0), 0, "but with the second");
	is(value(id, 0), 0, "which is gone at once");
	is(end_of(first), 0, "he has both");
	is(control(id, 0, GETPID, NULL), first, "and is the last who did something");
	set(id, 1, 2);
	first = start(&zero);
	await(id, 1, GETZCNT, 1);
	operate(id, 1, -1, 0);
	is(control(id, 1, GETZCNT, NULL), 1, "one who waits for zero");
	operate(id, 1, -1, 0);
	is(end_of(first), 0, "sees it");
	first = start(&both);
	await(id, 0, GETNCNT, 1);
	operate(id, 0, 1, 0);
	is(value(id, 0), 1, "one who waits for two semaphores takes none alone");
	is(control(id, 1, GETNCNT, NULL), 1, "and waits for the other then");
	operate(id, 1, 1, 0);
	is(value(id, 0) + value(id, 1), 0, "but both together");
	is(end_of(first), 0, "and goes on");
	first = start(&more);
	await(id, 0, GETNCNT, 1);
	second = start(&more);
	await(id, 0, GETNCNT, 2);
	operate(id, 0, 2, 0);
	is(end_of(first), 0, "who came first gets it");
	is(control(id, 0, GETNCNT, NULL), 1, "the second waits on");
	set(id, 0, 2);
	is(end_of(second), 0, "SETVAL wakes as well");
	first = start(&more);
	second = start(&both);
	await(id, 0, GETNCNT, 2);
	is(control(id, 0, IPC_RMID, NULL), 0, "the set goes");
	is(end_of(first), EXITED(EIDRM), "which is EIDRM for who waits");
	is(end_of(second), EXITED(EIDRM), "for one thing or several");
}

static void test_signals(void)
{
	long id = get(IPC_PRIVATE, 1, 0600);
	struct waiting more = { id, { { 0, -2, 0 } }, 1 };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pid_t child;

	sigaction(SIGUSR1, &action, NULL);
	child = start(&more);
	await(id, 0, GETNCNT, 1);
	kill(child, SIGUSR1);
	is(end_of(child), EXITED(EINTR), "a signal ends the wait, with SA_RESTART too");
	is(control(id, 0, GETNCNT, NULL), 0, "nobody waits any more");
	child = start(&more);
	await(id, 0, GETNCNT, 1);
	kill(child, SIGKILL);
	is(end_of(child), KILLED(SIGKILL), "one who waits is killed");
	is(control(id, 0, GETNCNT, NULL), 0, "and waits no more");
	control(id, 0, IPC_RMID, NULL);
}

static int take_with_undo(void *argument)
{
	long id = *(long *)argument;

	if (operate(id, 0, -2, SEM_UNDO) != 0 || operate(id, 0, 1, SEM_UNDO) != 0 || operate(id, 1, 4, SEM_UNDO) != 0)
		return 1;
	return value(id, 0) != 4;
}

static void *take_one(void *argument)
{
	operate(*(long *)argument, 0, -1, SEM_UNDO);
	return NULL;
}

/* Take a semaphore in several threads, whose process ends while they are waiting or about to end. */
static int take_in_threads(void *argument)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, take_one, argument) != 0)
			return 1;
	while (value(*(long *)argument, 0) > 1)
		usleep(1000);
	return 0;
}

static int take_and_exec(void *argument)
{
	char *const words[] = { (char *)"/proc/self/exe", (char *)"nothing", NULL };

	if (operate(*(long *)argument, 0, -1, SEM_UNDO) != 0)
		return 1;
	sys(SYS_execve, "/proc/self/exe", words, NULL);
	return 2;
}

static int take_while_set(void *argument)
{
	long id = *(long *)argument;
	unsigned short values[2] = { 7, 8 };

	operate(id, 0, -1, SEM_UNDO);
	operate(id, 1, -1, SEM_UNDO);
	set(id, 0, 3);
	if (value(id, 1) != 0)
		return 1;
	operate(id, 0, -1, SEM_UNDO);
	control(id, 0, SETALL, values);
	operate(id, 1, -1, SEM_UNDO);
	return 0;
}

static int exceed(void *argument)
{
	long id = *(long *)argument;

	set(id, 0, 0);
	if (operate(id, 0, MOST, SEM_UNDO) != 0)
		return 1;
	operate(id, 0, -MOST, 0);
	if (operate(id, 0, 1, SEM_UNDO) != 0)
		return 2;
	return (int)-operate(id, 0, 1, SEM_UNDO);
}

#define FILTERS 600
#define ROUNDS  20

/* Constants that Linux's headers define and musl's do not. */
struct sock_filter {
	unsigned short code;
	unsigned char jt, jf;
	unsigned k;
};

struct sock_fprog {
	unsigned short count;
	struct sock_filter *filter;
};

static atomic_bool ending;

/* End with much to free, so that other threads run in the middle of this thread's end. */
static void *end_slowly(void *argument)
{
	struct sock_filter allow = { .code = 6, .k = 0x7fff0000 }; /* BPF_RET, SECCOMP_RET_ALLOW */
	struct sock_fprog program = { 1, &allow };

	for (int i = 0; i < FILTERS && sys(SYS_seccomp, 1, 0, &program) == 0; i++)
		;
	ending = true;
	sys(SYS_exit, 0);
	return argument;
}

struct two_ends {
	long id;
	int spins; /* how long one thread spins, so that it ends later than the other */
};

static int take_and_end_both(void *argument)
{
	const struct two_ends *ends = argument;
	pthread_t thread;

	if (sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || operate(ends->id, 0, -1, SEM_UNDO) != 0 ||
	    pthread_create(&thread, NULL, end_slowly, NULL) != 0)
		return 1;
	while (!ending)
		;
	for (volatile int i = 0; i < ends->spins; i++)
		;
	sys(SYS_exit, 0);
	return 2;
}

/* Check that when two threads end side by side, whichever is the last undoes. */
static void test_undo_of_threads(void)
{
	struct two_ends ends = { .id = get(IPC_PRIVATE, 1, 0600) };
	int good = 0;

	for (int i = 0; i < ROUNDS; i++) {
		ends.spins = i * 5000;
		set(ends.id, 0, 1);
		good += in_child(take_and_end_both, &ends) == EXITED(0) && value(ends.id, 0) == 1;
	}
	is(good, ROUNDS, "two threads that end at the same time");
	control(ends.id, 0, IPC_RMID, NULL);
}

static void test_undo(void)
{
	long id = get(IPC_PRIVATE, 2, 0600);
	struct waiting more = { id, { { 0, -7, 0 } }, 1 };
	pid_t waiter;

	set(id, 0, 5);
	waiter = start(&more);
	await(id, 0, GETNCNT, 1);
	is(in_child(take_with_undo, &id), EXITED(0), "SEM_UNDO");
	is(value(id, 0), 5, "the end gives back what was taken");
	is(value(id, 1), 0, "and takes what was given");
	operate(id, 0, 2, 0);
	is(end_of(waiter), 0, "somebody waits all the time");
	set(id, 0, 4);
	is(in_child(take_in_threads, &id), EXITED(0), "the threads of a process take");
	is(value(id, 0), 4, "and its end gives all of it back");
	set(id, 0, 1);
	is(in_child(take_and_exec, &id), EXITED(0), "execve keeps what is to be undone");
	is(value(id, 0), 1, "for the end");
	set(id, 1, 1);
	is(in_child(take_while_set, &id), EXITED(0), "SETVAL and SETALL forget it");
	is(value(id, 0), 7, "what was set stays");
	is(value(id, 1), 8, "but for what was done after it");
	is(in_child(exceed, &id), EXITED(ERANGE), "too much to be undone");
	control(id, 0, IPC_RMID, NULL);
}

static int as_stranger(void *argument)
{
	long id = *(long *)argument;
	struct semid_ds state;

	if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
		return 1;
	if (operate(id, 0, 1, 0) != -EACCES || operate(id, 0, 0, 0) != 0)
		return 2;
	if (value(id, 0) != 0 || set(id, 0, 1) != -EACCES)
		return 3;
	if (control(id, 0, IPC_RMID, NULL) != -EPERM || control(id, 0, IPC_STAT, &state) != 0)
		return 4;
	if (control(id, 0, IPC_SET, &state) != -EPERM)
		return 5;
	return get(KEY, 1, 0200) != -EACCES;
}

static bool has_line(const char *path, const char *start_of_line)
{
	char line[512];
	bool found = false;
	FILE *file = fopen(path, "r");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, start_of_line, strlen(start_of_line)) == 0;
	if (file)
		fclose(file);
	return found;
}

static long write_to(const char *path, const char *text)
{
	int fd = (int)sys(SYS_open, path, O_WRONLY);
	long result = fd < 0 ? fd : sys(SYS_write, fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return result < 0 ? result : 0;
}

static void test_rights_and_proc(void)
{
	long id = get(KEY, 2, IPC_CREAT | 0604);
	struct semid_ds state;
	struct seminfo info;
	char line[256];

	is_true(control(0, 0, IPC_INFO, &info) >= 0, 0, "IPC_INFO");
	is(info.semmni, 32000, "SEMMNI");
	is(info.semmsl, 32000, "SEMMSL");
	is(info.semmns, 1024000000, "SEMMNS");
	is(info.semopm, 500, "SEMOPM");
	is(info.semvmx, MOST, "SEMVMX");
	is_true(control(0, 0, SEM_INFO, &info) >= (id & 0x7fff), 0, "SEM_INFO tells the highest index");
	is_true(info.semusz >= 1 && info.semaem >= 2, info.semaem, "and how many there are");
	is(control(id & 0x7fff, 0, SEM_STAT, &state), id, "SEM_STAT");
	is(control(id & 0x7fff, 0, SEM_STAT_ANY, &state), id, "SEM_STAT_ANY");
	is_true(has_line("/proc/sysvipc/sem", "       key      semid perms      nsems   uid   gid  cuid  cgid"
					      "      otime      ctime"),
		0, "the titles of /proc/sysvipc/sem");
	snprintf(line, sizeof(line), "%10d %10ld   604 %10u %5u %5u %5u %5u %10u ", KEY, id, 2, geteuid(), getegid(),
		 geteuid(), getegid(), 0);
	is_true(has_line("/proc/sysvipc/sem", line), 0, "a set's line");
	is_true(has_line("/proc/sys/kernel/sem", "32000\t1024000000\t500\t32000\n"), 0, "/proc/sys/kernel/sem");
	if (geteuid() == 0) {
		is(in_child(as_stranger, &id), EXITED(0), "what a stranger may do");
		control(id, 0, IPC_STAT, &state);
		state.sem_perm.uid = STRANGER;
		is(control(id, 0, IPC_SET, &state), 0, "IPC_SET");
		control(id, 0, IPC_STAT, &state);
		is(state.sem_perm.uid, STRANGER, "sets the owner");
		is(write_to("/proc/sys/kernel/sem", "3 5 2 1\n"), 0, "limits are set");
		is(get(IPC_PRIVATE, 1, 0600), -ENOSPC, "how many sets");
		write_to("/proc/sys/kernel/sem", "3\t5\t2\t100\n");
		is(get(IPC_PRIVATE, 4, 0600), -EINVAL, "how many semaphores in each");
		is(operate(id, 0, 0, 0), 0, "one operation");
		is(sys(SYS_semop, id, &state, 3), -E2BIG, "how many operations");
		is(write_to("/proc/sys/kernel/sem", "32000 1024000000 500 32769\n"), -ERANGE, "too many sets");
		is(write_to("/proc/sys/kernel/sem", "32000 1024000000 500 32000\n"), 0, "limits are as before");
	}
	control(id, 0, IPC_RMID, NULL);
}

/* Let many processes give and take at the same time: no operation may be lost. */
static void test_many(void)
{
	long id = get(IPC_PRIVATE, 2, 0600);
	pid_t children[8];

	set(id, 0, 1);
	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = fork();
		if (children[i])
			continue;
		for (int round = 0; round < 200; round++)
			if (operate(id, 0, -1, SEM_UNDO) != 0 || operate(id, 1, 1, 0) != 0 ||
			    operate(id, 0, 1, SEM_UNDO) != 0)
				_exit(1);
		_exit(0);
	}
	for (size_t i = 0; i < COUNT(children); i++)
		is(end_of(children[i]), 0, "a child that takes and gives");
	is(value(id, 0), 1, "the lock is free");
	is(value(id, 1), 1600, "nothing was lost");
	control(id, 0, IPC_RMID, NULL);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) /* executed by take_and_exec() */
		return 0;
	/* Linux has no /proc yet when this program is its first one. */
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	test_get();
	test_values();
	test_operations();
	test_waiting();
	test_signals();
	test_undo();
	test_undo_of_threads();
	test_rights_and_proc();
	test_many();
	return finish();
}

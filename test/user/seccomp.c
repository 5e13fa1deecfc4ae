/*
 * Tests seccomp(2): the strict mode, which BPF programs are accepted, what each action does to a call, and that
 * children inherit programs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

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

struct seccomp_data {
	int nr;
	unsigned arch;
	unsigned long address, args[6];
};

enum {
	BPF_LD = 0,
	BPF_LDX = 1,
	BPF_ST = 2,
	BPF_ALU = 4,
	BPF_JMP = 5,
	BPF_RET = 6,
	BPF_MISC = 7,
	BPF_W = 0,
	BPF_H = 8,
	BPF_IMM = 0,
	BPF_ABS = 0x20,
	BPF_MEM = 0x60,
	BPF_LEN = 0x80,
	BPF_K = 0,
	BPF_X = 8,
	BPF_A = 0x10,
	BPF_TXA = 0x80,
	BPF_TAX = 0,
	BPF_ADD = 0,
	BPF_SUB = 0x10,
	BPF_MUL = 0x20,
	BPF_DIV = 0x30,
	BPF_OR = 0x40,
	BPF_AND = 0x50,
	BPF_LSH = 0x60,
	BPF_RSH = 0x70,
	BPF_NEG = 0x80,
	BPF_XOR = 0xa0,
	BPF_JA = 0,
	BPF_JEQ = 0x10,
	BPF_JGT = 0x20,
	BPF_JGE = 0x30,
	BPF_JSET = 0x40,
};

#define BPF_STMT(code, k)                                   \
	{                                                   \
		(unsigned short)(code), 0, 0, (unsigned)(k) \
	}
#define BPF_JUMP(code, k, jt, jf)                             \
	{                                                     \
		(unsigned short)(code), jt, jf, (unsigned)(k) \
	}

#define SECCOMP_SET_MODE_STRICT  0
#define SECCOMP_SET_MODE_FILTER  1
#define SECCOMP_MODE_STRICT      1
#define SECCOMP_MODE_FILTER      2
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#define SECCOMP_RET_KILL_THREAD  0
#define SECCOMP_RET_TRAP         0x00030000U
#define SECCOMP_RET_ERRNO        0x00050000U
#define SECCOMP_RET_TRACE        0x7ff00000U
#define SECCOMP_RET_LOG          0x7ffc0000U
#define SECCOMP_RET_ALLOW        0x7fff0000U

#define WORD(field)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/* A BPF program that gives one call an answer, and allows all others. */
#define FOR(number, answer)                                                                  \
	{                                                                                    \
		WORD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(answer), \
			RETURN(SECCOMP_RET_ALLOW),                                           \
	}

static long install(const struct sock_filter *program, unsigned short count)
{
	const struct sock_fprog it = { count, (struct sock_filter *)program };

	sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return sys(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &it);
}

/* ---- programs that are accepted, and that are not ---- */

static struct sock_filter many[4097];

struct sample {
	const char *name;
	unsigned short count;
	long result;
	struct sock_filter program[4];
};

static const struct sample samples[] = {
	{ "a return", 1, 0, { RETURN(SECCOMP_RET_ALLOW) } },
	{ "nothing", 0, -EINVAL, { { 0 } } },
	{ "no return at the end", 1, -EINVAL, { WORD(nr) } },
	{ "an unknown instruction", 2, -EINVAL, { { 0xff, 0, 0, 0 }, RETURN(0) } },
	{ "a load of half a word", 2, -EINVAL, { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RETURN(0) } },
	{ "a load that is not aligned", 2, -EINVAL, { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(0) } },
	{ "a load beyond the data", 2, -EINVAL, { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN(0) } },
	{ "a load of the data's last word",
	  2,
	  0,
	  { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), RETURN(SECCOMP_RET_ALLOW) } },
	{ "a jump beyond the end", 2, -EINVAL, { BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RETURN(0) } },
	{ "a condition beyond it", 3, -EINVAL, { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0), RETURN(0), RETURN(0) } },
	{ "a division by 0", 2, -EINVAL, { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0) } },
	{ "a shift by 32", 2, -EINVAL, { BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN(0) } },
	{ "memory that is not there", 2, -EINVAL, { BPF_STMT(BPF_ST, 16), RETURN(0) } },
	{ "memory that was not stored", 2, -EINVAL, { BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN(0) } },
	{ "memory that one way has not stored",
	  4,
	  -EINVAL,
	  { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3),
	    RETURN(0) } },
	{ "memory that was stored",
	  3,
	  0,
	  { BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN(SECCOMP_RET_ALLOW) } },
};

static int try_sample(void *argument)
{
	const struct sample *sample = argument;

	return install(sample->program, sample->count) == sample->result ? 0 : 1;
}

static int try_rights(void *unused)
{
	const struct sock_fprog it = { 1, (struct sock_filter *)samples[0].program };

	(void)unused;
	sys(SYS_setuid, 1000);
	if (sys(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &it) != -EACCES)
		return 1;
	if (sys(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1 << 20, &it) != -EINVAL || sys(SYS_seccomp, 77, 0, 0) != -EINVAL)
		return 2;
	if (sys(SYS_prctl, PR_GET_SECCOMP) != 0 || sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 3;
	if (sys(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &it) != 0 || sys(SYS_prctl, PR_GET_SECCOMP) != 2)
		return 4;
	return sys(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0) == -EINVAL ? 0 : 5;
}

static int try_length(void *unused)
{
	long result, installed = 0;

	(void)unused;
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	if (install(many, 4097) != -EINVAL)
		return 1;
	/* Linux limits the instructions that it makes of these, so it takes fewer programs than AnkeOS. */
	while ((result = install(many, 4096)) == 0)
		installed++;
	return result == -ENOMEM && installed >= 2 && installed <= 8 ? 0 : 2;
}

/* ---- what the program computes: each puts its result into A, which comes back as an errno ---- */

#define K(operation, value) BPF_STMT(BPF_ALU | (operation) | BPF_K, value)
#define X(operation)        BPF_STMT(BPF_ALU | (operation) | BPF_X, 0)
#define SET(value)          BPF_STMT(BPF_LD | BPF_IMM, value)
#define SET_X(value)        BPF_STMT(BPF_LDX | BPF_IMM, value)
#define JUMP(operation, k)  BPF_JUMP(BPF_JMP | (operation), k, 1, 0)

static const struct sum {
	long result;
	struct sock_filter steps[5];
} sums[] = {
	{ 12, { SET(5), K(BPF_ADD, 7) } },
	{ 6, { SET(13), SET_X(7), X(BPF_SUB) } },
	{ 91, { SET(13), SET_X(7), X(BPF_MUL) } },
	{ 14, { SET(100), SET_X(7), X(BPF_DIV) } },
	{ 9, { SET(11), K(BPF_AND, 0xd) } },
	{ 15, { SET(11), SET_X(4), X(BPF_OR) } },
	{ 6, { SET(11), K(BPF_XOR, 13) } },
	{ 44, { SET(11), K(BPF_LSH, 2) } },
	{ 2, { SET(11), SET_X(2), X(BPF_RSH) } },
	{ 22, { SET(11), SET_X(33), X(BPF_LSH) } },
	{ 11, { SET(-11), K(BPF_NEG, 0) } },
	{ 64, { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0) } },
	{ 21,
	  { SET(21), BPF_STMT(BPF_ST, 2), SET(0), BPF_STMT(BPF_LDX | BPF_MEM, 2), BPF_STMT(BPF_MISC | BPF_TXA, 0) } },
	{ 33, { SET(33), BPF_STMT(BPF_MISC | BPF_TAX, 0), SET(1), BPF_STMT(BPF_MISC | BPF_TXA, 0) } },
	{ 5, { SET(5), JUMP(BPF_JEQ | BPF_K, 5), SET(1) } },
	{ 1, { SET(5), JUMP(BPF_JGT | BPF_K, 5), SET(1) } },
	{ 5, { SET(5), SET_X(5), JUMP(BPF_JGE | BPF_X, 0), SET(1) } },
	{ 5, { SET(5), JUMP(BPF_JSET | BPF_K, 4), SET(1) } },
	{ 77, { WORD(args[0]) } },
	{ 3, { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4) } },
	{ 62, { WORD(arch), K(BPF_AND, 0xff) } },
};

static int try_sum(void *argument)
{
	const struct sum *sum = argument;
	struct sock_filter program[16] = { WORD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 1, 0),
					   RETURN(SECCOMP_RET_ALLOW) };
	unsigned short count = 3;

	for (size_t i = 0; i < COUNT(sum->steps) && (sum->steps[i].code || sum->steps[i].k); i++)
		program[count++] = sum->steps[i];
	program[count++] = (struct sock_filter)K(BPF_OR, SECCOMP_RET_ERRNO);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	if (install(program, count) != 0)
		return 1;
	return sys(SYS_getpgid, 77, 3L << 32) == -sum->result ? 0 : 2;
}

/* ---- actions ---- */

static int try_actions(void *unused)
{
	const struct sock_filter refuse[] = FOR(SYS_getppid, SECCOMP_RET_ERRNO | 55);
	const struct sock_filter greatest[] = FOR(SYS_getuid, SECCOMP_RET_ERRNO | 0xffff);
	const struct sock_filter nothing[] = FOR(SYS_getgid, SECCOMP_RET_ERRNO);
	const struct sock_filter trace[] = FOR(SYS_geteuid, SECCOMP_RET_TRACE);
	const struct sock_filter weaker[] = FOR(SYS_getppid, SECCOMP_RET_LOG);
	int status;

	(void)unused;
	if (install(refuse, 4) || install(greatest, 4) || install(nothing, 4) || install(trace, 4) ||
	    install(weaker, 4))
		return 1;
	if (sys(SYS_getppid) != -55 || sys(SYS_getuid) != -4095 || sys(SYS_getgid) != 0 || sys(SYS_geteuid) != -ENOSYS)
		return 2;
	if (!fork())
		_exit(sys(SYS_getppid) == -55 ? 9 : 0);
	return sys(SYS_wait4, -1, &status, 0, NULL) > 0 && status == EXITED(9) ? 0 : 3;
}

static volatile long seen[4];

static void take_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	seen[0] = signal;
	seen[1] = info->si_errno;
	seen[2] = info->si_syscall;
	seen[3] = info->si_code;
}

static int try_trap(void *unused)
{
	const struct sock_filter program[] = FOR(SYS_getppid, SECCOMP_RET_TRAP | 44);
	const struct sigaction action = { .sa_sigaction = take_signal, .sa_flags = SA_SIGINFO };

	(void)unused;
	sigaction(SIGSYS, &action, NULL);
	if (install(program, 4) != 0 || sys(SYS_getppid) != SYS_getppid)
		return 1;
	return seen[0] == SIGSYS && seen[1] == 44 && seen[2] == SYS_getppid && seen[3] == 1 ? 0 : 2;
}

static int be_killed(void *action)
{
	const struct sock_filter program[] = FOR(SYS_getppid, (unsigned)(long)action);

	install(program, 4);
	sys(SYS_getppid);
	return 1;
}

static volatile int doomed;

static void *die(void *unused)
{
	doomed = (int)sys(SYS_gettid);
	sys(SYS_getppid);
	return unused;
}

/* Check that SECCOMP_RET_KILL_THREAD kills a thread alone. */
static int try_thread(void *unused)
{
	const struct sock_filter program[] = FOR(SYS_getppid, SECCOMP_RET_KILL_THREAD);
	pthread_t thread;

	(void)unused;
	if (install(program, 4) != 0 || pthread_create(&thread, NULL, die, NULL) != 0)
		return 1;
	/*
	 * Wait until the thread is gone, by its ID: pthread_join() does not notice that a thread was killed in this
	 * way.
	 */
	while (!doomed || sys(SYS_tgkill, getpid(), doomed, 0) == 0)
		sys(SYS_sched_yield);
	return 7;
}

/* ---- a program for all threads ---- */

#define FLAG_TSYNC       1
#define FLAG_TSYNC_ESRCH 16

static int ready[2], go[2]; /* pipes: by `ready` the thread tells the parent, by `go` the parent tells the thread */
static long parent_seen, rights_seen; /* what the thread's getppid and PR_GET_NO_NEW_PRIVS returned */
static volatile int thread_number;

static void *wait_and_call(void *own)
{
	const struct sock_filter program[] = FOR(SYS_getppid, SECCOMP_RET_ERRNO | 6);
	char byte = own && install(program, 4) != 0 ? 'x' : 0;

	thread_number = (int)sys(SYS_gettid);
	write(ready[1], &byte, 1);
	read(go[0], &byte, 1);
	parent_seen = sys(SYS_getppid);
	rights_seen = sys(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	return NULL;
}

static long install_for_all(unsigned flags)
{
	struct sock_filter program[] = FOR(SYS_getppid, SECCOMP_RET_ERRNO | 5);
	const struct sock_fprog filter = { 4, program };

	return sys(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

/* Install a program for all threads: another thread of the process gets it, too, unless it has one of its own. */
static int try_all(void *own)
{
	pthread_t thread;
	char byte;

	if (pipe(ready) != 0 || pipe(go) != 0 || pthread_create(&thread, NULL, wait_and_call, own) != 0)
		return 1;
	if (read(ready[0], &byte, 1) != 1 || byte)
		return 2;
	sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (own && (install_for_all(FLAG_TSYNC) != thread_number ||
		    install_for_all(FLAG_TSYNC | FLAG_TSYNC_ESRCH) != -ESRCH || sys(SYS_getppid) < 0))
		return 3;
	if (!own && (install_for_all(FLAG_TSYNC) != 0 || sys(SYS_getppid) != -5))
		return 4;
	write(go[1], &byte, 1);
	pthread_join(thread, NULL);
	if (own)
		return parent_seen == -6 ? 0 : 5;
	return parent_seen == -5 && rights_seen == 1 ? 0 : 6;
}

static int be_strict(void *call)
{
	char byte;

	if (sys(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0) != 0)
		return 1;
	sys(SYS_read, -1, &byte, 1);
	sys((long)call, 3);
	sys(SYS_exit, 4);
	return 2;
}

int main(void)
{
	for (size_t i = 0; i < COUNT(samples); i++)
		is(in_child(try_sample, (void *)&samples[i]), EXITED(0), samples[i].name);
	is(in_child(try_rights, NULL), EXITED(0), "who may install a program, and how");
	is(in_child(try_length, NULL), EXITED(0), "how long programs may be, and a chain of them");
	for (size_t i = 0; i < COUNT(sums); i++)
		is(in_child(try_sum, (void *)&sums[i]), EXITED(0), "a computation");
	is(in_child(try_actions, NULL), EXITED(0), "errors, and the strictest answer");
	is(in_child(try_trap, NULL), EXITED(0), "SIGSYS");
	is(in_child(be_killed, (void *)(long)SECCOMP_RET_KILL_PROCESS), KILLED(SIGSYS), "a process is killed");
	is(in_child(be_killed, (void *)(long)SECCOMP_RET_KILL_THREAD), KILLED(SIGSYS), "an only thread is, too");
	is(in_child(be_killed, (void *)(long)SECCOMP_RET_TRAP), KILLED(SIGSYS), "SIGSYS without a handler");
	is(in_child(try_thread, NULL), EXITED(7), "one thread of two is killed");
	is(in_child(try_all, NULL), EXITED(0), "a program for all threads");
	is(in_child(try_all, (void *)1), EXITED(0), "not for one that has its own");
	is(in_child(be_strict, (void *)SYS_exit), EXITED(3), "the strict mode's exit");
	is(in_child(be_strict, (void *)SYS_getpid), KILLED(SIGKILL), "and another call");
	return finish();
}

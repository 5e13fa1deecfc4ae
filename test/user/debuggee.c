/*
 * An /init to be looked at with gdb. At first it uses int3 and single steps on itself, as a debugger would. Then it and
 * a child, in which the same variable has another value, call work() now and then for ever; each third time a
 * grandchild does. With a number as its argument it starts that many threads instead, which call visit(), and now and
 * then the system, until a debugger sets `quit`.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile int mark = 1;
volatile int counter;
static volatile sig_atomic_t traps;

__attribute__((noinline)) int work(int n);

int work(int n)
{
	counter += n;
	return counter;
}

static void on_trap(int signal)
{
	(void)signal;
	traps++;
}

/* Run an int3, and single steps that the program turns on by setting the trap flag itself. */
static void trap_oneself(void)
{
	signal(SIGTRAP, on_trap);
	__asm__ volatile("int3");
	printf("int3 %d\n", traps);
	traps = 0;
	__asm__ volatile(
		"pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
		:
		:
		: "memory", "cc");
	printf("steps %d\n", traps);
}

static void fork_and_work(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		work(1000);
		_exit(7);
	}
	waitpid(pid, &status, 0);
	printf("grandchild %#x\n", (unsigned)status);
}

#define VISITORS_MOST 16

volatile int quit, lines;
volatile long visits[VISITORS_MOST];

__attribute__((noinline)) void visit(long number);

void visit(long number)
{
	visits[number]++;
}

static void *visitor(void *argument)
{
	const long number = (long)argument;
	char name[16];

	snprintf(name, sizeof(name), "visitor-%ld", number);
	prctl(PR_SET_NAME, name);
	while (!quit) {
		/* Pause between calls: without a pause they would leave the kernel no time for others. */
		for (int i = 0; i < 100000 && !quit; i++)
			visit(number);
		syscall(SYS_getppid);
	}
	return NULL;
}

/* Start `threads` threads, and print every tenth of a second that they run. */
static int run_visitors(long threads)
{
	const struct timespec pause = { 0, 100000000 };
	pthread_t made[VISITORS_MOST];

	if (threads > VISITORS_MOST)
		return 1;
	for (long i = 0; i < threads; i++)
		if (pthread_create(&made[i], NULL, visitor, (void *)i) != 0)
			return 1;
	while (!quit) {
		printf("visitors run %d\n", lines++);
		nanosleep(&pause, NULL);
	}
	for (long i = 0; i < threads; i++)
		pthread_join(made[i], NULL);
	printf("visitors end\n");
	return 0;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { 0, 100000000 }, day = { 86400, 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		return run_visitors(atol(argv[1]));
	trap_oneself();
	if (fork() == 0) {
		mark = 2;
		for (;;)
			nanosleep(&day, NULL);
	}
	for (int i = 0;; i++) {
		work(1);
		if (i % 3 == 2)
			fork_and_work();
		nanosleep(&pause, NULL);
	}
}

/*
 * An /init to be looked at with gdb: first it does what a debugger does to others, to itself; then it and a child of
 * another value in the same variable call work() now and then, and each third time in a grandchild, for ever.
 */
#include <signal.h>
#include <stdio.h>
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

/* One int3, and single steps by the program's own hand. */
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

int main(void)
{
	const struct timespec pause = { 0, 100000000 }, day = { 86400, 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
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

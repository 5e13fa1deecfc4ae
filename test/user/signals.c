/*
 * Tests rt_sigaction, rt_sigprocmask, rt_sigreturn, kill and tgkill: results, errors, and what a handler sees and
 * leaves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL ((void *)(-1UL << 31))
#define SET    8 /* bytes of a set of signals, as the kernel has it */

/* The kernel's form of struct sigaction. */
struct action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static volatile int calls, last_signal, last_code, depth, deepest;
static void *volatile last_address;
static uint64_t mask_inside;

static uint64_t bit(int signal)
{
	return 1UL << (signal - 1);
}

static uint64_t mask_now(void)
{
	uint64_t set = 0;

	sys(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, SET);
	return set;
}

static void count(int signal, siginfo_t *info, void *context)
{
	(void)context;
	calls++;
	last_signal = signal;
	last_code = info->si_code;
	last_address = info->si_addr;
	mask_inside = mask_now();
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags, int also_blocked)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	if (also_blocked)
		sigaddset(&action.sa_mask, also_blocked);
	sigaction(signal, &action, NULL);
}

static long to_self(int signal)
{
	return sys(SYS_kill, sys(SYS_getpid), signal);
}

static void test_handler(void)
{
	install(SIGUSR1, count, 0, SIGUSR2);
	is(to_self(SIGUSR1), 0, "kill to oneself");
	is(calls, 1, "the handler has run before kill returns");
	is(last_signal, SIGUSR1, "with the signal's number");
	is(last_code, SI_USER, "and code SI_USER");
	is_true((mask_inside & bit(SIGUSR1)) && (mask_inside & bit(SIGUSR2)), (long)mask_inside,
		"inside, the signal and sa_mask are blocked");
	is((long)mask_now(), 0, "after it, nothing is");
	is(sys(SYS_tgkill, sys(SYS_getpid), sys(SYS_gettid), SIGUSR1), 0, "tgkill to oneself");
	is(calls, 2, "the handler has run");
	is(last_code, SI_TKILL, "with code SI_TKILL");
	is(sys(SYS_tgkill, sys(SYS_getpid), 1 << 30, SIGUSR1), -ESRCH, "tgkill to a thread that is none");
	is(sys(SYS_tgkill, -1, 1, SIGUSR1), -EINVAL, "tgkill to process -1");
	install(SIGUSR1, count, SA_RESETHAND | SA_NODEFER, 0);
	to_self(SIGUSR1);
	is_true(!(mask_inside & bit(SIGUSR1)), (long)mask_inside, "SA_NODEFER leaves the signal open");
	struct sigaction now;

	sigaction(SIGUSR1, NULL, &now);
	is_true(now.sa_handler == SIG_DFL, (long)now.sa_handler, "SA_RESETHAND resets the handler");
}

static void test_mask(void)
{
	uint64_t both = bit(SIGUSR1) | bit(SIGUSR2), all = ~0UL, old = 1;

	calls = 0;
	install(SIGUSR1, count, 0, 0);
	is(sys(SYS_rt_sigprocmask, SIG_BLOCK, &both, &old, SET), 0, "block two signals");
	is((long)old, 0, "nothing was blocked before");
	is((long)mask_now(), (long)both, "the two are blocked");
	to_self(SIGUSR1);
	to_self(SIGUSR1);
	is(calls, 0, "a blocked signal waits");
	is(sys(SYS_rt_sigprocmask, SIG_UNBLOCK, &both, NULL, SET), 0, "unblock them");
	is(calls, 1, "then it comes, once");
	is(sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, SET), 0, "block all");
	is((long)mask_now(), (long)~(bit(SIGKILL) | bit(SIGSTOP)), "SIGKILL and SIGSTOP cannot be blocked");
	all = 0;
	is(sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, SET), 0, "unblock all");
	is(sys(SYS_rt_sigprocmask, 99, &all, NULL, SET), -EINVAL, "rt_sigprocmask that does not exist");
	is(sys(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 4), -EINVAL, "rt_sigprocmask of a set of 4 bytes");
	is(sys(SYS_rt_sigprocmask, SIG_BLOCK, KERNEL, NULL, SET), -EFAULT, "rt_sigprocmask from a kernel address");
	is(sys(SYS_rt_sigprocmask, SIG_BLOCK, NULL, KERNEL, SET), -EFAULT, "rt_sigprocmask to a kernel address");
}

static void test_action_errors(void)
{
	struct action action = { 0 }, old = { 0 };

	is(sys(SYS_rt_sigaction, SIGKILL, &action, NULL, SET), -EINVAL, "rt_sigaction of SIGKILL");
	is(sys(SYS_rt_sigaction, SIGSTOP, &action, NULL, SET), -EINVAL, "rt_sigaction of SIGSTOP");
	is(sys(SYS_rt_sigaction, 0, &action, NULL, SET), -EINVAL, "rt_sigaction of signal 0");
	is(sys(SYS_rt_sigaction, 65, &action, NULL, SET), -EINVAL, "rt_sigaction of signal 65");
	is(sys(SYS_rt_sigaction, SIGUSR2, &action, NULL, 4), -EINVAL, "rt_sigaction with a set of 4 bytes");
	is(sys(SYS_rt_sigaction, SIGUSR2, KERNEL, NULL, SET), -EFAULT, "rt_sigaction from a kernel address");
	is(sys(SYS_rt_sigaction, SIGUSR2, NULL, KERNEL, SET), -EFAULT, "rt_sigaction to a kernel address");
	install(SIGUSR2, count, SA_RESTART, SIGHUP);
	is(sys(SYS_rt_sigaction, SIGUSR2, NULL, &old, SET), 0, "rt_sigaction tells what is installed");
	is_true(old.handler == (void *)count, (long)old.handler, "the handler");
	is((long)old.mask, (long)bit(SIGHUP), "its mask");
	is((long)old.flags & (SA_RESTART | SA_SIGINFO), SA_RESTART | SA_SIGINFO, "its flags");
	is(sys(SYS_rt_sigaction, SIGKILL, NULL, &old, SET), 0, "of SIGKILL too");
	install(SIGWINCH, count, 0, 0);
	calls = 0;
	to_self(SIGWINCH);
	is(calls, 1, "a signal that is ignored by default can be handled");
	signal(SIGUSR2, SIG_IGN);
	is(to_self(SIGUSR2), 0, "kill with a signal that is ignored");
	signal(SIGUSR2, SIG_DFL);
}

/* Let the faulting instruction succeed when it runs again. */
static void repair(int signal, siginfo_t *info, void *context)
{
	count(signal, info, context);
	mprotect((void *)((uintptr_t)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE);
}

/* Step over `ud2`, which is two bytes, and leave a number in RAX. */
static void skip(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	count(signal, info, context);
	user->uc_mcontext.gregs[REG_RIP] += 2;
	user->uc_mcontext.gregs[REG_RAX] = 0x1234;
}

static void test_faults(void)
{
	unsigned char *page = fresh(PAGE, PROT_NONE);
	long result = 0;

	calls = 0;
	install(SIGSEGV, repair, 0, 0);
	page[5] = 9;
	is(calls, 1, "a fault calls the handler");
	is(page[5], 9, "the write runs again after it");
	is_true(last_address == page + 5, (long)last_address, "si_addr is the address");
	is(last_code, SEGV_ACCERR, "a lack of rights has code SEGV_ACCERR");
	munmap(page, PAGE);
	signal(SIGSEGV, SIG_DFL);
	install(SIGILL, skip, 0, 0);
	__asm__ volatile("ud2" : "=a"(result) : "0"(1L));
	is(result, 0x1234, "a handler may change the registers");
	is(calls, 2, "it ran once");
	signal(SIGILL, SIG_DFL);
}

static int segv_code(void *address)
{
	(void)touch_read(address);
	return 1;
}

static void tell_code(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	_exit(info->si_code == SEGV_MAPERR ? 20 : 21);
}

static int ignore_fault(void *address)
{
	signal(SIGSEGV, SIG_IGN);
	return touch_read(address);
}

static int block_fault(void *address)
{
	uint64_t set = bit(SIGSEGV);

	install(SIGSEGV, tell_code, 0, 0);
	sys(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, SET);
	return touch_read(address);
}

static int fault_without_stack(void *address)
{
	install(SIGSEGV, tell_code, 0, 0);
	__asm__ volatile("mov %0, %%rsp; push $0" : : "r"(address) : "memory");
	__builtin_unreachable();
}

static void test_fatal_faults(void)
{
	install(SIGSEGV, tell_code, 0, 0);
	is(in_child(segv_code, (void *)PAGE), EXITED(20), "no memory has code SEGV_MAPERR");
	signal(SIGSEGV, SIG_DFL);
	is(in_child(ignore_fault, (void *)PAGE), KILLED(SIGSEGV), "a fault cannot be ignored");
	is(in_child(block_fault, (void *)PAGE), KILLED(SIGSEGV), "nor blocked");
	is(in_child(fault_without_stack, (void *)PAGE), KILLED(SIGSEGV), "a handler without a stack is the end");
}

/*
 * Check all registers that a function keeps, and the vector registers, over a signal that comes in the middle of a
 * loop.
 */
static void test_registers(void)
{
	long pid = sys(SYS_getpid), wrong = 0;

	install(SIGUSR1, count, 0, 0);
	calls = 0;
	for (long i = 0; i < 50; i++) {
		long rbx = i, r12 = i + 1, r15 = i + 2, vector = 0, result = SYS_kill;

		__asm__ volatile(
			"movq %[i], %%xmm7\n\t"
			"mov %[i], %%rbx\n\t"
			"lea 1(%[i]), %%r12\n\t"
			"lea 2(%[i]), %%r15\n\t"
			"stc\n\t"
			"syscall\n\t"
			"mov %%rbx, %[rbx]\n\t"
			"mov %%r12, %[r12]\n\t"
			"mov %%r15, %[r15]\n\t"
			"movq %%xmm7, %[vector]\n\t"
			: "+a"(result), [rbx] "=&m"(rbx), [r12] "=&m"(r12), [r15] "=&m"(r15), [vector] "=&r"(vector)
			: "D"(pid), "S"(SIGUSR1), [i] "r"(i)
			: "rbx", "r12", "r15", "rcx", "r11", "xmm7", "memory", "cc");
		wrong += rbx != i || r12 != i + 1 || r15 != i + 2 || vector != i || result != 0;
	}
	is(calls, 50, "50 signals");
	is(wrong, 0, "each leaves the registers as they were");
}

static void nest(int signal, siginfo_t *info, void *context)
{
	count(signal, info, context);
	deepest = ++depth > deepest ? depth : deepest;
	if (calls < 10)
		to_self(SIGUSR1);
	depth--;
}

static void test_nesting(void)
{
	calls = 0;
	install(SIGUSR1, nest, SA_NODEFER, 0);
	to_self(SIGUSR1);
	is(calls, 10, "a handler that sends its own signal runs again");
	is(deepest, 10, "inside itself, with SA_NODEFER");
	calls = depth = deepest = 0;
	install(SIGUSR1, nest, 0, 0);
	to_self(SIGUSR1);
	is(calls, 10, "and without");
	is(deepest, 1, "one after the other");
}

static int send_later(void *unused)
{
	struct timespec pause = { 0, 30000000 };

	(void)unused;
	nanosleep(&pause, NULL);
	sys(SYS_kill, sys(SYS_getppid), SIGUSR1);
	nanosleep(&pause, NULL);
	return 7;
}

/* Let a signal from a child interrupt a read of an empty pipe: the read ends or goes on, as SA_RESTART says. */
static void test_interrupted(int flags, const char *name)
{
	int ends[2], status = 0;
	long result, child;
	char byte;

	if (sys(SYS_pipe2, ends, 0) != 0)
		bail("pipe2", 0);
	calls = 0;
	install(SIGUSR1, count, flags, 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		_exit(send_later(NULL));
	}
	close(ends[1]);
	result = sys(SYS_read, ends[0], &byte, 1);
	is(result, flags & SA_RESTART ? 0 : -EINTR, name);
	is(calls, 1, "the handler has run");
	while (sys(SYS_wait4, child, &status, 0, 0) == -EINTR)
		;
	is(status, EXITED(7), "the child is waited for");
	close(ends[0]);
}

static _Noreturn void wait_for_kill(void)
{
	for (;;)
		sys(SYS_sched_yield);
}

static void test_child(void)
{
	int status = 0;
	long child;

	calls = 0;
	install(SIGCHLD, count, SA_RESTART, 0);
	is(in_child(segv_code, (void *)PAGE), KILLED(SIGSEGV), "a child dies");
	is(calls, 1, "SIGCHLD comes");
	is(last_code, CLD_KILLED, "with code CLD_KILLED");
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child == 0)
		wait_for_kill();
	is(sys(SYS_kill, child, SIGKILL), 0, "kill of a child that runs");
	is(sys(SYS_wait4, child, &status, 0, 0), child, "ends it");
	is(status, KILLED(SIGKILL), "with that signal");
}

/* Send a real-time signal with a value to this process. Returns the kernel's result. */
static long queue_value(int number, long value)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_code = SI_QUEUE;
	info.si_value.sival_ptr = (void *)value;
	return sys(SYS_rt_sigqueueinfo, sys(SYS_getpid), number, &info);
}

/* Take a pending signal of `mask`. Returns the signal's number times 1000 plus its value; or the error. */
static long take_value(unsigned long mask)
{
	static const struct timespec now;
	siginfo_t info;
	long number = sys(SYS_rt_sigtimedwait, &mask, &info, &now, 8);

	return number < 0 ? number : number * 1000 + (long)info.si_value.sival_ptr;
}

/*
 * Check that signals of one number come in the order in which they were sent, that the lowest number comes first, and
 * that ignoring a signal drops only those of its number.
 */
static void test_queues(void)
{
	static const int numbers[] = { 45, 40, 50 };
	unsigned long all = 0, none = 0, old;
	struct {
		unsigned long handler, flags, restorer, mask;
	} ignore = { .handler = 1 }, usual = { 0 };
	long wrong = 0;

	for (int i = 0; i < 3; i++)
		all |= 1UL << (numbers[i] - 1);
	sys(SYS_rt_sigprocmask, SIG_BLOCK, &all, &old, 8);
	for (long value = 0; value < 20; value++)
		for (int i = 0; i < 3; i++)
			wrong += queue_value(numbers[i], value) != 0;
	is(wrong, 0, "60 signals of three numbers");
	for (long value = 0; value < 7; value++)
		wrong += take_value(all) != 40000 + value;
	for (long value = 0; value < 9; value++)
		wrong += take_value(1UL << 44) != 45000 + value;
	is(wrong, 0, "come by number and in their order");
	sys(SYS_rt_sigaction, 40, &ignore, NULL, 8);
	for (long value = 9; value < 20; value++)
		wrong += take_value(all) != 45000 + value;
	is(wrong, 0, "the rest of one that is ignored is gone, and of no other");
	sys(SYS_rt_sigaction, 40, &usual, NULL, 8);
	wrong += queue_value(40, 99) != 0 || take_value(all) != 40099;
	for (long value = 0; value < 20; value++)
		wrong += take_value(all) != 50000 + value;
	is(wrong, 0, "and its queue serves again");
	is(take_value(all), -EAGAIN, "at the end none is left");
	sys(SYS_rt_sigpending, &none, 8);
	is((long)(none & all), 0, "nor pending");
	sys(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
}

int main(void)
{
	test_handler();
	test_mask();
	test_action_errors();
	test_faults();
	test_fatal_faults();
	test_registers();
	test_nesting();
	test_interrupted(0, "a signal interrupts read");
	test_interrupted(SA_RESTART, "with SA_RESTART read goes on");
	test_child();
	test_queues();
	return finish();
}

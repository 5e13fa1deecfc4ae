/*
 * Tests ptrace: stops, registers, memory, system calls, signals, events, and what wait tells about them.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define STOPPED(code) ((code) << 8 | 0x7f)
#define EVENT(event)  STOPPED(SIGTRAP | (event) << 8)
#define CALL_STOP     STOPPED(SIGTRAP | 0x80)

static volatile long word = 0x1122334455667788;

static long trace(long request, pid_t pid, void *address, void *data)
{
	return sys(SYS_ptrace, request, pid, address, data);
}

static long peek(pid_t pid, void *address)
{
	long value = -1;

	trace(PTRACE_PEEKDATA, pid, address, &value);
	return value;
}

static int wait_for(pid_t pid)
{
	int status = -1;
	long got = sys(SYS_wait4, pid, &status, __WALL, NULL);

	return got == pid ? status : (int)got;
}

/* Let the child go on by `request`. Returns the status that wait tells next. */
static int go_on(long request, pid_t pid, long signal)
{
	long error = trace(request, pid, NULL, (void *)signal);

	return error ? (int)error : wait_for(pid);
}

static struct user_regs_struct registers_of(pid_t pid)
{
	struct user_regs_struct registers = { 0 };

	trace(PTRACE_GETREGS, pid, NULL, &registers);
	return registers;
}

/* Make a child that is traced, and that SIGSTOP stops before it runs `body`. */
static pid_t traced(int (*body)(void))
{
	pid_t child = fork();

	if (!child) {
		if (sys(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) != 0)
			_exit(99);
		raise(SIGSTOP);
		_exit(body());
	}
	if (wait_for(child) != STOPPED(SIGSTOP))
		bail("no stop", child);
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	while (WIFSTOPPED(wait_for(child)))
		trace(PTRACE_CONT, child, NULL, NULL);
}

/* ---- system calls, memory, registers ---- */

static int calls_body(void)
{
	sys(SYS_getppid);
	return sys(SYS_getpgid, 77) == 1234 ? 7 : 8;
}

static void test_calls(void)
{
	struct user_regs_struct registers;
	struct iovec piece = { &registers, sizeof(registers) };
	unsigned long message = 0;
	pid_t child = traced(calls_body);
	siginfo_t info;

	is(trace(PTRACE_SETOPTIONS, child, NULL, (void *)(1L << 30)), -EINVAL, "options that do not exist");
	is(trace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESYSGOOD), 0, "options");
	is(go_on(PTRACE_SYSCALL, child, 0), CALL_STOP, "the end of the call that sent SIGSTOP, or the next");
	while (registers_of(child).orig_rax != SYS_getppid)
		go_on(PTRACE_SYSCALL, child, 0);
	registers = registers_of(child);
	is((long)registers.rax, -ENOSYS, "at a call's beginning RAX has no result");
	is(trace(PTRACE_GETEVENTMSG, child, NULL, &message), 0, "a message");
	is((long)message, 1, "which says that a call begins");
	is(trace(PTRACE_GETSIGINFO, child, NULL, &info), 0, "a siginfo");
	is(info.si_code, SIGTRAP | 0x80, "with the stop's code");
	is(go_on(PTRACE_SYSCALL, child, 0), CALL_STOP, "its end");
	is((long)registers_of(child).rax, getpid(), "has the result");
	is(go_on(PTRACE_SYSCALL, child, 0), CALL_STOP, "the next one");
	is((long)registers_of(child).orig_rax, SYS_getpgid, "is another");
	is((long)registers_of(child).rdi, 77, "with its argument");
	registers = registers_of(child);
	registers.orig_rax = -1UL;
	registers.rax = 1234;
	is(trace(PTRACE_SETREGSET, child, (void *)NT_PRSTATUS, &piece), 0, "the call is left out");
	is(go_on(PTRACE_SYSCALL, child, 0), CALL_STOP, "it ends");
	is((long)registers_of(child).rax, 1234, "with a result of the tracer's");
	is(trace(PTRACE_PEEKDATA, child, (void *)8, &message), -EIO, "no memory there");
	is(peek(child, (void *)&word), word, "a word of the child");
	is(trace(PTRACE_POKEDATA, child, (void *)&word, (void *)5), 0, "is written");
	is(peek(child, (void *)&word), 5, "and read back");
	is(word == 5, 0, "and is the child's alone");
	is(trace(PTRACE_POKETEXT, child, (void *)calls_body, (void *)peek(child, (void *)calls_body)), 0,
	   "code is written");
	is(trace(PTRACE_PEEKUSER, child, (void *)offsetof(struct user, regs.rax), &message), 0, "a register alone");
	is((long)message, 1234, "has its value");
	is(trace(PTRACE_PEEKUSER, child, (void *)3, &message), -EIO, "an odd offset");
	is(trace(PTRACE_CONT, child, NULL, (void *)99), -EIO, "a signal that is none");
	is(go_on(PTRACE_CONT, child, 0), EXITED(7), "the child has seen the result");
	is(trace(PTRACE_CONT, child, NULL, NULL), -ESRCH, "it has ended");
}

static int fpu_body(void)
{
	double seen = 0;

	__asm__ volatile("movsd %1, %%xmm3; int3; movsd %%xmm3, %0" : "=m"(seen) : "m"((const double){ 1.5 }) : "xmm3");
	return (int)(seen * 2);
}

/* Return whether the kernel uses XSAVE: CPUID.1:ECX.OSXSAVE. */
static int has_xsave(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE;
}

static void test_fpu(void)
{
	static unsigned char state[8192];
	struct user_fpregs_struct fpu;
	struct iovec piece = { state, sizeof(state) };
	double value = 4.5;
	pid_t child = traced(fpu_body);

	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGTRAP), "int3 stops");
	is(trace(PTRACE_GETFPREGS, child, NULL, &fpu), 0, "FPU registers");
	is(memcmp((char *)fpu.xmm_space + 48, &(double){ 1.5 }, 8), 0, "XMM3 has its value");
	is((long)fpu.mxcsr, 0x1f80, "and MXCSR");
	memcpy((char *)fpu.xmm_space + 48, &value, 8);
	is(trace(PTRACE_SETFPREGS, child, NULL, &fpu), 0, "XMM3 is set");
	if (has_xsave()) {
		is(trace(PTRACE_GETREGSET, child, (void *)NT_X86_XSTATE, &piece), 0, "the extended state");
		is_true(piece.iov_len >= 576, (long)piece.iov_len, "has a header");
		is(memcmp(state + 160 + 48, &value, 8), 0, "and the same registers");
		is(trace(PTRACE_SETREGSET, child, (void *)NT_X86_XSTATE, &piece), 0, "it is set");
		piece.iov_len = 512;
		is(trace(PTRACE_SETREGSET, child, (void *)(1UL << 32 | NT_X86_XSTATE), &piece), -EFAULT, "not in part");
	} else {
		is(trace(PTRACE_GETREGSET, child, (void *)NT_X86_XSTATE, &piece), -ENODEV, "no extended state");
	}
	fpu.mxcsr = 0xffffffff;
	is(trace(PTRACE_SETFPREGS, child, NULL, &fpu), -EINVAL, "bits that MXCSR has not");
	piece.iov_len = 8;
	is(trace(PTRACE_GETREGSET, child, (void *)0x999, &piece), -EINVAL, "a set that is none");
	is(go_on(PTRACE_CONT, child, 0), EXITED(9), "the child has what was set");
}

/* ---- breakpoints, steps, watchpoints ---- */

__attribute__((noinline)) static int target(int x)
{
	__asm__ volatile("nop; nop; nop" : "+r"(x));
	return x + 1;
}

static int debug_body(void)
{
	int (*volatile call)(int) = target;
	int sum = call(1);

	word = 3;
	sum += call(2);
	sys(SYS_getppid);
	return sum;
}

static void test_breakpoints(void)
{
	struct user_regs_struct registers;
	pid_t child = traced(debug_body);
	long old = peek(child, (void *)target);
	unsigned long before, status;
	siginfo_t info;
	int steps = 0;

	is(trace(PTRACE_POKETEXT, child, (void *)target, (void *)((old & ~0xffL) | 0xcc)), 0, "a breakpoint");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGTRAP), "is hit");
	registers = registers_of(child);
	is((long)registers.rip, (long)target + 1, "behind int3");
	trace(PTRACE_GETSIGINFO, child, NULL, &info);
	is(info.si_code, 0x80, "by the kernel");
	is((long)registers.orig_rax, -1, "in no call");
	is(trace(PTRACE_POKETEXT, child, (void *)target, (void *)old), 0, "it is taken out");
	registers.rip = (unsigned long)target;
	is(trace(PTRACE_SETREGS, child, NULL, &registers), 0, "RIP is set back");
	is(go_on(PTRACE_SINGLESTEP, child, 0), STOPPED(SIGTRAP), "a step");
	trace(PTRACE_GETSIGINFO, child, NULL, &info);
	is(info.si_code, TRAP_TRACE, "is told");
	is_between((long)registers_of(child).rip, (long)target + 1, (long)target + 16, "one instruction on");
	is(registers_of(child).eflags & 0x100, 0, "the trap flag is not seen");
	/* Set a watchpoint of four bytes, for writes. */
	is(trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[0]), (void *)&word), 0,
	   "a watchpoint's address");
	is(trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[7]), (void *)0xd0001), 0,
	   "is turned on");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGTRAP), "a write hits it");
	trace(PTRACE_GETSIGINFO, child, NULL, &info);
	is(info.si_code, TRAP_HWBKPT, "by hardware");
	is(peek(child, (void *)&word), 3, "after the write");
	trace(PTRACE_PEEKUSER, child, (void *)offsetof(struct user, u_debugreg[6]), &status);
	is((long)(status & 15), 1, "DR6 names the register");
	/* Set a breakpoint of the hardware. */
	is(trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[7]), (void *)0), 0, "off");
	trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[0]), (void *)target);
	is(trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[7]), (void *)1), 0, "on");
	is(trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[1]), (void *)-4096L), -EINVAL,
	   "an address of the kernel");
	is(trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[4]), (void *)0), -EIO, "no DR4");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGTRAP), "it is hit");
	is((long)registers_of(child).rip, (long)target, "before the instruction");
	trace(PTRACE_POKEUSER, child, (void *)offsetof(struct user, u_debugreg[7]), (void *)0);
	trace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	go_on(PTRACE_SYSCALL, child, 0);
	is((long)registers_of(child).orig_rax, SYS_getppid, "a call");
	before = registers_of(child).rip;
	is(go_on(PTRACE_SINGLESTEP, child, 0), STOPPED(SIGTRAP), "a step over SYSCALL");
	is((long)registers_of(child).rip, (long)before, "ends behind it");
	while (steps < 10 && go_on(PTRACE_SINGLESTEP, child, 0) == STOPPED(SIGTRAP))
		steps++;
	is(steps, 10, "ten steps");
	is(go_on(PTRACE_CONT, child, 0), EXITED(5), "the end");
}

/* ---- signals ---- */

static volatile int caught;

static void catch (int signal)
{
	caught += signal;
}

static int signals_body(void)
{
	signal(SIGUSR1, catch);
	signal(SIGUSR2, catch);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGCHLD);
	return caught;
}

static void test_signals(void)
{
	pid_t child = traced(signals_body);
	unsigned long mask = 0;
	siginfo_t info;

	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGUSR1), "a signal");
	trace(PTRACE_GETSIGINFO, child, NULL, &info);
	is(info.si_code, SI_TKILL, "with its siginfo");
	is(info.si_pid, child, "and sender");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGUSR1), "not passed on; the next");
	is(go_on(PTRACE_CONT, child, SIGUSR1), STOPPED(SIGUSR1), "passed on; the next");
	is(go_on(PTRACE_CONT, child, SIGUSR2), STOPPED(SIGCHLD), "another; and one that is ignored");
	is(trace(PTRACE_GETSIGMASK, child, (void *)8, &mask), 0, "the mask");
	mask = 1UL << (SIGHUP - 1);
	is(trace(PTRACE_SETSIGMASK, child, (void *)8, &mask), 0, "is set");
	mask = 0;
	trace(PTRACE_GETSIGMASK, child, (void *)8, &mask);
	is((long)mask, 1L << (SIGHUP - 1), "and read back");
	is(trace(PTRACE_GETSIGMASK, child, (void *)4, &mask), -EINVAL, "a size that it has not");
	is(go_on(PTRACE_CONT, child, 0), EXITED(SIGUSR1 + SIGUSR2), "what came through");
}

static int stops_body(void)
{
	raise(SIGSTOP);
	sys(SYS_getpid);
	__asm__ volatile("movb $1, 8");
	return 3;
}

static void test_stops(void)
{
	pid_t child = traced(stops_body);
	siginfo_t info;
	int status;

	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGSTOP), "SIGSTOP");
	is(trace(PTRACE_GETSIGINFO, child, NULL, &info), 0, "has a siginfo");
	is(go_on(PTRACE_CONT, child, SIGSTOP), STOPPED(SIGSTOP), "its stop");
	is(trace(PTRACE_GETSIGINFO, child, NULL, &info), -EINVAL, "has none");
	is(sys(SYS_wait4, child, &status, WNOHANG | __WALL, NULL), 0, "and is told once");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGSEGV), "a fault");
	trace(PTRACE_GETSIGINFO, child, NULL, &info);
	is(info.si_code, SEGV_MAPERR, "with its code");
	is((long)info.si_addr, 8, "and its address");
	is(trace(PTRACE_KILL, child, NULL, NULL), 0, "a kill");
	is(wait_for(child), KILLED(SIGKILL), "ends it");
}

/* ---- children and execve ---- */

static int family_body(void)
{
	pid_t child = fork();

	if (!child)
		_exit(5);
	waitpid(child, NULL, 0);
	child = vfork();
	if (!child)
		_exit(6);
	waitpid(child, NULL, 0);
	return 4;
}

static void test_children(void)
{
	pid_t child = traced(family_body);
	unsigned long grandchild = 0;

	trace(PTRACE_SETOPTIONS, child, NULL,
	      (void *)(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT));
	is(go_on(PTRACE_CONT, child, 0), EVENT(PTRACE_EVENT_FORK), "fork");
	is(trace(PTRACE_GETEVENTMSG, child, NULL, &grandchild), 0, "its child");
	is(wait_for((pid_t)grandchild), STOPPED(SIGSTOP), "is traced");
	trace(PTRACE_CONT, child, NULL, NULL);
	is(go_on(PTRACE_CONT, (pid_t)grandchild, 0), EVENT(PTRACE_EVENT_EXIT), "and tells of its end");
	trace(PTRACE_GETEVENTMSG, (pid_t)grandchild, NULL, &grandchild);
	is((long)grandchild, EXITED(5), "with its status");
	{
		int status = 0;
		pid_t got = (pid_t)sys(SYS_wait4, -1, &status, __WALL | WNOHANG, NULL);

		is(got, 0, "no other news");
	}
	trace(PTRACE_GETEVENTMSG, child, NULL, &grandchild);
	end(child);
}

static int vfork_body(void)
{
	pid_t child = vfork();

	if (!child)
		_exit(6);
	return 4;
}

static void test_vfork(void)
{
	pid_t child = traced(vfork_body);
	unsigned long grandchild = 0, message = 0;

	trace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE));
	is(go_on(PTRACE_CONT, child, 0), EVENT(PTRACE_EVENT_VFORK), "vfork");
	trace(PTRACE_GETEVENTMSG, child, NULL, &grandchild);
	is(wait_for((pid_t)grandchild), STOPPED(SIGSTOP), "its child");
	trace(PTRACE_CONT, child, NULL, NULL);
	is(go_on(PTRACE_CONT, (pid_t)grandchild, 0), EXITED(6), "ends, which its tracer hears");
	is(wait_for(child), EVENT(PTRACE_EVENT_VFORK_DONE), "vfork is done");
	trace(PTRACE_GETEVENTMSG, child, NULL, &message);
	is((long)message, (long)grandchild, "with that child");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGCHLD), "which its parent hears of");
	is(go_on(PTRACE_CONT, child, 0), EXITED(4), "the end");
}

static int exec_body(void)
{
	execl("/proc/self/exe", "tracing", "-", NULL);
	return 90;
}

static void test_exec(void)
{
	pid_t child = traced(exec_body);
	unsigned long message = 0;

	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGTRAP), "execve without the option");
	is(go_on(PTRACE_CONT, child, 0), EXITED(17), "its program");
	child = traced(exec_body);
	trace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACEEXEC);
	is(go_on(PTRACE_CONT, child, 0), EVENT(PTRACE_EVENT_EXEC), "execve with it");
	trace(PTRACE_GETEVENTMSG, child, NULL, &message);
	is((long)message, child, "by the same thread");
	is((long)registers_of(child).orig_rax, SYS_execve, "in the call");
	is(go_on(PTRACE_CONT, child, 0), EXITED(17), "its program");
}

static char stack[16384] __attribute__((aligned(16)));

static int thread_main(void *argument)
{
	(void)argument;
	sys(SYS_exit, 21);
	return 0;
}

static int thread_body(void)
{
	int tid = clone(thread_main, stack + sizeof(stack),
			CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);

	while (sys(SYS_tgkill, getpid(), tid, 0) == 0)
		usleep(1000);
	return 12;
}

static void test_threads(void)
{
	pid_t child = traced(thread_body);
	unsigned long thread = 0;

	trace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACECLONE);
	is(go_on(PTRACE_CONT, child, 0), EVENT(PTRACE_EVENT_CLONE), "clone");
	trace(PTRACE_GETEVENTMSG, child, NULL, &thread);
	is(sys(SYS_waitid, P_PID, thread, NULL, WEXITED | WSTOPPED | __WNOTHREAD | WNOWAIT, NULL), 0, "a look at it");
	is(wait_for((pid_t)thread), STOPPED(SIGSTOP), "the thread is traced");
	trace(PTRACE_CONT, child, NULL, NULL);
	is(go_on(PTRACE_CONT, (pid_t)thread, 0), EXITED(21), "and its end is told");
	is(wait_for(child), EXITED(12), "the process's end");
}

/* ---- seccomp ---- */

/* Linux's struct sock_filter (an instruction) and struct sock_fprog. */
struct instruction {
	unsigned short code;
	unsigned char if_true, if_false;
	unsigned value;
};

struct program {
	unsigned short count;
	struct instruction *instructions;
};

static int seccomp_body(void)
{
	/* Load the call's number; answer getppid with SECCOMP_RET_TRACE and the data 7, and allow all other calls. */
	struct instruction filter[] = {
		{ 0x20, 0, 0, 0 },
		{ 0x15, 0, 1, SYS_getppid },
		{ 6, 0, 0, 0x7ff00007 },
		{ 6, 0, 0, 0x7fff0000 },
	};
	struct program program = { COUNT(filter), filter };

	sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (sys(SYS_seccomp, 1, 0, &program) != 0)
		return 1;
	return sys(SYS_getppid) == sys(SYS_getpid) && sys(SYS_getppid) == 55 ? 9 : 2;
}

static void test_seccomp(void)
{
	struct user_regs_struct registers;
	pid_t child = traced(seccomp_body);
	unsigned long message = 0;

	is(trace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESECCOMP), 0, "the option for seccomp");
	is(go_on(PTRACE_CONT, child, 0), EVENT(PTRACE_EVENT_SECCOMP), "its event");
	trace(PTRACE_GETEVENTMSG, child, NULL, &message);
	is((long)message, 7, "has the filter's data");
	registers = registers_of(child);
	is((long)registers.orig_rax, SYS_getppid, "and is at the call");
	registers.orig_rax = SYS_getpid;
	trace(PTRACE_SETREGS, child, NULL, &registers);
	is(go_on(PTRACE_CONT, child, 0), EVENT(PTRACE_EVENT_SECCOMP), "another call was made; the next event");
	registers = registers_of(child);
	registers.orig_rax = -1UL;
	registers.rax = 55;
	trace(PTRACE_SETREGS, child, NULL, &registers);
	is(go_on(PTRACE_CONT, child, 0), EXITED(9), "was left out with a result");
}

/* ---- attach and seize ---- */

static pid_t sleeper(void)
{
	pid_t child = fork();

	if (!child)
		for (;;)
			usleep(100000000);
	return child;
}

static long status_line(pid_t pid, const char *name)
{
	static char text[4096];
	char path[32], *at;
	int fd;
	long got;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = 0;
	at = strstr(text, name);
	if (!at)
		return -1;
	at += strlen(name);
	return *at >= '0' && *at <= '9' ? strtol(at, NULL, 10) : *at;
}

static void test_attach(void)
{
	pid_t child = sleeper();

	is(trace(PTRACE_ATTACH, getpid(), NULL, NULL), -EPERM, "oneself");
	is(trace(PTRACE_ATTACH, 0x3fffff, NULL, NULL), -ESRCH, "nobody");
	is(trace(PTRACE_CONT, child, NULL, NULL), -ESRCH, "one that is not traced");
	is(trace(PTRACE_ATTACH, child, NULL, NULL), 0, "a child");
	is(wait_for(child), STOPPED(SIGSTOP), "stops");
	is(trace(PTRACE_ATTACH, child, NULL, NULL), -EPERM, "once only");
	is(status_line(child, "State:\t"), 't', "its state");
	is(status_line(child, "TracerPid:\t"), getpid(), "its tracer");
	is(trace(PTRACE_DETACH, child, NULL, NULL), 0, "it is let go");
	is(status_line(child, "TracerPid:\t"), 0, "nobody traces it");
	is(trace(PTRACE_CONT, child, NULL, NULL), -ESRCH, "nor may go on with it");
	is(trace(PTRACE_ATTACH, child, NULL, NULL), 0, "again");
	is(wait_for(child), STOPPED(SIGSTOP), "it stops");
	is(trace(PTRACE_DETACH, child, NULL, (void *)SIGTERM), 0, "it is let go with a signal");
	is(wait_for(child), KILLED(SIGTERM), "that ends it");
}

/* Check that a tracer which attaches to a stopped task may ask for its registers at once. */
static void test_attach_to_stopped(void)
{
	struct user_regs_struct registers;
	pid_t child = sleeper();
	int status;

	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	is(status, STOPPED(SIGSTOP), "a child that has stopped");
	is(trace(PTRACE_ATTACH, child, NULL, NULL), 0, "is attached to");
	is(trace(PTRACE_GETREGS, child, NULL, &registers), 0, "and shows its registers at once");
	is(trace(PTRACE_DETACH, child, NULL, NULL), 0, "and is let go");
	kill(child, SIGKILL);
	is(wait_for(child), KILLED(SIGKILL), "and ends");
}

static void test_seize(void)
{
	pid_t child = sleeper();
	siginfo_t info;

	is(trace(PTRACE_SEIZE, child, (void *)1, NULL), -EIO, "seize with an address");
	is(trace(PTRACE_SEIZE, child, NULL, (void *)PTRACE_O_TRACESYSGOOD), 0, "seize");
	is(trace(PTRACE_CONT, child, NULL, NULL), -ESRCH, "it runs");
	is(trace(PTRACE_INTERRUPT, child, NULL, NULL), 0, "interrupt");
	is(wait_for(child), EVENT(PTRACE_EVENT_STOP), "it stops");
	is(trace(PTRACE_LISTEN, child, NULL, NULL), 0, "it is listened to");
	is(trace(PTRACE_CONT, child, NULL, NULL), -ESRCH, "and counts as running");
	is(trace(PTRACE_INTERRUPT, child, NULL, NULL), 0, "interrupt");
	is(wait_for(child), EVENT(PTRACE_EVENT_STOP), "it stops");
	trace(PTRACE_CONT, child, NULL, NULL);
	kill(child, SIGSTOP);
	is(wait_for(child), STOPPED(SIGSTOP), "SIGSTOP");
	is(go_on(PTRACE_CONT, child, SIGSTOP), STOPPED(SIGSTOP | PTRACE_EVENT_STOP << 8), "the stop of its process");
	is(trace(PTRACE_GETSIGINFO, child, NULL, &info), 0, "has a siginfo");
	is(info.si_code, SIGSTOP | PTRACE_EVENT_STOP << 8, "of its own");
	is(trace(PTRACE_LISTEN, child, NULL, NULL), 0, "it stays stopped");
	kill(child, SIGCONT);
	is(wait_for(child), EVENT(PTRACE_EVENT_STOP), "SIGCONT is told");
	is(go_on(PTRACE_CONT, child, 0), STOPPED(SIGCONT), "and delivered");
	trace(PTRACE_CONT, child, NULL, NULL);
	end(child);
}

static int exit_kill(void *argument)
{
	pid_t child = sleeper();

	(void)argument;
	trace(PTRACE_SEIZE, child, NULL, (void *)PTRACE_O_EXITKILL);
	*(volatile pid_t *)argument = child;
	return 0;
}

static int let_go(void *argument)
{
	pid_t child = sleeper();

	trace(PTRACE_ATTACH, child, NULL, NULL);
	wait_for(child);
	*(volatile pid_t *)argument = child;
	return 0;
}

static void test_tracers_end(void)
{
	volatile pid_t *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int tries = 0;

	is(in_child(exit_kill, (void *)shared), EXITED(0), "a tracer ends");
	while (kill(*shared, 0) == 0 && status_line(*shared, "State:\t") != 'Z' && tries++ < 5000)
		usleep(1000);
	is(tries < 5000, 1, "and its tracee with it");
	is(in_child(let_go, (void *)shared), EXITED(0), "another ends");
	is(status_line(*shared, "TracerPid:\t"), 0, "and its tracee is free");
	for (tries = 0; status_line(*shared, "State:\t") != 'S' && tries < 5000; tries++)
		usleep(1000);
	is(tries < 5000, 1, "and goes on");
	kill(*shared, SIGKILL);
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] == '-')
		return 17;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	test_calls();
	test_fpu();
	test_breakpoints();
	test_signals();
	test_stops();
	test_vfork();
	test_children();
	test_exec();
	test_threads();
	test_seccomp();
	test_attach();
	test_attach_to_stopped();
	test_seize();
	test_tracers_end();
	umount("/proc");
	return finish();
}

/*
 * Bad ways back to user mode, and bad stacks on the way in: what rt_sigreturn finds in a frame that the program has
 * changed, a call at the end of user memory, and stack pointers that point anywhere when a signal or an interrupt comes.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "paging/layout.h"
#include "test/user/tap.h"

#define SURVIVED 42

/* One register of the frame and what to write there; the handler reads it. */
static struct change {
	const char *name;
	int which;
	uint64_t value;
} * change;

static void change_frame(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	user->uc_mcontext.gregs[change->which] = (long long)change->value;
}

static void handle(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &action, NULL);
}

/* In the child: come back from a handler that changed the frame, and use the stack. */
static int return_changed(void *argument)
{
	unsigned code, flags;

	change = argument;
	handle(change_frame);
	sys(SYS_kill, sys(SYS_getpid), SIGUSR1);
	__asm__ volatile("mov %%cs, %0; pushf; pop %q1" : "=r"(code), "=r"(flags) : : "memory");
	/* Still a user, with interrupts on and without I/O rights. */
	return (code & 3) == 3 && (flags & 0x3200) == 0x200 ? SURVIVED : 1;
}

static const uint64_t bad_addresses[] = {
	0,
	1,
	USER_SIZE - 1,
	USER_SIZE,
	USER_SIZE + 8,
	HHDM_BASE - 8,
	HHDM_BASE,
	MMIO_BASE,
	MMIO_BASE + MMIO_SIZE,
	HEAP_BASE,
	HEAP_BASE + 0x1000,
	IMAGE_BASE,
	IMAGE_BASE + 0x1000,
	IMAGE_BASE + 0x10010,
	-16UL,
	-1UL,
	1UL << 63,
};

static void test_instruction_pointer(void)
{
	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		struct change to = { "RIP", REG_RIP, bad_addresses[i] };
		char name[80];

		snprintf(name, sizeof(name), "a handler returns to %#lx: the end", (unsigned long)bad_addresses[i]);
		is(in_child(return_changed, &to), KILLED(SIGSEGV), name);
	}
}

/* A stack fault at a non-canonical address is SIGBUS on Linux. */
static bool ended(int status)
{
	return status == KILLED(SIGSEGV) || status == KILLED(SIGBUS);
}

static void test_stack_pointer(void)
{
	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		struct change to = { "RSP", REG_RSP, bad_addresses[i] };
		int status = in_child(return_changed, &to);
		char name[80];

		snprintf(name, sizeof(name), "a handler returns with RSP %#lx: the end",
			 (unsigned long)bad_addresses[i]);
		is_true(ended(status), status, name);
	}
}

/* CS, GS, FS and SS in one word, as the frame has them; flags that only the kernel may set. Harmless or the end. */
static void test_segments_and_flags(void)
{
	static struct change changes[] = {
		{ "CS 0x08", REG_CSGSFS, 0x08 },
		{ "CS 0x10", REG_CSGSFS, 0x10 },
		{ "CS 0", REG_CSGSFS, 0 },
		{ "CS 0xfff8", REG_CSGSFS, 0xfff8 },
		{ "SS 0x10", REG_CSGSFS, 0x0010000000000033 },
		{ "SS 0xfff8", REG_CSGSFS, 0xfff8000000000033 },
		{ "IOPL 3", REG_EFL, 0x3202 },
		{ "interrupts off", REG_EFL, 0x2 },
		{ "NT", REG_EFL, 0x4202 },
		{ "VM", REG_EFL, 0x20202 },
		{ "VIF and VIP", REG_EFL, 0x180202 },
		{ "all flags but TF", REG_EFL, ~0x100UL },
	};

	for (size_t i = 0; i < COUNT(changes); i++) {
		int status = in_child(return_changed, &changes[i]);
		char name[80];

		snprintf(name, sizeof(name), "a handler returns with %s: no rights, or the end", changes[i].name);
		is_true(status == EXITED(SURVIVED) || ended(status) || status == KILLED(SIGTRAP), status, name);
	}
}

static uint64_t state_pointer;

static void change_state_pointer(int signal, siginfo_t *info, void *context)
{
	uint64_t *place = (uint64_t *)&((ucontext_t *)context)->uc_mcontext.fpregs;

	(void)signal;
	(void)info;
	*place = state_pointer;
}

/* Fill the saved vector state with ones: MXCSR and the header of XSAVE have bits that no CPU takes. */
static void damage_state(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	if (((ucontext_t *)context)->uc_mcontext.fpregs)
		memset(((ucontext_t *)context)->uc_mcontext.fpregs, 0xff, 512 + 64);
}

static int return_without_state(void *pointer)
{
	state_pointer = (uint64_t)pointer;
	handle(change_state_pointer);
	sys(SYS_kill, sys(SYS_getpid), SIGUSR1);
	return SURVIVED;
}

static int return_with_damage(void *unused)
{
	(void)unused;
	handle(damage_state);
	sys(SYS_kill, sys(SYS_getpid), SIGUSR1);
	return SURVIVED;
}

static void test_vector_state(void)
{
	int status = 0;

	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		char name[80];

		status = in_child(return_without_state, (void *)bad_addresses[i]);
		snprintf(name, sizeof(name), "a handler returns with its vector state at %#lx",
			 (unsigned long)bad_addresses[i]);
		is_true(status == EXITED(SURVIVED) || ended(status), status, name);
	}
	status = in_child(return_with_damage, NULL);
	is_true(status == EXITED(SURVIVED) || ended(status), status, "a handler returns with damaged vector state");
}

/* rt_sigreturn with nothing on the stack that it could return to. */
static int return_from_nothing(void *stack)
{
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" : : "r"(stack) : "memory");
	__builtin_unreachable();
}

static void test_sigreturn(void)
{
	static char zeros[4096], ones[4096];

	memset(ones, 0xff, sizeof(ones));
	is(in_child(return_from_nothing, zeros), KILLED(SIGSEGV), "rt_sigreturn from a frame of zeros: the end");
	is(in_child(return_from_nothing, ones), KILLED(SIGSEGV), "from one of ones: the end");
	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		char name[80];

		snprintf(name, sizeof(name), "rt_sigreturn with RSP %#lx: the end", (unsigned long)bad_addresses[i]);
		is(in_child(return_from_nothing, (void *)bad_addresses[i]), KILLED(SIGSEGV), name);
	}
}

static void count(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
}

/* In the child: a signal that has a handler comes while RSP is `stack`. */
static int signal_on_stack(void *stack)
{
	long self = sys(SYS_getpid);

	handle(count);
	__asm__ volatile("mov %0, %%rsp; mov $62, %%eax; syscall; ud2"
			 :
			 : "r"(stack), "D"(self), "S"(SIGUSR1)
			 : "memory");
	__builtin_unreachable();
}

/* In the child: interrupts come while RSP is `stack`; the loop is long enough for many. */
static int interrupt_on_stack(void *stack)
{
	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "mov %0, %%rsp\n\t"
			 "mov $20000000, %%ecx\n\t"
			 "1: dec %%ecx\n\t"
			 "jnz 1b\n\t"
			 "mov %%r12, %%rsp"
			 :
			 : "r"(stack)
			 : "r12", "rcx", "memory", "cc");
	return SURVIVED;
}

/* In the child: calls and a fault while RSP is `stack`. */
static int call_on_stack(void *stack)
{
	long result = SYS_getppid;

	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "mov %1, %%rsp\n\t"
			 "syscall\n\t"
			 "mov %%r12, %%rsp"
			 : "+a"(result)
			 : "r"(stack)
			 : "r12", "rcx", "r11", "memory", "cc");
	return result > 0 ? SURVIVED : 1;
}

static void test_stacks(void)
{
	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		void *stack = (void *)bad_addresses[i];
		char name[80];

		snprintf(name, sizeof(name), "a signal comes with RSP %p: the end", stack);
		is(in_child(signal_on_stack, stack), KILLED(SIGSEGV), name);
		snprintf(name, sizeof(name), "a call with RSP %p works", stack);
		is(in_child(call_on_stack, stack), EXITED(SURVIVED), name);
		if (i % 3 == 0) {
			snprintf(name, sizeof(name), "interrupts with RSP %p are not noticed", stack);
			is(in_child(interrupt_on_stack, stack), EXITED(SURVIVED), name);
		}
	}
}

/* In the child: a call whose next instruction would be the first behind the page at `page`. */
static int call_at_end(void *page)
{
	static const unsigned char syscall_bytes[2] = { 0x0f, 0x05 };
	long mapped = sys(SYS_mmap, page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (mapped != (long)page)
		return SURVIVED; /* refused: there is no such page */
	memcpy((char *)page + PAGE - 2, syscall_bytes, 2);
	if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0)
		return 1;
	__asm__ volatile("jmp *%0" : : "r"((char *)page + PAGE - 2), "a"(SYS_getppid) : "rcx", "r11", "memory");
	return 2;
}

static void test_end_of_memory(void)
{
	int status = in_child(call_at_end, (void *)(USER_SIZE - PAGE));

	is_true(status == EXITED(SURVIVED) || status == KILLED(SIGSEGV), status,
		"a call at the end of the last page: no such page, or the end");
	status = in_child(call_at_end, (void *)(USER_SIZE - 2 * PAGE));
	is_true(status == EXITED(SURVIVED) || status == KILLED(SIGSEGV), status, "of the last page but one too");
}

int main(void)
{
	test_instruction_pointer();
	test_stack_pointer();
	test_segments_and_flags();
	test_vector_state();
	test_sigreturn();
	test_stacks();
	test_end_of_memory();
	return finish();
}

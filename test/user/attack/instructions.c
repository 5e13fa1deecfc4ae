/*
 * Instructions that are the kernel's own, gates that are not for users, and flags that must not reach the kernel.
 * Each in a child that dies with SIGSEGV, or does what the check says.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "paging/layout.h"
#include "test/user/tap.h"

#define FLAG_TF (1UL << 8)
#define FLAG_NT (1UL << 14)
#define FLAG_AC (1UL << 18)

struct code {
	const char *name;
	unsigned char bytes[12];
	size_t size;
};

/* In the child: run the bytes, which a `ret` follows. RAX and RDX are 0, RDI and RCX a user's page. */
static int run_bytes(void *argument)
{
	const struct code *code = argument;
	unsigned char *page = fresh(2 * PAGE, PROT_READ | PROT_WRITE);

	memcpy(page, code->bytes, code->size);
	page[code->size] = 0xc3;
	if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0)
		return 2;
	__asm__ volatile("call *%0"
			 :
			 : "r"(page), "a"(0L), "d"(0L), "D"(page + PAGE), "c"(page + PAGE)
			 : "rbx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
	return 0;
}

#define CODE(name, ...)                                                         \
	{                                                                       \
		name, { __VA_ARGS__ }, sizeof((unsigned char[]){ __VA_ARGS__ }) \
	}

static void test_privileged(void)
{
	static struct code codes[] = {
		CODE("cli", 0xfa),
		CODE("sti", 0xfb),
		CODE("hlt", 0xf4),
		CODE("in al, dx", 0xec),
		CODE("out dx, al", 0xee),
		CODE("in al, 0x60", 0xe4, 0x60),
		CODE("out 0x64, al", 0xe6, 0x64),
		CODE("outsb", 0x6e),
		CODE("mov rax, cr0", 0x0f, 0x20, 0xc0),
		CODE("mov cr0, rax", 0x0f, 0x22, 0xc0),
		CODE("mov rax, cr3", 0x0f, 0x20, 0xd8),
		CODE("mov cr3, rax", 0x0f, 0x22, 0xd8),
		CODE("mov cr4, rax", 0x0f, 0x22, 0xe0),
		CODE("mov cr8, rax", 0x44, 0x0f, 0x22, 0xc0),
		CODE("mov dr7, rax", 0x0f, 0x23, 0xf8),
		CODE("mov rax, dr7", 0x0f, 0x21, 0xf8),
		CODE("clts", 0x0f, 0x06),
		CODE("rdmsr", 0x0f, 0x32),
		CODE("wrmsr", 0x0f, 0x30),
		CODE("invlpg [rdi]", 0x0f, 0x01, 0x3f),
		CODE("wbinvd", 0x0f, 0x09),
		CODE("invd", 0x0f, 0x08),
		CODE("lgdt [rdi]", 0x0f, 0x01, 0x17),
		CODE("lidt [rdi]", 0x0f, 0x01, 0x1f),
		CODE("lldt ax", 0x0f, 0x00, 0xd0),
		CODE("ltr ax", 0x0f, 0x00, 0xd8),
		CODE("lmsw ax", 0x0f, 0x01, 0xf0),
		CODE("swapgs", 0x0f, 0x01, 0xf8),
		CODE("sysretq", 0x48, 0x0f, 0x07),
		CODE("xsetbv", 0x0f, 0x01, 0xd1),
	};

	for (size_t i = 0; i < COUNT(codes); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s is the end", codes[i].name);
		is(in_child(run_bytes, &codes[i]), KILLED(SIGSEGV), name);
	}
}

/* Each software interrupt. 3 is a breakpoint; 0x80 is Linux's 32-bit call, which this kernel may refuse. */
static void test_gates(void)
{
	long wrong = 0, status;

	for (unsigned vector = 0; vector < 256; vector++) {
		struct code code = CODE("int", 0xcd, (unsigned char)vector);

		if (vector == 3 || vector == 0x80)
			continue;
		status = in_child(run_bytes, &code);
		if (status != KILLED(SIGSEGV))
			wrong = 0x1000 + vector;
	}
	is(wrong, 0, "each software interrupt but 3 and 0x80 is the end");
	struct code breakpoint = CODE("int 3", 0xcd, 3), call = CODE("int 0x80", 0xcd, 0x80);

	is(in_child(run_bytes, &breakpoint), KILLED(SIGTRAP), "int 3 is a breakpoint");
	status = in_child(run_bytes, &call);
	is_true(status == EXITED(0) || status == KILLED(SIGSEGV), status, "int 0x80 is a call or the end");
	struct code sysenter = CODE("sysenter", 0x0f, 0x34);

	status = in_child(run_bytes, &sysenter);
	is_true(status != EXITED(0), status, "sysenter does not come back");
}

static int far_return(void *selector)
{
	__asm__ volatile("push %0\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n\t"
			 "1:"
			 :
			 : "r"(selector)
			 : "rax", "memory");
	return 0;
}

static int interrupt_return(void *selector)
{
	__asm__ volatile("mov %%rsp, %%rcx\n\t"
			 "push $0\n\t"
			 "push %%rcx\n\t"
			 "pushf\n\t"
			 "push %0\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "iretq\n\t"
			 "1:"
			 :
			 : "r"(selector)
			 : "rax", "rcx", "memory");
	return 0;
}

static int load_segment(void *selector)
{
	__asm__ volatile("mov %w0, %%ds; mov %w0, %%es; mov %w0, %%fs; mov %w0, %%gs" : : "r"(selector));
	return 0;
}

/* Selectors of every kernel segment that there may be, with the rights of the kernel. */
static void test_selectors(void)
{
	long far = 0, interrupt = 0;

	for (long selector = 0; selector < 0x80; selector += 8) {
		if (in_child(far_return, (void *)selector) == EXITED(0))
			far = selector;
		if (in_child(interrupt_return, (void *)selector) == EXITED(0))
			interrupt = selector;
		in_child(load_segment, (void *)selector);
		in_child(load_segment, (void *)(selector | 3));
	}
	is(far, 0, "a far return to each selector with the kernel's rights is the end");
	is(interrupt, 0, "an interrupt return too");
}

/* In the child: make a call with `flags` set. */
static int call_with_flags(void *flags)
{
	unsigned long now;
	long result = SYS_getppid;

	__asm__ volatile("pushf\n\t"
			 "or %[flags], (%%rsp)\n\t"
			 "popf\n\t"
			 "syscall\n\t"
			 "pushf\n\t"
			 "pop %[now]\n\t"
			 "push $2\n\t"
			 "popf\n\t"
			 : "+a"(result), [now] "=&r"(now)
			 : [flags] "r"(flags)
			 : "rcx", "r11", "memory", "cc");
	return result > 0 && (now & (unsigned long)flags) == (unsigned long)flags ? 0 : 1;
}

static int fault_with_flags(void *flags)
{
	__asm__ volatile("pushf; or %0, (%%rsp); popf; mov 0, %%al" : : "r"(flags) : "rax", "memory", "cc");
	return 0;
}

static int ask_for_ports(void *unused)
{
	unsigned long now;

	(void)unused;
	__asm__ volatile("pushf; orq $0x3000, (%%rsp); popf; pushf; pop %0" : "=r"(now) : : "memory", "cc");
	return (now & 0x3000) != 0;
}

static void test_flags(void)
{
	is(in_child(call_with_flags, (void *)FLAG_NT), EXITED(0), "a call with NT set");
	is(in_child(call_with_flags, (void *)FLAG_AC), EXITED(0), "with AC set");
	is(in_child(call_with_flags, (void *)FLAG_TF), KILLED(SIGTRAP), "with TF set is a trap, in user code");
	is(in_child(fault_with_flags, (void *)(FLAG_NT | FLAG_AC)), KILLED(SIGSEGV), "a fault with NT and AC set");
	is(in_child(ask_for_ports, NULL), EXITED(0), "popf does not give IOPL");
}

int main(void)
{
	test_privileged();
	test_gates();
	test_selectors();
	test_flags();
	return finish();
}

/*
 * Tests memory that is writable and executable: code that is written and run by turns, by one thread and by two, after
 * a fork and on the stack; and instructions that write to the page in which they lie.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define RWX    (PROT_READ | PROT_WRITE | PROT_EXEC)
#define TURNS  2000
#define ROUNDS 20000

typedef unsigned long (*function)(unsigned long);

/* Write code at `at`, and leave the rest of the page as it is. */
static function put(unsigned char *at, const void *code, size_t size)
{
	memcpy(at, code, size);
	return (function)(void *)at;
}

/* Write code that returns `value`: mov eax, VALUE; ret */
static function put_constant(unsigned char *at, unsigned value)
{
	unsigned char code[] = { 0xb8, 0, 0, 0, 0, 0xc3 };

	memcpy(code + 1, &value, sizeof(value));
	return put(at, code, sizeof(code));
}

static unsigned count_wrong(unsigned char *page, int turns)
{
	unsigned wrong = 0;

	for (int i = 0; i < turns; i++)
		wrong += put_constant(page + i % 64, (unsigned)i)(0) != (unsigned)i;
	return wrong;
}

static void test_turns(void)
{
	unsigned char *page = fresh(3 * PAGE, RWX), *other = fresh(4 << 20, PROT_READ | PROT_WRITE), *shared;

	is(put_constant(page + PAGE, 7)(0), 7, "code in memory that was writable and executable from the start");
	is(count_wrong(page, TURNS), 0, "code that is written and run by turns");
	memset(other, 0xc3, 4 << 20);
	is(sys(SYS_mprotect, other, 4 << 20, RWX), 0, "mprotect makes written memory executable as well");
	is(count_wrong(other + (2 << 20), TURNS), 0, "code there");
	is(other[(2 << 20) + PAGE], 0xc3, "what was there stays");
	shared = mmap(NULL, PAGE, RWX, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is(count_wrong(shared, TURNS), 0, "code in shared memory");
	munmap(shared, PAGE);
	munmap(other, 4 << 20);
	munmap(page, 3 * PAGE);
}

static int run_in_child(void *page)
{
	unsigned before = (unsigned)put_constant((unsigned char *)page + 32, 5)(0);

	return before == 5 && count_wrong(page, 100) == 0 ? 0 : 1;
}

static void test_fork(void)
{
	unsigned char *page = fresh(PAGE, RWX);

	put_constant(page, 11)(0);
	is(in_child(run_in_child, page), EXITED(0), "a child writes and runs its own copy");
	is(((function)(void *)page)(0), 11, "its parent's is what it was");
	is(((function)(void *)page)(0), 11, "and runs again");
	munmap(page, PAGE);
}

static void test_stack(void)
{
	unsigned char code[64] = { 0 };
	unsigned long start = (unsigned long)code & ~(PAGE - 1);

	if (is(sys(SYS_mprotect, start, PAGE, RWX | 0x01000000), 0, "mprotect of the stack, with PROT_GROWSDOWN"))
		is(put_constant(code, 13)(0), 13, "code on the stack");
	is(sys(SYS_mprotect, start, PAGE, PROT_READ | PROT_WRITE | 0x01000000), 0, "and back");
}

/* ---- instructions that write to their own page ---- */

/*
 * Code that writes to its own page: it takes an argument in RDI, changes the word at offset 256 of the page, and
 * returns a result in RAX.
 */
static const struct {
	const char *name;
	unsigned char code[48];
	unsigned long result, word;
} writers[] = {
	{ "mov [rip+x], rdi", { 0x48, 0x89, 0x3d, 0xf9, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0xc3 }, 1, 0x1234 },
	{ "mov dword [rip+x], 9", { 0xc7, 0x05, 0xf6, 0, 0, 0, 9, 0, 0, 0, 0xb8, 2, 0, 0, 0, 0xc3 }, 2, 9 },
	{ "inc dword [rip+x]", { 0xff, 0x05, 0xfa, 0, 0, 0, 0xb8, 3, 0, 0, 0, 0xc3 }, 3, 1 },
	{ "lock xadd [rip+x], rdi",
	  { 0xf0, 0x48, 0x0f, 0xc1, 0x3d, 0xf7, 0, 0, 0, 0x48, 0x89, 0xf8, 0xc3 },
	  0,
	  0x1234 },
	{ "movq [rip+x], xmm0",
	  { 0x66, 0x48, 0x0f, 0x6e, 0xc7, 0x66, 0x0f, 0xd6, 0x05, 0xf3, 0, 0, 0, 0xb8, 5, 0, 0, 0, 0xc3 },
	  5,
	  0x1234 },
	{ "rep stosb of 8 bytes",
	  { 0x48, 0x89, 0xf8, 0x48, 0x8d, 0x3d, 0xf6, 0, 0, 0, 0xb9, 8, 0, 0, 0, 0xf3, 0xaa, 0x89, 0xc8, 0xc3 },
	  0,
	  0x3434343434343434 },
	/*
	 * The code moves the stack into the page: lea rdx, [rip+x]; xchg rsp, rdx; push rdi; xchg rsp, rdx; mov eax, 6;
	 * ret
	 */
	{ "push",
	  { 0x48, 0x8d, 0x15, 0x01, 0x01, 0, 0, 0x48, 0x87, 0xd4, 0x57, 0x48, 0x87, 0xd4, 0xb8, 6, 0, 0, 0, 0xc3 },
	  6,
	  0x1234 },
	/* In place of "push rdi" this code has: call the next instruction; pop rax; and later: sub rax, that address */
	{ "call",
	  { 0x48, 0x8d, 0x15, 0x01, 0x01, 0,    0,    0x48, 0x87, 0xd4, 0xe8, 0,    0,    0,    0,
	    0x58, 0x48, 0x87, 0xd4, 0x48, 0x8d, 0x0d, 0xf5, 0xff, 0xff, 0xff, 0x48, 0x29, 0xc8, 0xc3 },
	  0,
	  0 },
	/* In place of "push rdi" this code has: pushf; pop rax; and later: and eax, 0x100 (the trap flag) */
	{
		"pushf",
		{ 0x48, 0x8d, 0x15, 0x01, 0x01, 0, 0, 0x48, 0x87, 0xd4, 0x9c,
		  0x58, 0x48, 0x87, 0xd4, 0x25, 0, 1, 0,    0,    0xc3 },
		0,
		0 },
};

static void test_writers(void)
{
	for (size_t i = 0; i < COUNT(writers); i++) {
		unsigned char *page = fresh(PAGE, RWX);
		function f = put(page, writers[i].code, sizeof(writers[i].code));
		unsigned long word = 0;

		is((long)f(0x1234), (long)writers[i].result, writers[i].name);
		memcpy(&word, page + 256, sizeof(word));
		if (writers[i].word)
			is((long)word, (long)writers[i].word, "what it wrote");
		munmap(page, PAGE);
	}
}

/* Run such an instruction at the end of a page, so that it lies in two pages, and let it write to either. */
static void test_across(void)
{
	unsigned char *pages = fresh(3 * PAGE, RWX), code[] = { 0x48, 0x89, 0x3d, 0, 0, 0, 0, 0xb8, 8, 0, 0, 0, 0xc3 };

	for (int to = 0; to < 2; to++) {
		int distance = to ? 1024 : -1024;
		unsigned long word;

		memcpy(code + 3, &distance, sizeof(distance));
		is((long)put(pages + PAGE - 4, code, sizeof(code))(0x77), 8, "an instruction in two pages");
		memcpy(&word, pages + PAGE + 3 + distance, sizeof(word));
		is((long)word, 0x77, "what it wrote");
	}
	munmap(pages, 3 * PAGE);
}

static volatile int alarms;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* Let signals come before and after such instructions: the handler must see the program's own address. */
static void test_signals(void)
{
	/* the instructions inc dword [rip+x]; ret */
	static const unsigned char code[] = { 0xff, 0x05, 0xfa, 0, 0, 0, 0xc3 };
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	unsigned char *page = fresh(PAGE, RWX);
	function f = put(page, code, sizeof(code));
	unsigned calls = 0, word = 0;

	signal(SIGALRM, count_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (; calls < TURNS || (alarms < 20 && calls < 100 * TURNS); calls++)
		f(0);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	memcpy(&word, page + 256, sizeof(word));
	is(word, calls, "each instruction is executed once, whatever signals come");
	is_true(alarms > 0, alarms, "signals came");
	munmap(page, PAGE);
}

/* ---- two threads ---- */

static unsigned char *both;
static volatile int stop;

static void *write_on(void *unused)
{
	unsigned *word = (unsigned *)(void *)(both + 2048);

	(void)unused;
	while (!stop)
		__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void test_threads(void)
{
	pthread_t writer;
	unsigned wrong = 0;
	function f;

	both = fresh(PAGE, RWX);
	f = put_constant(both, 99);
	pthread_create(&writer, NULL, write_on, NULL);
	while (!__atomic_load_n((unsigned *)(void *)(both + 2048), __ATOMIC_RELAXED))
		sched_yield();
	for (int i = 0; i < ROUNDS; i++)
		wrong += f(0) != 99;
	stop = 1;
	pthread_join(writer, NULL);
	is(wrong, 0, "one thread runs what lies in the page, another one writes to it");
}

int main(void)
{
	test_turns();
	test_fork();
	test_stack();
	test_writers();
	test_across();
	test_signals();
	test_threads();
	return finish();
}

/*
 * Tests the vector state in a signal's frame: what a handler finds, what it may change, and that values which no CPU
 * would load are refused.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "test/user/tap.h"

/* Values and offsets in struct _fpx_sw_bytes and in the XSAVE header behind it (<asm/sigcontext.h>). */
#define MAGIC1        0x46505853U
#define MAGIC2        0x46505845U
#define WORDS         464
#define EXTENDED_SIZE (WORDS + 4)
#define STATE_SIZE    (WORDS + 16)
#define PRESENT       512 /* the offset of XSTATE_BV, which says which parts are present */
#define HEADER        512
#define XMM7          (160 + 7 * 16)
#define MXCSR         24

#define MXCSR_START   0x1f80U
#define MXCSR_TO_ZERO 0x7f80U /* the start value, but rounding towards zero */

static uint64_t found, changed;
static uint32_t words[3]; /* what a handler has found: magic1, the area's size, magic2 */

static uint32_t word_at(const unsigned char *state, size_t offset)
{
	uint32_t word;

	memcpy(&word, state + offset, sizeof(word));
	return word;
}

static unsigned char *state_in(void *context)
{
	return (unsigned char *)((ucontext_t *)context)->uc_mcontext.fpregs;
}

static void change_xmm7(int signal, siginfo_t *info, void *context)
{
	unsigned char *state = state_in(context);

	(void)signal;
	(void)info;
	memcpy(&found, state + XMM7, sizeof(found));
	memcpy(state + XMM7, &changed, sizeof(changed));
	words[0] = word_at(state, WORDS);
	words[1] = word_at(state, STATE_SIZE);
	if (words[0] == MAGIC1)
		words[2] = word_at(state, word_at(state, EXTENDED_SIZE) - sizeof(uint32_t));
}

/* Clear magic1, so that the area is taken as FXSAVE's, which has its first 512 bytes only. */
static void make_legacy(int signal, siginfo_t *info, void *context)
{
	change_xmm7(signal, info, context);
	memset(state_in(context) + WORDS, 0, 4);
}

static void make_null(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.fpregs = NULL;
}

static int header_bit;

static void set_header_bit(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	state_in(context)[HEADER + header_bit / 8] ^= (unsigned char)(1 << header_bit % 8);
}

static void *other_state;

static void point_elsewhere(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.fpregs = other_state;
}

static void install(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
}

/*
 * Send this process a signal with `before` in XMM7 and with MXCSR changed. Returns what XMM7 is afterwards, *ret_mxcsr
 * what MXCSR is.
 */
static uint64_t xmm7_after(uint64_t before, uint32_t *ret_mxcsr)
{
	const uint32_t to_zero = MXCSR_TO_ZERO, start = MXCSR_START;
	long result = SYS_kill;
	uint64_t after;

	__asm__ volatile("ldmxcsr %[to_zero]\n\t"
			 "movq %[before], %%xmm7\n\t"
			 "syscall\n\t"
			 "movq %%xmm7, %[after]\n\t"
			 "stmxcsr %[mxcsr]\n\t"
			 "ldmxcsr %[start]\n\t"
			 : "+a"(result), [after] "=&r"(after), [mxcsr] "=m"(*ret_mxcsr)
			 : "D"(sys(SYS_getpid)),
			   "S"(SIGUSR1), [before] "r"(before), [to_zero] "m"(to_zero), [start] "m"(start)
			 : "rcx", "r11", "xmm7", "memory", "cc");
	return after;
}

/*
 * Send a signal with `before` in the upper half of YMM7, which lies behind the first 512 bytes. Returns what is there
 * then.
 */
static uint64_t ymm7_upper_after(uint64_t before)
{
	uint64_t in[4] = { 1, 2, before, 4 }, out[4];
	long result = SYS_kill;

	__asm__ volatile("vmovdqu %[in], %%ymm7\n\t"
			 "syscall\n\t"
			 "vmovdqu %%ymm7, %[out]\n\t"
			 "vzeroupper\n\t"
			 : "+a"(result), [out] "=m"(out)
			 : "D"(sys(SYS_getpid)), "S"(SIGUSR1), [in] "m"(in)
			 : "rcx", "r11", "xmm7", "memory", "cc");
	return out[2];
}

static void nothing(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	__asm__ volatile("pxor %%xmm7, %%xmm7" : : : "xmm7");
}

static uint32_t entry_mxcsr;
static uint16_t entry_control;
static uint64_t entry_xmm7, entry_code, entry_stack;
static greg_t frame_segments;

static void look(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	__asm__ volatile("movq %%xmm7, %0" : "=r"(entry_xmm7));
	__asm__ volatile("stmxcsr %0" : "=m"(entry_mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(entry_control));
	__asm__ volatile("mov %%cs, %0" : "=r"(entry_code));
	__asm__ volatile("mov %%ss, %0" : "=r"(entry_stack));
	frame_segments = ((ucontext_t *)context)->uc_mcontext.gregs[REG_CSGSFS];
}

/* Check that a handler starts with the initial vector state and in Linux's segments. */
static void test_entry(void)
{
	const uint16_t odd = 0x27f, start = 0x37f;
	uint16_t control;
	uint32_t mxcsr;

	install(look);
	__asm__ volatile("fldcw %0" : : "m"(odd));
	is(xmm7_after(81, &mxcsr), 81, "XMM7 after a handler");
	__asm__ volatile("fnstcw %0" : "=m"(control));
	__asm__ volatile("fldcw %0" : : "m"(start));
	is(control, odd, "and the x87's control word");
	is((long)entry_xmm7, 0, "are not what it starts with: XMM7");
	is(entry_mxcsr, MXCSR_START, "MXCSR");
	is(entry_control, start, "the control word");
	is((long)entry_code, 0x33, "CS");
	is((long)entry_stack, 0x2b, "SS");
	is(frame_segments & 0xffff, 0x33, "CS in the frame");
	is(frame_segments >> 48 & 0xffff, 0x2b, "and SS");
}

static void test_change(void)
{
	uint32_t mxcsr;

	changed = 0x1234567812345678;
	install(nothing);
	is(xmm7_after(77, &mxcsr), 77, "a handler's own use of XMM7 does not last");
	is(mxcsr, MXCSR_TO_ZERO, "nor does its rounding mode");
	install(change_xmm7);
	is(xmm7_after(78, &mxcsr), (long)changed, "what it writes to the frame's does");
	is((long)found, 78, "it finds what was there");
	is(words[0] == MAGIC1 ? words[2] : MAGIC2, MAGIC2, "magic2 is where the words say");
	install(make_legacy);
	is(xmm7_after(79, &mxcsr), (long)changed, "an area without magic1 is FXSAVE's");
	is(mxcsr, MXCSR_TO_ZERO, "with MXCSR");
	install(make_null);
	(void)xmm7_after(80, &mxcsr);
	is(mxcsr, MXCSR_START, "without an area the state is a new program's");
}

static void test_avx(void)
{
	if (!__builtin_cpu_supports("avx"))
		return;
	install(nothing);
	is((long)ymm7_upper_after(99), 99, "the upper half of YMM7 is as it was");
	install(make_legacy);
	is((long)ymm7_upper_after(99), 0, "and as after a reset without magic1");
}

static int signal_to_self(void *handler)
{
	uint32_t mxcsr;

	install((void (*)(int, siginfo_t *, void *))handler);
	(void)xmm7_after(1, &mxcsr);
	return 0;
}

static void test_refused(void)
{
	static const int bits[] = { 62, 64, 127, 128, 191 };
	unsigned char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Only a frame with a header has these bits; test_change() has stored the frame's magic number in words[0]. */
	for (size_t i = 0; words[0] == MAGIC1 && i < sizeof(bits) / sizeof(bits[0]); i++) {
		header_bit = bits[i];
		is(in_child(signal_to_self, (void *)set_header_bit), KILLED(SIGSEGV), "a reserved bit of the header");
	}
	other_state = page;
	is(in_child(signal_to_self, (void *)point_elsewhere), KILLED(SIGSEGV), "an area that may not be read");
	other_state = (void *)-64UL;
	is(in_child(signal_to_self, (void *)point_elsewhere), KILLED(SIGSEGV), "one that is the kernel's");
	munmap(page, 4096);
}

int main(void)
{
	test_entry();
	test_change();
	test_avx();
	test_refused();
	return finish();
}

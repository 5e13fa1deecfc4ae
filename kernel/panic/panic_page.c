/*
 * The panic page: 96 columns and some 50 lines, so that it fits a small screen; the log gets the lines that are left,
 * but 2 at the least and 10 at the most. It is printed in sections: an exception in one of them, on a machine that is
 * broken already, ends that section, and the page goes on with the next. Stacks and code are read by peek(), which
 * checks that they are mapped.
 *
 * Guard of all state here: the panic, which runs alone with interrupts off; the settings are fixed after boot.
 */
#include "kernel/panic/panic_page.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/trap.h"
#include "kernel/dev/hvc.h"
#include "kernel/dev/power.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/panic/panic_task.h"
#include "kernel/panic/trap_text.h"
#include "kernel/report/backtrace.h"
#include "kernel/report/lines.h"
#include "kernel/report/peek.h"
#include "kernel/report/symbols.h"
#include "kernel/report/walk_report.h"
#include "kernel/sync/lock.h"

#define PAGE_LINES      50
#define PAGE_COLUMNS    96
#define BACKTRACE_LINES 12
#define LOG_LINES_LEAST 2
#define LOG_LINES_MOST  10
#define END_LINES       2
#define CODE_BYTES      16

/* columns for the text of a log line: the time before the text takes 15 */
#define LOG_TEXT_COLUMNS (PAGE_COLUMNS - 15)

/* the TSC's rate that is assumed while the real one is unknown: higher than the rate of any CPU today */
#define TSC_FREQUENCY_MOST 6000000000ULL

/* The event that the page reports. */
struct subject {
	struct trap_frame *frame;  /* the trap; NULL: panic() was called */
	char message[256];         /* panic()'s message */
	vaddr_t caller;            /* the address that panic() returns to */
	struct backtrace_start at; /* where the backtrace starts */
	uint64_t cr2;              /* register CR2 when the page began: after a page fault, its address */
	struct space space;        /* the page tables that were loaded when the event happened */
};

static struct subject subject;
static void (*debugger)(struct trap_frame *frame); /* set by panic_page_set_debugger(); NULL: none */
static long restart_seconds; /* seconds from the page's end to the restart; negative: at once; 0: the machine halts */
static uint64_t restart_frequency; /* TSC ticks a second */
static size_t lines_said;          /* lines of the page so far */
static const char *explanation;    /* set by panic_page_explain(); NULL: none */

/* Print a piece of the page, and count its lines: the log section must know how much room is left. */
static __attribute__((format(printf, 1, 2))) void say_counted(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	format_quoted_v(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; text[i]; i++)
		lines_said += text[i] == '\n';
	say_text(text, strlen(text));
}

/*
 * Reset the screen and the terminal on the serial line, to which programs may have sent colours, margins, or half an
 * escape sequence. The serial terminal gets CAN, which ends an unfinished sequence, then DECSTR (soft reset) and SGR 0.
 */
static void freshen_terminals(void)
{
	static const char reset[] = "\030\033[!p\033[0m";

	screen_reset();
	say_text(reset, sizeof(reset) - 1);
}

/*
 * Print a page fault's address. When it is in the direct map or the MMIO window, which only the kernel context (page
 * tables) maps, and another context is loaded, say so: the code has forgotten kernel_context_enter().
 */
static void say_address(void)
{
	const char *only_there = kernel_context_text(subject.cr2);
	uint64_t root = kernel_space.root.raw;

	say_counted("address 0x%016llx: %s\n", (unsigned long long)subject.cr2, address_text(subject.cr2));
	if (only_there && root && subject.space.root.raw != root)
		say_counted("Only the kernel context has the %s: call kernel_context_enter() first.\n", only_there);
}

static void say_exception(void)
{
	const struct trap_frame *f = subject.frame;
	char place[SYMBOL_TEXT], line[LINE_TEXT], text[TRAP_TEXT];
	struct line_place places[LINE_DEPTH];
	uint8_t code[CODE_BYTES];

	trap_text(f->vector, f->error, text);
	say_counted("%s%s%s\n", trap_name(f->vector), text[0] ? ": " : "", text);
	if (f->vector == TRAP_PF)
		say_address();
	say_counted("at 0x%016llx %s%s\n", (unsigned long long)f->rip, symbol_format(f->rip, place),
		    line_format(places, line_find(f->rip, places), line));
	if (peek(&subject.space, f->rip, code, sizeof(code)) != OK)
		return;
	say_counted("code:");
	for (size_t i = 0; i < sizeof(code); i++)
		say_counted(" %02x", code[i]);
	say_counted("\n");
}

static void say_what(void)
{
	char place[SYMBOL_TEXT], line[LINE_TEXT];
	struct line_place places[LINE_DEPTH];

	say_counted("\n================================ kernel panic ================================\n");
	if (explanation)
		say_counted("%s\n", explanation);
	if (subject.frame)
		say_exception();
	else
		say_counted("%s\nat 0x%016llx %s%s\n", subject.message, (unsigned long long)subject.caller,
			    symbol_format_return(subject.caller, place),
			    line_format(places, line_find(subject.caller - 1, places), line));
}

struct named_value {
	const char *name;
	uint64_t value;
};

/* Print named values, three to a line. */
static void say_values(const struct named_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say_counted(i % 3 == 2 || i + 1 == count ? "%s%-6s %016llx\n" : "%s%-6s %016llx", i % 3 ? "  " : " ",
			    values[i].name, (unsigned long long)values[i].value);
}

static void say_registers(void)
{
	const struct trap_frame *f = subject.frame;

	say_counted("\n");
	if (!f)
		return;
	const struct named_value values[] = {
		{ "RAX", f->rax }, { "RBX", f->rbx },       { "RCX", f->rcx }, { "RDX", f->rdx }, { "RSI", f->rsi },
		{ "RDI", f->rdi }, { "RBP", f->rbp },       { "RSP", f->rsp }, { "R8", f->r8 },   { "R9", f->r9 },
		{ "R10", f->r10 }, { "R11", f->r11 },       { "R12", f->r12 }, { "R13", f->r13 }, { "R14", f->r14 },
		{ "R15", f->r15 }, { "RFLAGS", f->rflags }, { "CS", f->cs },   { "SS", f->ss },   { "error", f->error },
	};

	say_values(values, sizeof(values) / sizeof(values[0]));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (value_text(values[i].value))
			say_counted(" %s: %s\n", values[i].name, value_text(values[i].value));
}

static void say_control_registers(void)
{
	const struct named_value values[] = {
		{ "CR0", cpu_read_cr0() },          { "CR2", subject.cr2 },
		{ "CR3", subject.space.root.raw },  { "CR4", cpu_read_cr4() },
		{ "EFER", cpu_read_msr(MSR_EFER) },
	};

	say_values(values, sizeof(values) / sizeof(values[0]));
}

/* Print the page-table walk of the address at which an access failed. */
static void say_walk(void)
{
	vaddr_t va = subject.cr2;
	struct mapping m;

	if (!subject.frame)
		return;
	if (subject.frame->vector == TRAP_DF) {
		/*
		 * #DF: the CPU could not push the first exception's frame. CR2 may still be of an earlier fault, so the
		 * address is computed from RSP.
		 */
		va = subject.at.rsp - 8;
		if (space_lookup(&subject.space, va, &m) == OK)
			return;
		say_counted("\nThe stack has run out: below RSP nothing is mapped.");
	} else if (subject.frame->vector != TRAP_PF) {
		return;
	}
	say_counted("\nwalk of 0x%016llx:\n", (unsigned long long)va);
	walk_print(say_counted, &subject.space, va);
}

static void say_backtrace(void)
{
	say_counted("\nbacktrace:\n");
	backtrace_print(say_counted, &subject.space, &subject.at, BACKTRACE_LINES);
}

static void say_task(void)
{
	panic_print_task(say_counted, subject.cr2);
}

/* Print the last lines of the log. Lines are cut rather than wrapped. */
static void say_log(void)
{
	size_t left = PAGE_LINES - END_LINES - 2, most;
	uint64_t end = log_end(), seq;
	static struct log_record record; /* static: the stack may be short */

	most = lines_said < left ? left - lines_said : 0;
	if (most < LOG_LINES_LEAST)
		most = LOG_LINES_LEAST;
	if (most > LOG_LINES_MOST)
		most = LOG_LINES_MOST;
	seq = end - log_first() > most ? end - most : log_first();
	say_counted("\nlast of the log:\n");
	for (; log_get(seq, &record); seq++)
		say_counted("[%5llu.%06llu] %.*s\n", (unsigned long long)record.ns / NS_PER_S,
			    (unsigned long long)record.ns / 1000 % 1000000,
			    record.size > LOG_TEXT_COLUMNS ? LOG_TEXT_COLUMNS : (int)record.size, record.text);
}

static void wait_seconds(long seconds)
{
	for (long i = 0; i < seconds; i++) {
		uint64_t start = cpu_rdtsc();

		while (cpu_rdtsc() - start < restart_frequency)
			cpu_pause();
	}
}

static void enter_debugger(void)
{
	if (debugger)
		debugger(subject.frame);
}

static void say_end(void)
{
	if (!restart_seconds) {
		say("\nThe machine is halted.\n");
		return;
	}
	if (restart_seconds > 0)
		say("\nRestarting in %ld s.\n", restart_seconds);
	wait_seconds(restart_seconds);
	power_restart();
}

static void (*const sections[])(void) = {
	freshen_terminals, say_what, say_registers, say_control_registers, say_walk,
	say_backtrace,     say_task, say_log,       enter_debugger,        say_end,
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/*
 * Print the sections that are left. An exception inside a section calls this function again, which goes on with the
 * next section.
 */
static __attribute__((noreturn)) void show_page(void)
{
	static size_t next;

	while (next < SECTIONS)
		sections[next++]();
	for (;;) {
		irq_close();
		cpu_halt();
	}
}

/*
 * Begin the page. The first call returns. Later calls come from exceptions in the page's own code: they print a line
 * about the exception, then show the sections that are left, and do not return. If printing that line is what faults,
 * calls would follow without end: so only SECTIONS such lines are tried.
 */
static void open_page(const char *what, uint64_t rip)
{
	static size_t opened;

	irq_close();
	lock_stop_checks();
	if (opened++ == 0) {
		cpu_calls_stop_others();
		screen_show_later(NULL);
		serial_end_queues();
		hvc_end_queue();
		return;
	}
	if (opened <= SECTIONS + 1)
		say("\n(%s at %#llx while showing this: the rest of it is left out)\n", what, (unsigned long long)rip);
	show_page();
}

static void show_trap(struct trap_frame *frame)
{
	open_page(trap_name(frame->vector), frame->rip);
	subject.frame = frame;
	subject.at = (struct backtrace_start){ frame->rip, frame->rsp, frame->rbp };
	subject.cr2 = cpu_read_cr2();
	subject.space = peek_space(frame->cr3);
	show_page();
}

static void show_panic(const char *format, va_list args)
{
	const uint64_t *frame = __builtin_frame_address(0);
	uint64_t cr3 = cpu_read_cr3();
	vaddr_t callers[2]; /* return addresses: in panic() itself, and in the function that called panic() */

	open_page("panic", (uintptr_t)__builtin_return_address(0));
	/* A trap's fatal handler starts with the kernel's page tables loaded; panic() may be called with others. */
	if (kernel_space.root.raw && (cr3 & PTE_ADDRESS) != kernel_space.root.raw)
		cpu_write_cr3(kernel_space.root.raw);
	subject.cr2 = cpu_read_cr2();
	subject.space = peek_space(cr3);
	subject.at = (struct backtrace_start){ frame[1], (uintptr_t)frame, frame[0] };
	if (peek_frames(&subject.space, (uintptr_t)frame, callers, 2) == 2)
		subject.caller = callers[1];
	/* Keep the bare format first: if formatting the arguments faults, at least the format is shown. */
	format_s(subject.message, sizeof(subject.message), "%s", format);
	format_v(subject.message, sizeof(subject.message), format, args);
	show_page();
}

void panic_page_init(void)
{
	trap_set_fatal(show_trap);
	panic_set_handler(show_panic);
}

void panic_page_set_debugger(void (*enter)(struct trap_frame *frame))
{
	debugger = enter;
}

void panic_page_set_restart(long seconds, uint64_t tsc_frequency)
{
	restart_seconds = seconds;
	restart_frequency = tsc_frequency ? tsc_frequency : TSC_FREQUENCY_MOST;
}

void panic_page_explain(const char *text)
{
	explanation = text;
}

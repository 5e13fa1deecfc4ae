/*
 * Stops the machine and talks to gdb until the machine continues. Runs on the stack of the trap, with interrupts off,
 * in the kernel context: the page tables that alone map all RAM. The stop may have interrupted any kernel code halfway:
 * so the stub takes no lock, and allocates memory only for pages of a program that has stopped in user mode.
 *
 * gdb_cpus.c stops the other CPUs, and lets one CPU at a time stop the machine.
 * Guard of all state here: the CPU that owns the stub (gdb_cpus_own); between stops, the CPU that handles the port's
 * interrupt.
 */
#include "kernel/gdb/gdb_stub.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_debug.h"
#include "kernel/arch/text_patch.h"
#include "kernel/dev/serial.h"
#include "kernel/gdb/gdb_breaks.h"
#include "kernel/gdb/gdb_cpus.h"
#include "kernel/gdb/gdb_line.h"
#include "kernel/gdb/gdb_port.h"
#include "kernel/gdb/gdb_threads.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/log.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"
#include "kernel/monitor/monitor.h"
#include "kernel/panic/panic_page.h"
#include "kernel/sync/open_section.h"
#include "kernel/task/find.h"

/* How many times to poll for the acknowledgement of a gdb that detaches: about a second. */
#define LOOKS_FOR_LAST_ACK 1000000

/* The most bytes taken in one interrupt: a port whose device was removed may report a byte for ever. */
#define MOST_BYTES 1024

/* Codes of instructions: INT3, and INT, whose operand is the vector. */
#define INT3 0xcc
#define INT  0xcd

static bool enabled;
static bool expected;     /* gdb waits for a stop reply */
static bool break_wanted; /* the next #BP in the kernel comes from break_now() */
static int break_signal;  /* the signal that gdb gets for that #BP */

static bool stepped;           /* the stub has executed the instruction to be stepped; the CPU need not */
static bool step_wanted;       /* the stub has set TF in step_task's flags, and waits for its #DB */
static struct task *step_task; /* the task that is stepped */
/* a task that still has TF set: the machine stopped for another reason before its step was done */
static const struct task *stale_task;

static SCRATCH struct gdb_session session;

/* ---- the functions of struct gdb_machine ---- */

static void send(const struct gdb_reply *reply)
{
	gdb_line_send(reply, 0);
}

static size_t read_memory(int64_t id, uint64_t va, void *to, size_t size)
{
	struct gdb_place place = gdb_threads_place(id);

	return gdb_memory_read(&place, va, to, size);
}

static size_t write_memory(int64_t id, uint64_t va, const void *from, size_t size)
{
	struct gdb_place place = gdb_threads_place(id);

	return gdb_memory_write(&place, va, from, size);
}

static bool insert(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size)
{
	struct gdb_place place = gdb_threads_place(id);

	return gdb_breaks_insert(&place, kind, va, size);
}

static bool remove(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size)
{
	struct gdb_place place = gdb_threads_place(id);

	return gdb_breaks_remove(&place, kind, va, size);
}

static bool step(int64_t id)
{
	stepped = id == gdb_threads_current() && gdb_threads_leave_kernel();
	if (stepped)
		return true;
	if (!gdb_threads_step(id))
		return false;
	step_wanted = true;
	step_task = gdb_threads_task(id);
	return true;
}

static void run_monitor(char *line, void (*print)(const char *text, size_t size))
{
	static const char refused[] =
		"A panic would end the stub itself: `continue`, and ask the kernel's own monitor.\n";
	static const char waits[] =
		"Another CPU is in the middle of a page fault, for whose end the audit would wait: `continue` first.\n";

	if (strncmp(line, "panic", 5) == 0) {
		print(refused, sizeof(refused) - 1);
		return;
	}
	if (strncmp(line, "audit", 5) == 0 && !open_sections_are_over()) {
		print(waits, sizeof(waits) - 1);
		return;
	}
	log_divert(print);
	monitor_execute(line);
	log_divert(NULL);
}

static const struct gdb_machine machine = {
	.current = gdb_threads_current,
	.alive = gdb_threads_alive,
	.threads = gdb_threads_visit,
	.get_registers = gdb_threads_get,
	.set_registers = gdb_threads_set,
	.read = read_memory,
	.write = write_memory,
	.insert = insert,
	.remove = remove,
	.step = step,
	.monitor = run_monitor,
	.send = send,
};

/* ---- a stop ---- */

static void talk(const struct gdb_stop *stop)
{
	enum gdb_next next = GDB_ANSWER;
	const struct gdb_packet *packet;

	gdb_session_stop(&session, stop);
	if (expected) {
		session.reply.length = 0;
		gdb_session_tell(&session);
		send(&session.reply);
	}
	while (next == GDB_ANSWER) {
		packet = gdb_line_receive();
		next = gdb_command(&session, packet->text, packet->length);
		if (next == GDB_ANSWER)
			send(&session.reply);
	}
	expected = next == GDB_RUN;
	if (next == GDB_DETACH)
		gdb_line_send(&session.reply, LOOKS_FOR_LAST_ACK);
	if (next != GDB_RUN)
		gdb_breaks_clear();
}

/* Stop the machine and talk to gdb. */
static NO_BREAK void stop_here(struct trap_frame *frame, const struct gdb_stop *stop)
{
	static const struct gdb_stop after_step = { .signal = GDB_SIGNAL_TRAP };
	const uint64_t cr3 = gdb_cpus_stop(frame);

	gdb_cpus_wait_for_step(NULL);
	if (step_wanted) {
		frame->rflags &= ~RFLAGS_TF;
		stale_task = step_task == task_current() ? NULL : step_task;
		step_wanted = false;
	}
	talk(stop);
	while (stepped) {
		stepped = false;
		gdb_cpus_find_quiet(frame);
		talk(&after_step);
	}
	if (gdb_breaks_stops_at(frame->rip))
		frame->rflags |= RFLAGS_RF;
	if (step_wanted && session.alone && step_task)
		gdb_cpus_wait_for_step(step_task->cpu);
	gdb_cpus_resume(cr3);
}

/* ---- the reasons of a stop ---- */

/* Return the memory of the process that the trap has interrupted; NULL when it has interrupted the kernel. */
static struct user_space *user_of(const struct trap_frame *frame)
{
	const struct task *task = task_current();

	return trap_from_user(frame) && task && task->process ? task->process->space : NULL;
}

/*
 * Handle an int3 that is none of the stub's breakpoints. With `copy`, a forked process has inherited it from its
 * parent: put the old byte back. Without it, another CPU's stop may have removed a breakpoint that this CPU had already
 * hit. In both cases the interrupted code goes on at that instruction. Returns false when the int3 is the program's
 * own, or the kernel's.
 */
static NO_BREAK bool pass_int3(struct trap_frame *frame, struct user_space *user, bool copy)
{
	/* The two bytes before RIP. If they cannot be read, these stand for an int3 of the program's own. */
	uint8_t code[2] = { 0, INT3 };
	struct gdb_place place;
	uint64_t cr3;

	if (!user) {
		if (!text_holds(frame->rip - 1, 1) || *(const uint8_t *)(frame->rip - 1) == INT3)
			return false;
		frame->rip--;
		return true;
	}
	cr3 = gdb_cpus_stop(frame);
	place = (struct gdb_place){ user->context.space, user };
	if (copy)
		gdb_breaks_heal(&place, frame->rip - 1);
	else
		(void)gdb_memory_read(&place, frame->rip - 2, code, sizeof(code));
	gdb_cpus_resume(cr3);
	if (!copy && (code[1] == INT3 || (code[0] == INT && code[1] == TRAP_BP)))
		return false;
	frame->rip--;
	return true;
}

/* Handle #BP. Call with DR7 cleared. Returns false when the int3 is not the stub's. */
static NO_BREAK bool breakpoint(struct trap_frame *frame)
{
	struct user_space *user = user_of(frame);
	struct gdb_stop stop = { .signal = GDB_SIGNAL_TRAP };
	enum gdb_int3 int3;
	bool passed;

	if (break_wanted && !trap_from_user(frame)) {
		break_wanted = false;
		stop.signal = break_signal;
		stop_here(frame, &stop);
		return true;
	}
	gdb_breaks_lift();
	int3 = gdb_breaks_int3(frame->rip - 1, user);
	if (int3 == GDB_INT3_OURS) {
		frame->rip--;
		stop.reason = "swbreak";
		stop_here(frame, &stop);
		return true;
	}
	passed = pass_int3(frame, user, int3 == GDB_INT3_COPY);
	gdb_breaks_set();
	return passed;
}

/* Handle #DB. Call with DR7 cleared and DR6 as the trap has left it. Returns false when the trap is not the stub's. */
static NO_BREAK bool debug_trap(struct trap_frame *frame)
{
	uint64_t dr6 = cpu_read_dr6();
	struct gdb_stop stop = { .signal = GDB_SIGNAL_TRAP };

	cpu_write_dr6(DR6_CLEAR);
	gdb_breaks_lift();
	if (gdb_breaks_watch_hit(dr6, &stop) || (dr6 & DR6_BS && step_wanted && step_task == task_current())) {
		stop_here(frame, &stop);
		return true;
	}
	/*
	 * TF is left over from a step: in the kernel, where only the stub steps, a PUSHF that was stepped has saved the
	 * flag and its POPF has loaded it; in a program, stale_task still has it. Clear TF and go on.
	 */
	if (dr6 & DR6_BS && (!trap_from_user(frame) || (stale_task && stale_task == task_current()))) {
		if (trap_from_user(frame))
			stale_task = NULL;
		frame->rflags &= ~RFLAGS_TF;
		gdb_breaks_set();
		return true;
	}
	/* DR6 reports a breakpoint that another CPU's stop has removed after this CPU had hit it: go on. */
	if (!(dr6 & DR6_BS) && dr6 & DR6_HITS) {
		gdb_breaks_set();
		return true;
	}
	/* The program itself has caused the trap: restore DR6 for its handler. */
	cpu_write_dr6(dr6);
	gdb_breaks_set();
	return false;
}

static NO_BREAK bool trapped(struct trap_frame *frame)
{
	bool known;

	/* A trap while this CPU owns the stub is a bug in the stub: let it become a panic. */
	if (gdb_cpus_is_owner())
		return false;
	cpu_write_dr7(DR7_CLEAR);
	gdb_threads_queue(frame);
	gdb_cpus_own();
	gdb_threads_queue(NULL);
	known = frame->vector == TRAP_BP ? breakpoint(frame) : debug_trap(frame);
	gdb_cpus_disown();
	return known;
}

/* Stop the machine here, for gdb, by an int3. */
static void break_now(int signal)
{
	break_signal = signal;
	break_wanted = true;
	cpu_breakpoint();
}

static int signal_of(uint64_t vector)
{
	switch (vector) {
	case TRAP_DE:
	case TRAP_MF:
	case TRAP_XM:
		return GDB_SIGNAL_FPE;
	case TRAP_UD:
		return GDB_SIGNAL_ILL;
	case TRAP_DB:
	case TRAP_BP:
		return GDB_SIGNAL_TRAP;
	default:
		return GDB_SIGNAL_SEGV;
	}
}

/* Called after a panic has been reported: stop the machine for gdb. frame: the trap that caused the panic, or NULL. */
static void panicked(struct trap_frame *frame)
{
	struct gdb_stop stop;

	if (gdb_cpus_is_owner())
		return;
	/*
	 * After a panic the other CPUs have stopped for good, one of them perhaps as the stub's owner: take that away.
	 */
	gdb_cpus_disown();
	if (!frame) {
		break_now(GDB_SIGNAL_ABRT);
		return;
	}
	say("\nWaiting for gdb.\n");
	stop = (struct gdb_stop){ .signal = signal_of(frame->vector) };
	cpu_write_dr7(DR7_CLEAR);
	gdb_cpus_own();
	stop_here(frame, &stop);
	gdb_cpus_disown();
}

/* Read what gdb sends while the machine runs, and stop for it. */
static NO_BREAK void port_interrupt(void *ctx)
{
	struct gdb_stop stop = { .signal = GDB_SIGNAL_INT };
	enum gdb_call call = GDB_CALL_NONE;
	int byte;

	(void)ctx;
	gdb_cpus_own();
	for (int bytes = 0; call == GDB_CALL_NONE && bytes < MOST_BYTES && (byte = gdb_port_read()) >= 0; bytes++)
		call = gdb_line_call((uint8_t)byte);
	if (call == GDB_CALL_PACKET)
		expected = false;
	if (call != GDB_CALL_NONE) {
		cpu_write_dr7(DR7_CLEAR);
		stop_here(irq_frame(), &stop);
	}
	gdb_cpus_disown();
}

/* ---- start ---- */

void gdb_stub_init(const char *cmdline)
{
	struct gdb_port_choice choice;
	char text[24];

	if (!cmdline_get(cmdline, "gdb", text, sizeof(text)))
		return;
	if (!gdb_port_parse(text, &choice)) {
		log_err("gdb=%s: not ttyS0 to ttyS3 with a baud rate that divides 115200\n", text);
		return;
	}
	if (serial_port(choice.number))
		log_info("gdb: on ttyS%u, which is no console from here on\n", choice.number);
	serial_leave(choice.number);
	if (!gdb_port_start(&choice)) {
		log_err("gdb=%s: there is no such port\n", text);
		return;
	}
	gdb_line_start();
	memset(&session, 0, sizeof(session));
	session.machine = &machine;
	enabled = true;
	trap_set_debugger(trapped);
	panic_page_set_debugger(panicked);
	log_info("gdb: on %s\n", text);
	if (cmdline_has(cmdline, "gdbwait")) {
		log_info("gdb: waiting\n");
		break_now(GDB_SIGNAL_TRAP);
	}
}

void gdb_stub_interrupts_on(void)
{
	uint32_t gsi;

	if (!enabled)
		return;
	if (irq_register_isa(gdb_port_isa(), port_interrupt, NULL, &gsi) != OK) {
		log_warn("gdb: its port has no interrupt of its own: Ctrl-C does not stop the machine\n");
		return;
	}
	gdb_port_interrupts_on();
	irq_enable(gsi);
}

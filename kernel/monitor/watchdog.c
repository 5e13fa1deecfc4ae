/*
 * The watchdog runs in the handler of a periodic NMI, which may have interrupted code that holds locks: so it allocates
 * nothing, and writes to the log only when the NMI has interrupted the HLT of an idle CPU, where no lock is held.
 *
 * A sign of life is what shows that the machine makes progress: the NMI has interrupted user mode, or progress_of()
 * returns another number than before, or the CPU has become idle or busy.
 */
#include "kernel/monitor/watchdog.h"

#include <stdarg.h>

#include "kernel/arch/cpu.h"
#include "kernel/arch/trap.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/irq/nmi_timer.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/context.h"
#include "kernel/monitor/monitor.h"
#include "kernel/panic/panic_page.h"
#include "kernel/report/cpu_where.h"
#include "kernel/report/task_report.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/sys/sys.h"
#include "kernel/task/find.h"
#include "kernel/task/run_queues.h"

#define HLT 0xf4

/* Defined in kernel/arch/kernel.ld. */
extern const uint8_t image_text[], image_text_end[];

static uint64_t limit;          /* longest time without a sign of life, in TSC ticks. Fixed after boot */
static long limit_seconds;      /* `limit` in seconds. Fixed after boot */
static uint64_t seen;           /* what progress_of() returned at the last sign of life. Guard: the NMI's handler */
static uint64_t seen_at;        /* the value of `ran` at the last sign of life. Guard: the NMI's handler */
static uint64_t monitor_rounds; /* calls of monitor_idle(). Guard: the monitor; read by the NMI's handler */
/*
 * ran: for how long the machine has run, in TSC ticks; ticked: the TSC at the last NMI. While gdb has stopped the
 * machine, or a hypervisor, no NMI is handled, and no time counts. Guard: the NMI's handler
 */
static uint64_t ran, ticked;

/*
 * What progress_of() returned for the CPU that holds the kernel lock, and the value of `ran` when that was new. Guard:
 * the NMI's handler
 */
static uint64_t holder_seen, holder_at;

/*
 * idle_since: whether the CPU was idle at seen_at. told: whether look_for_deadlock() has looked at the tasks since
 * then. Guard: the NMI's handler
 */
static bool idle_since, told;

/* Count a sign of life. The monitor calls this while it waits for input, when no task is switched to. */
static void monitor_idle(void)
{
	monitor_rounds++;
	cpu_pause();
}

/*
 * Return a number that changes whenever the CPU makes a system call or switches to another task, another CPU makes a
 * system call that takes the kernel lock, or the monitor finds no input.
 */
static uint64_t progress_of(const struct percpu *cpu)
{
	const struct task *task = cpu->current; /* NULL: there are no tasks yet */
	uint64_t sum = monitor_rounds + syscall_progress_of(cpu);

	if (task)
		sum += task->left[0] + task->left[1] + ((uint64_t)task->tid << 32);
	return sum;
}

/*
 * Return whether the NMI has interrupted a halt: then RIP is the address behind an HLT instruction.
 */
static bool is_idle(const struct trap_frame *frame)
{
	const uint8_t *next = (const uint8_t *)frame->rip;

	return next > image_text && next < image_text_end && next[-1] == HLT;
}

static bool waits_for_input(void *ctx, struct task *task)
{
	bool *found = ctx;

	*found |= report_waits_for_input(task);
	return !*found;
}

static __attribute__((format(printf, 1, 2))) void print_warning(const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	format_quoted_v(text, sizeof(text), format, args);
	va_end(args);
	log_formatted(LOG_WARN, text, strlen(text));
}

static bool print_where(void *ctx, struct task *task)
{
	if (task->state == TASK_BLOCKED)
		report_where(print_warning, task, ctx);
	return true;
}

/* Return whether any CPU runs a task, even one in user mode, where a CPU other than this gives no sign of life. */
static bool does_anybody_run(void)
{
	CPUS_EACH(cpu) {
		if (cpu->current != queues_of(cpu)->idle)
			return true;
	}
	return false;
}

/*
 * Log a deadlock. This CPU is idle; when also no other CPU runs a task, no timer is set and no task waits for input,
 * nothing will make a task runnable again. The tasks are visited only once after each sign of life, so that the log
 * gets one report. No CPU changes what is read here, since none runs a task.
 */
static void look_for_deadlock(const struct trap_frame *frame)
{
	struct backtrace_start here = { frame->rip, frame->rsp, frame->rbp };
	bool input = false;
	context_token_t token;

	if (told || !task_current() || does_anybody_run() || timer_next_ns() != UINT64_MAX)
		return;
	told = true;
	token = kernel_context_enter();
	task_visit(waits_for_input, &input);
	if (!input) {
		log_warn("watchdog: for %ld s no task could run, no timer is set and none waits for input: a "
			 "deadlock?\n",
			 limit_seconds);
		task_visit(print_where, &here);
	}
	kernel_context_leave(token);
}

/* Return another CPU that holds the kernel lock, or NULL. */
static const struct percpu *other_holder(void)
{
	const uint32_t holder = __atomic_load_n(&kernel_lock_holder, __ATOMIC_RELAXED);

	return holder && holder != this_cpu->number + 1 ? cpu_list[holder - 1] : NULL;
}

/*
 * Return whether another CPU has held the kernel lock for too long, with the same task and without a system call; if
 * so, the panic page will name that CPU. This CPU, to which the NMIs go, may be in user mode or idle meanwhile.
 */
static bool is_other_stuck(void)
{
	static char text[CPU_WHERE_TEXT + 64], where[CPU_WHERE_TEXT]; /* guard: the NMI's handler */
	const struct percpu *cpu = other_holder();
	const uint64_t now = cpu ? progress_of(cpu) + ((uint64_t)(cpu->number + 1) << 48) : 0;

	if (!cpu || now != holder_seen) {
		holder_seen = now;
		holder_at = ran;
		return false;
	}
	if (ran - holder_at < limit)
		return false;
	format_s(text, sizeof(text), "watchdog: CPU %u has been at one thing for too long: %s", cpu->number,
		 cpu_where(cpu, where));
	panic_page_explain(text);
	return true;
}

/* Count the time since the last NMI, of which there are 18 a second (nmi_timer.h): no more than a second. */
static void count_time(void)
{
	const uint64_t now = cpu_rdtsc(), passed = now - ticked, most = clock_tsc_frequency();

	ran += passed < most ? passed : most;
	ticked = now;
}

static bool tick(struct trap_frame *frame)
{
	uint64_t now = progress_of(per_cpu_pointer(percpu));
	bool idle = is_idle(frame);

	count_time();
	if (is_other_stuck())
		return false;

	if (trap_from_user(frame) || now != seen || idle != idle_since) {
		seen = now;
		seen_at = ran;
		idle_since = idle;
		told = false;
		return true;
	}
	/*
	 * While another CPU has the kernel lock, this CPU may be waiting for it: is_other_stuck() watches the other
	 * CPU.
	 */
	if (ran - seen_at < limit || other_holder())
		return true;
	if (idle) {
		look_for_deadlock(frame);
		return true;
	}
	panic_page_explain("watchdog: the kernel has been at one thing for too long");
	return false;
}

void watchdog_start(long seconds)
{
	limit_seconds = seconds;
	limit = (uint64_t)seconds * clock_tsc_frequency();
	ticked = cpu_rdtsc();
	cpu_calls_set_nmi(tick);
	monitor_set_idle(monitor_idle);
	if (nmi_timer_start() == OK)
		log_info("watchdog: after %ld s\n", seconds);
	else
		log_warn("watchdog: no I/O APIC that sends the timer's interrupt: there is none\n");
}

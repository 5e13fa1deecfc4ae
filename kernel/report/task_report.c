/*
 * Prints what kernel/task and kernel/sys count. Allocates nothing.
 */
#include "kernel/report/task_report.h"

#include "kernel/arch/switch.h"
#include "kernel/arch/trap.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/report/peek.h"
#include "kernel/sys/sys.h"
#include "kernel/task/find.h"

static char state_letter(const struct task *task)
{
	if (task == task_current())
		return '*';
	switch (task->state) {
	case TASK_NEW:
		return 'N';
	case TASK_RUNNABLE:
		return 'R';
	case TASK_BLOCKED:
		return 'S';
	case TASK_STOPPED:
		return 'T';
	case TASK_DEAD:
		return 'X';
	}
	return '?';
}

static bool print_task(void *ctx, struct task *task)
{
	print_fn *print = *(print_fn **)ctx;
	const struct process *process = task->process;
	const struct user_space *space = process ? process->space : NULL;
	unsigned long long ms = task_run_ns(task) / NS_PER_MS;

	print("%5d %5d  %c  %#14llx %10llu %8llu.%03llu  %s\n", task->tid, process ? process->pid : 0,
	      state_letter(task),
	      (unsigned long long)(space ? space->context.space.root.raw : kernel_context.space.root.raw),
	      (unsigned long long)(space ? space->resident_pages : 0), ms / 1000, ms % 1000, task->name);
	return true;
}

static bool print_zombie(void *ctx, struct process *process)
{
	print_fn *print = *(print_fn **)ctx;

	if (process->zombie)
		print("    - %5d  Z  ended with status %#x, not waited for\n", process->pid, (unsigned)process->status);
	return true;
}

void report_tasks(print_fn *print)
{
	print("  tid   pid  S        context      pages         CPU  name\n");
	task_visit(print_task, &print);
	process_visit(print_zombie, &print);
}

/* Return the number of the system call that a task is in; SYSCALL_TABLE when it is in none. */
static uint64_t call_of(const struct task *task)
{
	const struct trap_frame *frame = task_frame(task);

	return task->process && frame->vector == TRAP_SYSCALL && frame->error < SYSCALL_TABLE ? frame->error
											      : SYSCALL_TABLE;
}

bool report_waits_for_input(const struct task *task)
{
	static const char *const several[] = { "poll", "ppoll", "select", "pselect6" };
	uint64_t call = call_of(task);
	const struct file *file;

	if (task->state != TASK_BLOCKED || call == SYSCALL_TABLE)
		return false;
	for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++)
		if (strcmp(syscall_names[call], several[i]) == 0)
			return true;
	if (strcmp(syscall_names[call], "read") != 0 && strcmp(syscall_names[call], "readv") != 0)
		return false;
	file = fd_file_peek(task->process->fds, (int)task_frame(task)->rdi);
	return file && node_is(file->node, S_IFCHR);
}

void report_where(print_fn *print, const struct task *task, const struct backtrace_start *running)
{
	uint64_t call = call_of(task);
	struct backtrace_start start;
	struct switch_frame frame;

	print("task %d, %s, of process %d%s%s\n", task->tid, task->name, task->process ? task->process->pid : 0,
	      call < SYSCALL_TABLE ? ", in system call " : "", call < SYSCALL_TABLE ? syscall_names[call] : "");
	if (task != task_current() && peek(&kernel_space, task->sp, &frame, sizeof(frame)) == OK) {
		start = (struct backtrace_start){ frame.rip, task->sp + sizeof(frame), frame.rbp };
		running = &start;
	} else if (task != task_current()) {
		return;
	}
	if (running)
		backtrace_print(print, &kernel_space, running, BACKTRACE_MOST);
}

/*
 * Return whether `a` cost more than `b`: more ticks; if equal (as when none were counted), more CR3 writes, then
 * calls.
 */
static bool costs_more(const struct syscall_cost *a, const struct syscall_cost *b)
{
	if (a->ticks != b->ticks)
		return a->ticks > b->ticks;
	if (a->cr3_writes != b->cr3_writes)
		return a->cr3_writes > b->cr3_writes;
	return a->calls > b->calls;
}

/*
 * Return the number of the most expensive call whose bit in `done` is clear, and set *ret to its costs; -1 when none is
 * left.
 */
static int most_expensive(const uint64_t *done, struct syscall_cost *ret)
{
	int most = -1;

	for (int number = 0; number <= SYSCALL_TABLE; number++) {
		const struct syscall_cost cost = syscall_cost_of((unsigned)number);

		if (!cost.calls || done[number / 64] >> number % 64 & 1 || (most >= 0 && !costs_more(&cost, ret)))
			continue;
		most = number;
		*ret = cost;
	}
	return most;
}

void report_syscalls(print_fn *print)
{
	uint64_t done[SYSCALL_TABLE / 64 + 1] = { 0 };
	struct syscall_cost cost = { 0 };

	print("     calls  CR3 writes           ticks  per call  name\n");
	for (int number; (number = most_expensive(done, &cost)) >= 0; done[number / 64] |= 1ULL << number % 64) {
		print("%10llu  %10llu  %14llu  %8llu  %s\n", (unsigned long long)cost.calls,
		      (unsigned long long)cost.cr3_writes, (unsigned long long)cost.ticks,
		      (unsigned long long)(cost.ticks / cost.calls),
		      number < SYSCALL_TABLE ? syscall_names[number] : "(none of ours)");
	}
}

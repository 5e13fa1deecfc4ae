/*
 * Makes the files of /proc/PID about the state of a process or task: stat, statm, status, comm, limits. proc(5)
 * explains the fields.
 */
#include "kernel/fs/tty.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/format.h"
#include "kernel/sys/cpu_files.h"
#include "kernel/sys/proc.h"
#include "kernel/task/rights.h"
#include "kernel/task/tracee.h"

#define TICK_NS (NS_PER_S / 100) /* the unit of times in stat: 1 / USER_HZ s */

static char state_of(const struct proc_subject *subject)
{
	if (!subject->task)
		return 'Z';
	switch (subject->task->state) {
	case TASK_NEW:
	case TASK_RUNNABLE:
		return 'R';
	case TASK_BLOCKED:
		return 'S';
	case TASK_STOPPED:
		return ptrace_is_traced(subject->task) ? 't' : 'T';
	case TASK_DEAD:
		return 'X';
	}
	return '?';
}

static const char *name_of(const struct proc_subject *subject)
{
	return subject->task ? subject->task->name : subject->process->name;
}

/* Return what the subject's task has used, if the node shows that task alone; else what the whole process has used. */
static struct usage usage_of(const struct proc_subject *subject)
{
	return subject->single ? task_usage(subject->task) : process_usage(subject->process);
}

/* Get the masks of the signals that are ignored, and of those that have a handler. */
static void action_masks(const struct process *process, uint64_t *ret_ignored, uint64_t *ret_caught)
{
	*ret_ignored = *ret_caught = 0;
	for (int signal = 1; signal <= SIGNALS; signal++) {
		uint64_t handler = process->signals.actions[signal - 1].handler;

		if (handler != SIGNAL_DEFAULT)
			*(handler == SIGNAL_IGNORE ? ret_ignored : ret_caught) |= SIGNAL_BIT(signal);
	}
}

/* Add a blank and a number to the line of stat. */
static void put_number(struct text *text, uint64_t value)
{
	char *at = text_room(text, FORMAT_ROOM + 1);

	if (!at)
		return;
	*at = ' ';
	text_end(text, format_decimal(at + 1, value));
}

/* Add a blank and a number that may be negative to the line of stat. */
static void signed_number(struct text *text, int64_t value)
{
	if (value >= 0) {
		put_number(text, (uint64_t)value);
		return;
	}
	text_add_string(text, " -");
	text_add_number(text, -(uint64_t)value);
}

/* Add `count` fields that are 0, at most four. */
static void zeros(struct text *text, int count)
{
	char *at = text_room(text, 8);

	if (!at)
		return;
	while (count--) {
		*at++ = ' ';
		*at++ = '0';
	}
	text_end(text, at);
}

/* Add fields 1 to 9 of stat: numbers, name, state, parent, group, session and terminal. */
static void add_names(const struct proc_subject *subject, struct text *ret)
{
	const struct process *process = subject->process;

	text_add_number(ret, (unsigned)(subject->single ? subject->task->tid : process->pid));
	text_add_string(ret, " (");
	text_add_string(ret, name_of(subject));
	text_add_string(ret, ") ");
	text_add_char(ret, state_of(subject));
	put_number(ret, (unsigned)(process->parent ? process->parent->pid : 0));
	put_number(ret, (unsigned)process->group);
	put_number(ret, (unsigned)process->session);
	put_number(ret, process->tty ? process->tty->device.number : 0);
	signed_number(ret, process->tty ? process->tty->foreground : -1);
	zeros(ret, 1);
}

/*
 * Add fields 23 to 30 of stat: sizes and addresses of memory. add_more_places() adds fields 45 to 51. A program's
 * addresses are random so that nobody can guess them: a reader who may not look into the process gets 0.
 */
static void add_places(const struct process *process, const struct proc_memory *memory, struct text *ret)
{
	const bool shown = rights_may_look(process);

	put_number(ret, memory->pages * PAGE_SIZE);
	put_number(ret, memory->resident);
	put_number(ret, process->limits[LIMIT_RSS].soft);
	put_number(ret, shown ? memory->code_start : 0);
	put_number(ret, shown ? memory->code_end : 0);
	put_number(ret, shown ? process->args_start : 0);
	zeros(ret, 2);
}

static void add_more_places(const struct process *process, const struct proc_memory *memory, struct text *ret)
{
	if (!rights_may_look(process)) {
		zeros(ret, 4);
		zeros(ret, 3);
		return;
	}
	put_number(ret, memory->data_start);
	put_number(ret, memory->data_end);
	put_number(ret, process->space ? process->space->brk_start : 0);
	put_number(ret, process->args_start);
	put_number(ret, process->args_end);
	put_number(ret, process->env_start);
	put_number(ret, process->env_end);
}

/*
 * Return a task's priority as in proc(5): for a real-time task -1 less its priority, or a higher one that it was lent,
 * otherwise the nice value plus 20.
 */
static int priority_shown(const struct task_sched *sched)
{
	const int rank = sched_rank(sched);

	return rank < 0 ? rank - 1 : sched->nice - NICE_LEAST;
}

int proc_make_stat(struct node *node, struct text *ret)
{
	uint64_t ignored, caught;
	struct usage used;
	const struct process *process;
	HELD_SUBJECT struct proc_subject subject = { 0 };
	struct proc_memory memory;
	struct task_sched sched;
	const struct task *task;
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	process = subject.process;
	task = subject.task;
	sched = task ? task->sched : (struct task_sched){ 0 };
	memory = proc_measure(process);
	used = usage_of(&subject);
	action_masks(process, &ignored, &caught);
	add_names(&subject, ret);
	put_number(ret, used.faults);
	put_number(ret, process->children_used.faults);
	zeros(ret, 2);
	put_number(ret, used.user_ns / TICK_NS);
	put_number(ret, used.system_ns / TICK_NS);
	put_number(ret, process->children_used.user_ns / TICK_NS);
	put_number(ret, process->children_used.system_ns / TICK_NS);
	signed_number(ret, priority_shown(&sched));
	signed_number(ret, sched.nice);
	put_number(ret, process->task_count);
	zeros(ret, 1);
	put_number(ret, (subject.single ? task->start_ns : process->start_ns) / TICK_NS);
	add_places(process, &memory, ret);
	put_number(ret, task ? task->signals.set.pending & 0x7fffffff : 0);
	put_number(ret, task ? task->signals.blocked & 0x7fffffff : 0);
	put_number(ret, ignored & 0x7fffffff);
	put_number(ret, caught & 0x7fffffff);
	zeros(ret, 3);
	put_number(ret, (unsigned)process->exit_signal);
	zeros(ret, 1);
	put_number(ret, (unsigned)sched.rt_priority);
	put_number(ret, sched.policy);
	zeros(ret, 3);
	add_more_places(process, &memory, ret);
	put_number(ret, process->zombie ? (unsigned)process->status : 0);
	text_add_char(ret, '\n');
	return 0;
}

int proc_make_statm(struct node *node, struct text *ret)
{
	HELD_PROCESS struct process *process = proc_find_process(node);
	struct proc_memory memory;

	if (!process)
		return -ESRCH;
	memory = proc_measure(process);
	text_add_number(ret, memory.pages);
	put_number(ret, memory.resident);
	zeros(ret, 1);
	put_number(ret, memory.code);
	zeros(ret, 1);
	put_number(ret, memory.data + memory.stack);
	zeros(ret, 1);
	text_add_char(ret, '\n');
	return 0;
}

static void add_memory(const struct process *process, struct text *ret)
{
	struct proc_memory memory = proc_measure(process);
	const struct {
		const char *name;
		uint64_t pages;
	} lines[] = {
		{ "VmSize:\t", memory.pages },   { "VmLck:\t", memory.locked },  { "VmPin:\t", 0 },
		{ "VmRSS:\t", memory.resident }, { "VmData:\t", memory.data },   { "VmStk:\t", memory.stack },
		{ "VmExe:\t", memory.code },     { "VmLib:\t", memory.library }, { "VmSwap:\t", 0 },
	};

	if (!process->space)
		return;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		text_add_string(ret, lines[i].name);
		text_add_number_right(ret, lines[i].pages * (PAGE_SIZE / 1024), 8);
		text_add_string(ret, " kB\n");
	}
}

static void add_signals(const struct proc_subject *subject, struct text *ret)
{
	const struct process *process = subject->process;
	const struct task *task = subject->task;
	uint64_t ignored, caught;

	action_masks(process, &ignored, &caught);
	text_add_string(ret, "SigQ:\t");
	text_add_number(ret, process->signals.queued);
	text_add_line(ret, "/", process->limits[LIMIT_SIGPENDING].soft);
	proc_add_mask(ret, "SigPnd:\t", task ? task->signals.set.pending : 0);
	proc_add_mask(ret, "ShdPnd:\t", process->signals.set.pending);
	proc_add_mask(ret, "SigBlk:\t", task ? task->signals.blocked : 0);
	proc_add_mask(ret, "SigIgn:\t", ignored);
	proc_add_mask(ret, "SigCgt:\t", caught);
}

/* Add the CPUs on which a task may run; none if it has ended. */
static void add_cpus(const struct task *task, struct text *ret)
{
	const struct cpu_set none = { { 0 } }, *may = task ? &task->may : &none;

	text_add_string(ret, "Cpus_allowed:\t");
	cpu_files_add_mask(ret, may);
	text_add_string(ret, "Cpus_allowed_list:\t");
	cpu_files_add_list(ret, may);
	/* All memory is one node, in a mask as Linux has it for up to 64 nodes. */
	text_add_string(ret, "Mems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n");
}

static const char *state_words(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'S':
		return "S (sleeping)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	}
	return "X (dead)";
}

/* Return the pid of the process whose task traces `task`, which may be NULL; 0: no task traces it. */
static int tracer_of(const struct task *task)
{
	return task && ptrace_is_traced(task) ? task->tracing.tracee->tracer->process->pid : 0;
}

/* Add the lines of status up to the groups. */
static void add_status_before(const struct proc_subject *subject, const struct credentials *who, struct text *ret)
{
	const struct process *process = subject->process;

	text_add_string(ret, "Name:\t");
	text_add_string(ret, name_of(subject));
	text_add_char(ret, '\n');
	if (process->paths.root.node)
		text_add(ret, "Umask:\t%04o\n", process->paths.umask);
	text_add_string(ret, "State:\t");
	text_add_string(ret, state_words(state_of(subject)));
	text_add_line(ret, "\nTgid:\t", (unsigned)process->pid);
	text_add_line(ret, "Ngid:\t0\nPid:\t", (unsigned)(subject->single ? subject->task->tid : process->pid));
	text_add_line(ret, "PPid:\t", (unsigned)(process->parent ? process->parent->pid : 0));
	text_add_line(ret, "TracerPid:\t", (unsigned)tracer_of(subject->task));
	proc_add_ids(who, ret);
	text_add_line(ret, "FDSize:\t", process->fds ? process->fds->capacity : 0);
	text_add_string(ret, "Groups:\t");
}

/* Add the lines of status behind the groups. */
static void add_status_behind(const struct proc_subject *subject, const struct credentials *who, struct text *ret)
{
	const struct process *process = subject->process;
	const struct task *task = subject->task;

	add_memory(process, ret);
	text_add_line(ret, "Threads:\t", process->task_count ? process->task_count : 1);
	add_signals(subject, ret);
	proc_add_capabilities(who, ret);
	proc_add_seccomp(task, ret);
	add_cpus(task, ret);
	text_add_line(ret, "voluntary_ctxt_switches:\t", task ? task->left[0] : 0);
	text_add_line(ret, "nonvoluntary_ctxt_switches:\t", task ? task->left[1] : 0);
}

#define STATUS_MADE UINT64_MAX /* proc_more_status()'s place behind the last line */

/*
 * Make status, in one piece unless there are many groups. *place is 0 when the lines before the groups come next,
 * otherwise 1 plus the index of the group that comes next, or STATUS_MADE.
 */
int proc_more_status(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	HELD_CREDENTIALS const struct credentials *who = NULL;
	uint64_t group = *place ? *place - 1 : 0;
	int error;

	if (*place == STATUS_MADE)
		return 0;
	error = proc_find_subject(node, &subject);
	if (error)
		return error;
	who = proc_credentials_of(&subject);
	if (!*place)
		add_status_before(&subject, who, ret);
	if (!proc_add_groups(who, &group, enough, ret)) {
		*place = group + 1;
		return 0;
	}
	add_status_behind(&subject, who, ret);
	*place = STATUS_MADE;
	return 0;
}

int proc_make_comm(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (!error)
		text_add(ret, "%s\n", name_of(&subject));
	return error;
}

/*
 * Set a task's name from text, without the line end, cut like the name of prctl(PR_SET_NAME). Returns 0, -ESRCH, or
 * -EINVAL for a task of another process.
 */
int proc_take_comm(struct node *node, const char *bytes, size_t size)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	if (subject.process != process_current() || !subject.task)
		return -EINVAL;
	if (size && bytes[size - 1] == '\n')
		size--;
	format_s(subject.task->name, sizeof(subject.task->name), "%.*s", (int)size, bytes);
	return 0;
}

int proc_make_limits(struct node *node, struct text *ret)
{
	static const struct {
		const char *name, *unit;
	} limits[PROCESS_LIMITS] = {
		[LIMIT_CPU] = { "Max cpu time", "seconds" },
		[LIMIT_FSIZE] = { "Max file size", "bytes" },
		[LIMIT_DATA] = { "Max data size", "bytes" },
		[LIMIT_STACK] = { "Max stack size", "bytes" },
		[LIMIT_CORE] = { "Max core file size", "bytes" },
		[LIMIT_RSS] = { "Max resident set", "bytes" },
		[LIMIT_NPROC] = { "Max processes", "processes" },
		[LIMIT_NOFILE] = { "Max open files", "files" },
		[LIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[LIMIT_AS] = { "Max address space", "bytes" },
		[LIMIT_LOCKS] = { "Max file locks", "locks" },
		[LIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[LIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[LIMIT_NICE] = { "Max nice priority", "" },
		[LIMIT_RTPRIO] = { "Max realtime priority", "" },
		[LIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	text_add(ret, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < PROCESS_LIMITS; i++) {
		const uint64_t values[2] = { subject.process->limits[i].soft, subject.process->limits[i].hard };

		text_add(ret, "%-25s ", limits[i].name);
		for (int j = 0; j < 2; j++) {
			if (values[j] == LIMIT_NONE)
				text_add(ret, "%-20s ", "unlimited");
			else
				text_add(ret, "%-20llu ", (unsigned long long)values[j]);
		}
		if (*limits[i].unit)
			text_add(ret, "%-10s", limits[i].unit);
		text_add(ret, "\n");
	}
	return 0;
}

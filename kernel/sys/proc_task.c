/*
 * Files of /proc/PID about the state of a process or task: stat, statm, status, comm, limits. proc(5) explains the
 * fields.
 */
#include "kernel/fs/tty.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/format.h"
#include "kernel/sys/proc.h"

#define TICK_NS       (NS_PER_S / 100) /* the unit of times in stat: 1 / USER_HZ s */
#define ALL_ABILITIES 0x1ffffffffffULL /* root's capabilities, a bit for each */

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
		return 'T';
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

		if (handler == SIGNAL_IGNORE)
			*ret_ignored |= SIGNAL_BIT(signal);
		else if (handler != SIGNAL_DEFAULT)
			*ret_caught |= SIGNAL_BIT(signal);
	}
}

/* Add a blank and a number to the line of stat. */
static void number(struct text *text, uint64_t value)
{
	text_add(text, " %llu", (unsigned long long)value);
}

static void zeros(struct text *text, int count)
{
	while (count--)
		number(text, 0);
}

/* Add fields 23 to 30 of stat: sizes and addresses of memory. add_more_places() adds fields 45 to 51. */
static void add_places(const struct process *process, const struct proc_memory *memory, struct text *ret)
{
	number(ret, memory->pages * PAGE_SIZE);
	number(ret, memory->resident);
	number(ret, process->limits[LIMIT_RSS].soft);
	number(ret, memory->code_start);
	number(ret, memory->code_end);
	number(ret, process->args_start);
	zeros(ret, 2);
}

static void add_more_places(const struct process *process, const struct proc_memory *memory, struct text *ret)
{
	number(ret, memory->data_start);
	number(ret, memory->data_end);
	number(ret, process->space ? process->space->brk_start : 0);
	number(ret, process->args_start);
	number(ret, process->args_end);
	number(ret, process->env_start);
	number(ret, process->env_end);
}

/* Return a task's priority as in proc(5): -1 - rt_priority for a real-time task, otherwise the nice value plus 20. */
static int priority_shown(const struct task_sched *sched)
{
	return sched->rt_priority ? -1 - sched->rt_priority : sched->nice - NICE_LEAST;
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
	text_add(ret, "%d (%s) %c %d %d %d %d %d 0", subject.single ? task->tid : process->pid, name_of(&subject),
		 state_of(&subject), process->parent ? process->parent->pid : 0, process->group, process->session,
		 process->tty ? (int)process->tty->device.number : 0, process->tty ? process->tty->foreground : -1);
	number(ret, used.faults);
	number(ret, process->children_used.faults);
	zeros(ret, 2);
	number(ret, used.user_ns / TICK_NS);
	number(ret, used.system_ns / TICK_NS);
	number(ret, process->children_used.user_ns / TICK_NS);
	number(ret, process->children_used.system_ns / TICK_NS);
	text_add(ret, " %d %d %u 0", priority_shown(&sched), sched.nice, process->task_count);
	number(ret, (subject.single ? task->start_ns : process->start_ns) / TICK_NS);
	add_places(process, &memory, ret);
	number(ret, task ? task->signals.set.pending & 0x7fffffff : 0);
	number(ret, task ? task->signals.blocked & 0x7fffffff : 0);
	number(ret, ignored & 0x7fffffff);
	number(ret, caught & 0x7fffffff);
	zeros(ret, 3);
	number(ret, (unsigned)process->exit_signal);
	zeros(ret, 1);
	number(ret, (unsigned)sched.rt_priority);
	number(ret, sched.policy);
	zeros(ret, 3);
	add_more_places(process, &memory, ret);
	number(ret, process->zombie ? (unsigned)process->status : 0);
	text_add(ret, "\n");
	return 0;
}

int proc_make_statm(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	struct proc_memory memory;
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	memory = proc_measure(subject.process);
	text_add(ret, "%llu %llu 0 %llu 0 %llu 0\n", (unsigned long long)memory.pages,
		 (unsigned long long)memory.resident, (unsigned long long)memory.code,
		 (unsigned long long)(memory.data + memory.stack));
	return 0;
}

static void add_memory(const struct process *process, struct text *ret)
{
	struct proc_memory memory = proc_measure(process);
	const struct {
		const char *name;
		uint64_t pages;
	} lines[] = {
		{ "VmSize:", memory.pages }, { "VmRSS:", memory.resident }, { "VmData:", memory.data },
		{ "VmStk:", memory.stack },  { "VmExe:", memory.code },     { "VmLib:", memory.library },
	};

	if (!process->space)
		return;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		text_add(ret, "%s\t%8llu kB\n", lines[i].name,
			 (unsigned long long)(lines[i].pages * (PAGE_SIZE / 1024)));
}

static void add_signals(const struct proc_subject *subject, struct text *ret)
{
	const struct process *process = subject->process;
	const struct task *task = subject->task;
	uint64_t ignored, caught;

	action_masks(process, &ignored, &caught);
	text_add(ret, "SigQ:\t%u/%llu\n", process->signals.queued,
		 (unsigned long long)process->limits[LIMIT_SIGPENDING].soft);
	text_add(ret, "SigPnd:\t%016llx\n", (unsigned long long)(task ? task->signals.set.pending : 0));
	text_add(ret, "ShdPnd:\t%016llx\n", (unsigned long long)process->signals.set.pending);
	text_add(ret, "SigBlk:\t%016llx\n", (unsigned long long)(task ? task->signals.blocked : 0));
	text_add(ret, "SigIgn:\t%016llx\n", (unsigned long long)ignored);
	text_add(ret, "SigCgt:\t%016llx\n", (unsigned long long)caught);
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
	case 'Z':
		return "Z (zombie)";
	}
	return "X (dead)";
}

int proc_make_status(struct node *node, struct text *ret)
{
	static const char *const abilities[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	const struct process *process;
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	process = subject.process;
	text_add(ret, "Name:\t%s\n", name_of(&subject));
	if (process->paths.root)
		text_add(ret, "Umask:\t%04o\n", process->paths.umask);
	text_add(ret, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		 state_words(state_of(&subject)), process->pid, subject.single ? subject.task->tid : process->pid,
		 process->parent ? process->parent->pid : 0);
	text_add(ret, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%u\nGroups:\t \n",
		 process->fds ? process->fds->capacity : 0);
	add_memory(process, ret);
	text_add(ret, "Threads:\t%u\n", process->task_count ? process->task_count : 1);
	add_signals(&subject, ret);
	for (size_t i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++)
		text_add(ret, "%s:\t%016llx\n", abilities[i],
			 (unsigned long long)(i == 0 || i == 4 ? 0 : ALL_ABILITIES));
	text_add(ret, "NoNewPrivs:\t0\nSeccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n");
	text_add(ret, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		 (unsigned long long)(subject.task ? subject.task->left[0] : 0),
		 (unsigned long long)(subject.task ? subject.task->left[1] : 0));
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

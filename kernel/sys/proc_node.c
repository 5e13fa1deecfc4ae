/*
 * Makes, finds and frees the nodes (inodes) in the directories of processes and tasks; see proc_node.h.
 */
#include "kernel/sys/proc_node.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/rights.h"

#define LISTS 64

/* Hash table of all nodes that exist, by inode number. Guard: tasks only, which the kernel does not preempt. */
static struct proc_node *live[LISTS];

#define THREAD_NUMBER (1U << 22) /* a bit above all tids and pids, which marks a task's directory */

/*
 * Return a reference to the task whose data is shown for the whole process: its first task if that lives, otherwise any
 * of its tasks. NULL: all have ended.
 */
static struct task *main_task(const struct process *process)
{
	struct task *task = task_peek(process->pid);

	if (!task)
		task = process_any_task(process);
	return task ? task_get(task) : NULL;
}

int proc_find_subject(struct node *node, struct proc_subject *ret)
{
	const struct proc_node *about = proc_node(node);
	HELD_PROCESS struct process *process = process_find(about->pid);
	HELD_TASK struct task *task = NULL;

	if (!process || process->start_ns != about->process_start)
		return -ESRCH;
	task = about->tid ? task_find(about->tid) : main_task(process);
	if (about->tid && (!task || task->process != process || task->start_ns != about->task_start))
		return -ESRCH;
	*ret = (struct proc_subject){ process, task, about->tid };
	/* The references are in *ret now: clear the variables, so that the ends of their scopes do not drop them. */
	process = NULL;
	task = NULL;
	return 0;
}

struct process *proc_find_process(struct node *node)
{
	const struct proc_node *about = proc_node(node);
	const struct task *task = about->tid ? task_peek(about->tid) : NULL;
	struct process *process = process_peek(about->pid);

	if (!process || process->start_ns != about->process_start)
		return NULL;
	if (about->tid && (!task || task->process != process || task->start_ns != about->task_start))
		return NULL;
	return process_get(process);
}

int proc_find_space(struct node *node, struct process **ret_process, struct user_space **ret_space)
{
	struct process *process = proc_find_process(node);

	*ret_process = process;
	*ret_space = process && rights_may_look(process) ? process_get_space(process) : NULL;
	return process ? 0 : -ESRCH;
}

void proc_subject_put(struct proc_subject *subject)
{
	if (subject->process)
		process_put(subject->process);
	if (subject->task)
		task_put(subject->task);
}

uint64_t proc_number(int pid, int tid, const struct proc_file *file, int fd)
{
	unsigned which = file ? file->number + 1 : 0;

	/* For a task's node the tid is enough without the pid: no two processes have a task with the same tid. */
	return (uint64_t)(tid ? THREAD_NUMBER | (unsigned)tid : (unsigned)pid) << 28 | (uint64_t)which << 21 |
	       (unsigned)(fd + 1);
}

static struct proc_node **list_of(uint64_t number)
{
	return &live[(number >> 44 ^ number >> 21 ^ number) % LISTS];
}

static bool is_same(const struct proc_node *a, const struct proc_node *b)
{
	return a->node.fs == b->node.fs && a->node.number == b->node.number && a->process_start == b->process_start &&
	       a->task_start == b->task_start;
}

/*
 * Set a node's owner to the process's user; or to root, if others may not look into the process, except for directories
 * that all may read.
 */
static void set_owner(struct proc_node *about)
{
	HELD_PROCESS struct process *process = process_find(about->pid);
	HELD_CREDENTIALS const struct credentials *who = process ? rights_of_process(process) : NULL;
	const bool shown =
		about->node.mode == (S_IFDIR | 0555) || (process && process->rights.dumpable == DUMPABLE_USER);

	about->node.uid = who && shown ? who->uid.effective : 0;
	about->node.gid = who && shown ? who->gid.effective : 0;
}

int proc_node_get(struct node *dir, const struct proc_node *wanted, const struct node_ops *ops, uint32_t mode,
		  struct node **ret)
{
	uint64_t number = proc_number(wanted->pid, wanted->tid, wanted->file, wanted->fd);
	struct proc_node *made = kmalloc(sizeof(*made)), *found = *list_of(number);

	if (!made)
		return -ENOMEM;
	*made = *wanted;
	made->node = (struct node){ .fs = dir->fs, .number = number };
	while (found && !is_same(found, made))
		found = found->chain;
	if (found) {
		kfree(made);
		found->node.mode = mode;
		set_owner(found);
		*ret = node_get(&found->node);
		return 0;
	}
	node_init(&made->node, ops, dir->fs, mode);
	made->node.number = number;
	made->node.links = 1;
	if (node_is(&made->node, S_IFDIR))
		made->node.links = 2;
	made->node.parent = node_get(dir);
	made->chain = *list_of(number);
	*list_of(number) = made;
	set_owner(made);
	*ret = &made->node;
	return 0;
}

void proc_node_free(struct node *node)
{
	struct proc_node *freed = proc_node(node), **link = list_of(node->number);

	while (*link != freed)
		link = &(*link)->chain;
	*link = freed->chain;
	kfree(freed);
}

unsigned proc_fixed(const struct node *node)
{
	return ((const struct proc_node *)node)->file ? FIXED_MODE : FIXED_MODE | FIXED_OWNER | FIXED_TIMES;
}

int proc_place(struct node *node, struct node_place *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	const struct proc_node *named = proc_node(node);
	struct name name;

	if (proc_find_subject(node, &subject) != 0)
		return -ENOENT;
	if (named->fd >= 0)
		name = proc_number_name(named->fd);
	else if (named->file)
		name = named->file->name;
	else
		name = proc_number_name(named->tid ? named->tid : named->pid);
	*ret = (struct node_place){ .dir = node->parent, .name = name };
	return 0;
}

int proc_number_in(struct name name)
{
	int number = 0;

	if (!name.size || name.size > 7 || (name.text[0] == '0' && name.size > 1))
		return -1;
	for (size_t i = 0; i < name.size; i++) {
		if (name.text[i] < '0' || name.text[i] > '9')
			return -1;
		number = number * 10 + name.text[i] - '0';
	}
	return number;
}

struct name proc_number_name(int number)
{
	static char text[FORMAT_ROOM]; /* guard: tasks only, which the kernel does not preempt */

	return (struct name){ text, (size_t)(format_decimal(text, (unsigned)number) - text) };
}

int proc_refuse_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		       struct node **ret)
{
	(void)dir;
	(void)name;
	(void)mode;
	(void)device;
	(void)target;
	(void)ret;
	return -ENOENT;
}

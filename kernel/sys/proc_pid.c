/*
 * The directories of processes and tasks. Their nodes live only while somebody holds them, and know whom they are about by
 * number and start time: when that one has ended they lead nowhere, even if another has got the number since.
 */
#include "kernel/fs/path.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/sys/proc.h"

#define LISTS    64
#define PID_MOST 32768
#define DIR_MODE (S_IFDIR | 0555)

struct proc_node;

/* One name in such a directory. */
struct proc_file {
	const char *name;
	uint32_t mode;
	const struct node_ops *ops;
	text_make_fn *make; /* of a file */
	text_take_fn *take;
	struct node *(*target)(const struct proc_subject *subject); /* of a link; NULL: there is none */
	bool process_only;                                          /* not below task */
};

struct proc_node {
	struct node node; /* first */
	struct proc_node *chain;
	const struct proc_file *file; /* NULL: the directory of a process or a task */
	int pid;
	int tid; /* 0: about the whole process */
	int fd;  /* of a link in fd; else -1 */
	uint64_t process_start, task_start;
	struct text target; /* of a link, as it was read last */
};

static struct proc_node *live[LISTS];

static const struct node_ops directory_ops, tasks_ops, fds_ops, text_ops, link_ops;

static struct node *program_of(const struct proc_subject *subject);
static struct node *cwd_of(const struct proc_subject *subject);
static struct node *root_of(const struct proc_subject *subject);

#define TEXT_FILE(text, permissions, make_it, take_it)                                                          \
	{                                                                                                       \
		.name = (text), .mode = S_IFREG | (permissions), .ops = &text_ops, .make = proc_make_##make_it, \
		.take = (take_it)                                                                               \
	}
#define LINK(text, target_of)                                                                   \
	{                                                                                       \
		.name = (text), .mode = S_IFLNK | 0777, .ops = &link_ops, .target = (target_of) \
	}

static const struct proc_file files[] = {
	{ .name = "task", .mode = DIR_MODE, .ops = &tasks_ops, .process_only = true },
	{ .name = "fd", .mode = S_IFDIR | 0500, .ops = &fds_ops },
	LINK("cwd", cwd_of),
	LINK("root", root_of),
	LINK("exe", program_of),
	TEXT_FILE("stat", 0444, stat, NULL),
	TEXT_FILE("statm", 0444, statm, NULL),
	TEXT_FILE("status", 0444, status, NULL),
	TEXT_FILE("comm", 0644, comm, proc_take_comm),
	TEXT_FILE("cmdline", 0444, cmdline, NULL),
	TEXT_FILE("environ", 0400, environ, NULL),
	TEXT_FILE("maps", 0444, maps, NULL),
	TEXT_FILE("limits", 0444, limits, NULL),
	TEXT_FILE("mounts", 0444, mounts, NULL),
};

#define FILES (sizeof(files) / sizeof(files[0]))

static struct proc_node *proc_node(struct node *node)
{
	return (struct proc_node *)node;
}

/* ---- whom it is about ---- */

/* The task that stands for the process: the first one, while it lives. */
static struct task *main_task(const struct process *process)
{
	struct task *task = process->tasks;

	while (task && task->tid != process->pid)
		task = task->next_task;
	return task ? task : process->tasks;
}

int proc_find_subject(struct node *node, struct proc_subject *ret)
{
	const struct proc_node *about = proc_node(node);
	struct process *process = process_find(about->pid);
	struct task *task;

	if (!process || process->start_ns != about->process_start)
		return -ESRCH;
	task = about->tid ? task_find(about->tid) : main_task(process);
	if (about->tid && (!task || task->process != process || task->start_ns != about->task_start))
		return -ESRCH;
	*ret = (struct proc_subject){ .process = process, .task = task, .single = about->tid };
	return 0;
}

static struct node *program_of(const struct proc_subject *subject)
{
	return subject->process->program;
}

static struct node *cwd_of(const struct proc_subject *subject)
{
	return subject->process->paths.cwd;
}

static struct node *root_of(const struct proc_subject *subject)
{
	return subject->process->paths.root;
}

/* ---- nodes ---- */

/* The same for the same thing at any time, so that listings and nodes agree. Those of the fixed tree are small. */
static uint64_t number_of(int pid, int tid, const struct proc_file *file, int fd)
{
	uint64_t index = file ? (uint64_t)(file - files) + 1 : 0;

	return ((uint64_t)(unsigned)pid << 16 | (unsigned)tid) << 28 | index << 21 | (unsigned)(fd + 1);
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

/* The node for `wanted`, which has all but its node's own fields, in the directory `dir`; held. -ENOMEM. */
static int get_node(struct node *dir, const struct proc_node *wanted, uint32_t mode, struct node **ret)
{
	const struct node_ops *ops = wanted->fd >= 0 ? &link_ops : wanted->file ? wanted->file->ops : &directory_ops;
	uint64_t number = number_of(wanted->pid, wanted->tid, wanted->file, wanted->fd);
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
		*ret = node_get(&found->node);
		return 0;
	}
	node_init(&made->node, ops, dir->fs, mode);
	made->node.number = number;
	made->node.links = 1;
	if (node_is(&made->node, S_IFDIR)) {
		made->node.links = 2;
		made->node.parent = node_get(dir);
	} else {
		made->node.home = node_get(dir);
	}
	made->chain = *list_of(number);
	*list_of(number) = made;
	*ret = &made->node;
	return 0;
}

static void free_node(struct node *node)
{
	struct proc_node *freed = proc_node(node), **link = list_of(node->number);

	while (*link != freed)
		link = &(*link)->chain;
	*link = freed->chain;
	node_put(node->home);
	text_free(&freed->target);
	kfree(freed);
}

/* A name that is a number as the kernel writes it, or -1. */
static int number_in(struct name name)
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

/* The name of a number: good until the next call. */
static struct name name_of(int number)
{
	static char text[12];
	size_t at = sizeof(text);

	do
		text[--at] = (char)('0' + number % 10);
	while (number /= 10);
	return (struct name){ text + at, sizeof(text) - at };
}

/* ---- the root's part ---- */

int proc_lookup_pid(struct node *root, struct name name, struct node **ret)
{
	int pid = number_in(name);
	const struct process *process = pid > 0 ? process_find(pid) : NULL;
	struct proc_node wanted = { .pid = pid, .fd = -1 };

	if (!process)
		return -ENOENT;
	wanted.process_start = process->start_ns;
	return get_node(root, &wanted, DIR_MODE, ret);
}

int proc_next_pid(struct node *root, uint64_t *position, struct dir_entry *ret)
{
	uint64_t pid = *position - TEXT_FS_MORE;

	(void)root;
	while (pid < PID_MOST && !process_find((int)pid))
		pid++;
	if (pid >= PID_MOST)
		return 0;
	*ret = (struct dir_entry){ name_of((int)pid), number_of((int)pid, 0, NULL, -1), DIR_MODE };
	*position = TEXT_FS_MORE + pid + 1;
	return 1;
}

/* ---- the directory of a process or a task ---- */

static int lookup_file(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = *proc_node(dir);
	struct proc_subject subject;

	if (proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	wanted.target = (struct text){ 0 };
	for (size_t i = 0; i < FILES; i++) {
		if (strlen(files[i].name) != name.size || memcmp(files[i].name, name.text, name.size) != 0)
			continue;
		if (files[i].process_only && subject.single)
			break;
		wanted.file = &files[i];
		return get_node(dir, &wanted, files[i].mode, ret);
	}
	return -ENOENT;
}

static int next_file(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	const struct proc_node *about = proc_node(dir);
	uint64_t index = *position > 2 ? *position - 2 : 0;
	struct proc_subject subject;

	if (proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	while (index < FILES && files[index].process_only && subject.single)
		index++;
	if (index >= FILES)
		return 0;
	*ret = (struct dir_entry){ { files[index].name, strlen(files[index].name) },
				   number_of(about->pid, about->tid, &files[index], -1),
				   files[index].mode };
	*position = index + 3;
	return 1;
}

static const struct node_ops directory_ops = { .lookup = lookup_file, .next = next_file, .free = free_node };

/* ---- task ---- */

static int lookup_task(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = { .pid = proc_node(dir)->pid,
				    .tid = number_in(name),
				    .fd = -1,
				    .process_start = proc_node(dir)->process_start };
	const struct task *task = wanted.tid > 0 ? task_find(wanted.tid) : NULL;
	struct proc_subject subject;

	if (proc_find_subject(dir, &subject) != 0 || !task || task->process != subject.process)
		return -ENOENT;
	wanted.task_start = task->start_ns;
	return get_node(dir, &wanted, DIR_MODE, ret);
}

static int next_task(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	uint64_t least = *position > 2 ? *position - 2 : 0;
	const struct task *next = NULL;
	struct proc_subject subject;

	if (proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	for (const struct task *task = subject.process->tasks; task; task = task->next_task)
		if ((uint64_t)task->tid >= least && (!next || task->tid < next->tid))
			next = task;
	if (!next)
		return 0;
	*ret = (struct dir_entry){ name_of(next->tid), number_of(subject.process->pid, next->tid, NULL, -1), DIR_MODE };
	*position = (uint64_t)next->tid + 3;
	return 1;
}

static const struct node_ops tasks_ops = { .lookup = lookup_task, .next = next_task, .free = free_node };

/* ---- fd ---- */

static struct file *file_at(const struct proc_subject *subject, int fd)
{
	const struct fd_table *fds = subject->process->fds;

	return fds ? fd_file(fds, fd) : NULL;
}

static int lookup_fd(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = *proc_node(dir);
	struct proc_subject subject;
	const struct file *file;
	uint32_t mode = S_IFLNK;

	wanted.fd = number_in(name);
	wanted.target = (struct text){ 0 };
	if (wanted.fd < 0 || proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	file = file_at(&subject, wanted.fd);
	if (!file)
		return -ENOENT;
	mode |= file_reads(file) ? 0500 : 0;
	mode |= file_writes(file) ? 0300 : 0;
	return get_node(dir, &wanted, mode, ret);
}

static int next_fd(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	const struct proc_node *about = proc_node(dir);
	unsigned fd = *position > 2 ? (unsigned)(*position - 2) : 0;
	struct proc_subject subject;
	const struct fd_table *fds;

	if (proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	fds = subject.process->fds;
	while (fds && fd < fds->capacity && !fds->files[fd])
		fd++;
	if (!fds || fd >= fds->capacity)
		return 0;
	*ret = (struct dir_entry){ name_of((int)fd), number_of(about->pid, about->tid, about->file, (int)fd), S_IFLNK };
	*position = (uint64_t)fd + 3;
	return 1;
}

static const struct node_ops fds_ops = { .lookup = lookup_fd, .next = next_fd, .free = free_node };

/* ---- links and files ---- */

/* Held. -ENOENT. */
static int follow(struct node *node, struct node **ret)
{
	const struct proc_node *link = proc_node(node);
	struct proc_subject subject;
	struct node *target;

	if (proc_find_subject(node, &subject) != 0)
		return -ENOENT;
	if (link->fd >= 0) {
		const struct file *file = file_at(&subject, link->fd);

		target = file ? file->node : NULL;
	} else {
		target = link->file->target(&subject);
	}
	if (!target)
		return -ENOENT;
	*ret = node_get(target);
	return 0;
}

static int readlink(struct node *node, struct name *ret)
{
	struct proc_node *link = proc_node(node);
	char *path = kmalloc(PATH_MAX);
	struct node *target;
	size_t size = 0;
	int error = path ? follow(node, &target) : -ENOMEM;

	if (!error) {
		error = path_of_node(process_current()->paths.root, target, path, PATH_MAX, &size);
		node_put(target);
	}
	if (!error) {
		text_free(&link->target);
		text_add_bytes(&link->target, path, size - 1);
		error = link->target.lost ? -ENOMEM : 0;
	}
	kfree(path);
	if (error)
		return error == -ERANGE ? -ENAMETOOLONG : error;
	*ret = (struct name){ link->target.bytes, link->target.size };
	return 0;
}

static const struct node_ops link_ops = { .readlink = readlink, .follow = follow, .free = free_node };

static int open(struct node *node, struct file *file)
{
	const struct proc_file *opened = proc_node(node)->file;

	return text_file_open(file, opened->make, opened->take);
}

static int truncate(struct node *node, uint64_t size)
{
	(void)size;
	return proc_node(node)->file->take ? 0 : -EACCES;
}

static const struct node_ops text_ops = { .open = open, .truncate = truncate, .free = free_node };

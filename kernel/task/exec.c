/*
 * execve(2), and the start of the first process: finds the program's file, through the interpreters of scripts, and
 * changes the process from the old program to the new.
 */
#include "kernel/arch/fpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/fs/errno.h"
#include "kernel/fs/path.h"
#include "kernel/lib/elf.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/task/exec_internal.h"
#include "kernel/task/fd_work.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/space_work.h"

/* bytes of a file that are read to recognise it; all program headers must be among them */
#define START_SIZE 4096

/* How many scripts may follow one another as interpreters; and the most bytes of a script's first line (execve(2)). */
#define SCRIPTS_MAX     5
#define SCRIPT_LINE_MAX 255

/* The program's file and its parsed headers. */
struct program {
	struct file *file; /* a counted reference */
	struct elf_image elf;
};

/* The program's arguments, to which each script adds its interpreter: a list in the heap. */
struct arguments {
	const char **argv;
	size_t argc;
	size_t own; /* how many strings at the front scripts have added, in the heap; the others belong to the caller */
};

/*
 * Overwrite a string with zeros and free it, so that no argument stays in free memory. The loop finds the string's end
 * and writes the zeros at once; the stores are volatile, so that the compiler does not remove them.
 */
static void free_string(const char *string)
{
	for (volatile char *at = (char *)(uintptr_t)string; *at; at++)
		*at = 0;
	kfree((char *)(uintptr_t)string);
}

static void free_arguments(struct arguments *a)
{
	for (size_t i = 0; i < a->own; i++)
		free_string(a->argv[i]);
	kfree(a->argv);
}

/* List the arguments, with room for those that scripts add. Returns 0, -ENOMEM, or -EINTR when the task must end. */
static int list_arguments(const char *const *argv, struct arguments *ret)
{
	size_t count = 0;

	for (; argv[count]; count++)
		if (exec_give_way())
			return -EINTR;
	*ret = (struct arguments){ .argv = kzalloc((count + 1 + 2 * (SCRIPTS_MAX + 1)) * sizeof(char *)),
				   .argc = count };
	if (!ret->argv)
		return -ENOMEM;
	memcpy(ret->argv, argv, count * sizeof(char *));
	return 0;
}

/*
 * Replace argument 0 by `interpreter`, `option` if that is not NULL, and the script's path. Returns 0, or -ENOMEM with
 * the list as before.
 */
static int prepend(struct arguments *a, const char *interpreter, const char *option, const char *script)
{
	size_t more = option ? 2 : 1;
	char *first = copy_string(interpreter), *second = option ? copy_string(option) : NULL,
	     *path = copy_string(script);

	if (!first || !path || (option && !second)) {
		kfree(first);
		kfree(second);
		kfree(path);
		return -ENOMEM;
	}
	if (a->own)
		free_string(a->argv[0]);
	else
		a->own = 1;
	if (!a->argc)
		a->argc = 1;
	memmove(a->argv + 1 + more, a->argv + 1, (a->argc - 1) * sizeof(char *));
	a->argv[0] = first;
	if (option)
		a->argv[1] = second;
	a->argv[more] = path;
	a->argc += more;
	a->own += more;
	return 0;
}

static int open_program(const struct path_base *base, const char *path, struct file **ret)
{
	struct node *node;
	int error = path_lookup(base, path, PATH_FOLLOW, &node);

	if (error)
		return error;
	/* As on Linux, even root can only execute a file that somebody has the right to execute. */
	if (!node_is(node, S_IFREG) || !(node->mode & 0111) || node->fs->flags & MS_NOEXEC)
		error = -EACCES;
	else if (node->writers)
		error = -ETXTBSY;
	else
		error = file_open(node, O_RDONLY, ret);
	node_put(node);
	return error;
}

/* Read the file's first bytes. Returns how many, or -errno. */
static int64_t read_start(struct file *file, char *start)
{
	struct user_io io;

	user_io_init_kernel(&io, start, START_SIZE);
	return file_move(file, FILE_PREAD, &io, 0);
}

/* Split the line "#! interpreter [option]", in place. Returns false when it names no interpreter. */
static bool cut_script_line(char *start, size_t size, char **ret_interpreter, char **ret_option)
{
	char *end = start + 2, *last = start + (size < SCRIPT_LINE_MAX ? size : SCRIPT_LINE_MAX), *at;

	while (end < last && *end != '\n' && *end)
		end++;
	*end = '\0';
	while (end > start + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	for (at = start + 2; *at == ' ' || *at == '\t'; at++)
		;
	*ret_interpreter = at;
	while (*at && *at != ' ' && *at != '\t')
		at++;
	*ret_option = NULL;
	if (*at) {
		*at++ = '\0';
		while (*at == ' ' || *at == '\t')
			at++;
		*ret_option = at;
	}
	return **ret_interpreter != '\0';
}

/*
 * Try to execute the file *path. Returns 1 when it is an ELF program, which *ret describes; 0 when it is a script:
 * *path is then its interpreter, and `a` has the changed arguments; or a negative error number.
 */
static int try_file(const struct path_base *base, char **path, struct arguments *a, char *start, struct program *ret,
		    const char **ret_error)
{
	struct elf_error error = { "cannot be read", 0 };
	char *interpreter, *option, *next;
	int64_t have;
	int status;

	status = open_program(base, *path, &ret->file);
	if (status)
		return status;
	have = read_start(ret->file, start);
	if (have >= 2 && start[0] == '#' && start[1] == '!') {
		file_put(ret->file);
		start[have < START_SIZE ? have : START_SIZE] = '\0';
		if (!cut_script_line(start, (size_t)have, &interpreter, &option))
			return -ENOEXEC;
		next = copy_string(interpreter);
		status = next ? prepend(a, interpreter, option, *path) : -ENOMEM;
		if (status) {
			kfree(next);
			return status;
		}
		kfree(*path);
		*path = next;
		return 0;
	}
	status = have < 0 ? (int)have
			  : errno_of(elf_parse_program(start, (size_t)have, ret->file->node->size, 0, USER_END - 1,
						       &ret->elf, &error));
	if (status) {
		file_put(ret->file);
		*ret_error = error.what;
		return have < 0 ? status : -ENOEXEC;
	}
	return 1;
}

/*
 * Find the program of `path`, through the interpreters of scripts. Returns 0 with a reference in ret->file, or an
 * error; `a` may have changed then.
 */
static int find_program(const struct path_base *base, const char *path, struct arguments *a, struct program *ret,
			const char **ret_error)
{
	char *start = kmalloc(START_SIZE + 1), *at = copy_string(path);
	int result = start && at ? 0 : -ENOMEM;

	for (int i = 0; result == 0 && i <= SCRIPTS_MAX; i++)
		result = try_file(base, &at, a, start, ret, ret_error);
	kfree(start);
	kfree(at);
	if (result == 1)
		return 0;
	return result ? result : -ELOOP;
}

int exec_load(const struct path_base *base, const struct process_rlimit *limits, const char *path,
	      const char *const *argv, const char *const *envp, struct exec_image *ret, const char **ret_error)
{
	struct exec_strings strings = { .path = path, .envp = envp };
	struct program program;
	struct arguments a;
	int error;

	error = list_arguments(argv, &a);
	if (error)
		return error;
	error = find_program(base, path, &a, &program, ret_error);
	if (!error) {
		strings.argv = a.argv;
		error = node_run(program.file->node);
		if (!error) {
			error = exec_build(program.file, &program.elf, limits, &strings, ret);
			if (error)
				node_run_end(program.file->node);
			else
				ret->program = program.file->node;
		}
		file_put(program.file);
	}
	free_arguments(&a);
	return error;
}

/* Set user mode's registers for the first instruction of a program. */
static void set_frame(struct trap_frame *frame, const struct exec_image *image)
{
	*frame = (struct trap_frame){
		.error = frame->error, /* stays execve's number, for the statistics of system calls */
		.cr3 = image->space->context.space.root.raw,
		.rip = image->entry,
		.cs = SELECTOR_USER_CODE,
		.rflags = RFLAGS_CLEAR | RFLAGS_IF,
		.rsp = image->stack,
		.ss = SELECTOR_USER_DATA,
	};
}

/* Set the task's name, which `ps` shows, to the last component of the path. */
static void set_name(struct task *task, const char *path)
{
	const char *name = path;

	for (const char *at = path; *at; at++)
		if (*at == '/' && at[1])
			name = at + 1;
	format_s(task->name, sizeof(task->name), "%s", name);
}

/* Give the process the image's memory and program file, in place of those it has. */
static void take_image(struct process *process, const struct exec_image *image)
{
	(void)process_most_pages(process);
	process->space = image->space;
	process->args_start = image->args_start;
	process->args_end = image->args_end;
	process->env_start = image->env_start;
	process->env_end = image->env_end;
	node_run_end(process->program);
	process->program = image->program;
}

static void discard_image(struct exec_image *image)
{
	user_space_put(image->space);
	node_run_end(image->program);
}

/*
 * Load the new program; `path` is looked up from the process's root and working directory. Returns what exec_load()
 * returns; the log says what is wrong with a file that is no program.
 */
static int load(const struct process *process, const char *path, const char *const *argv, const char *const *envp,
		struct exec_image *ret)
{
	const struct path_base base = { node_get(process->paths.root), node_get(process->paths.cwd), exec_give_way };
	const struct task *task = task_current();
	const char *what = NULL;
	int error = exec_load(&base, process->limits, path, argv, envp, ret, &what);

	if (error && what)
		log_info("task %d (%s): %s cannot be executed: %s\n", task->tid, task->name, path, what);
	node_put(base.start);
	node_put(base.root);
	return error;
}

/* Make *ret the new program's descriptor table: a reference to the process's, or to a copy if others share it. */
static int own_files(const struct process *process, struct fd_table **ret)
{
	if (process->fds->refs > 1)
		return fd_work_copy(process->fds, ret);
	*ret = fd_table_get(process->fds);
	return 0;
}

/*
 * Prepare the process for the new program. The current task, which is the only one left, takes the pid as its tid: the
 * number that the process's first task had. The descriptor table becomes `fds`, and signal handlers and the like are
 * reset.
 */
static void end_old_program(struct task *task, struct fd_table *fds)
{
	struct process *process = task->process;

	if (task->tid != process->pid)
		task_set_tid(task, process->pid);
	fd_table_put(process->fds);
	process->fds = fds;
	fd_work_close(fds, 0, UINT32_MAX, FD_ON_EXEC);
	process_leave_program(task);
}

/* Reset the registers that are not in the trap frame: the FPU's, and the bases of FS and GS. */
static void start_registers(struct task *task)
{
	fpu_start(task->fpu);
	irq_close();
	fpu_restore(task->fpu);
	irq_open();
	task_set_fs_base(0);
	task_set_gs_base(0);
}

/* Give the task the new program's memory and registers, and wake a parent that waits in vfork(2). */
static void enter_new_program(struct task *task, const char *path, const struct exec_image *image)
{
	struct process *process = task->process;
	struct user_space *old = process->space;

	set_name(task, path);
	take_image(process, image);
	context_load(&process->space->context);
	space_shed(old);
	user_space_put(old);
	process_end_vfork(process);
	process->exit_signal = SIGCHLD; /* execve(2) resets the signal that clone(2) chose */
	start_registers(task);
	set_frame(task_frame(task), image);
	this_cpu->frame_changed = true;
}

int process_exec(const char *path, const char *const *argv, const char *const *envp)
{
	struct task *task = task_current();
	struct exec_image image;
	unsigned attempt = 0;
	struct fd_table *fds;
	int error;

	error = load(task->process, path, argv, envp, &image);
	if (error)
		return error;
	error = process_end_others();
	/* Until now the other tasks could change the descriptors. Without memory a process ends, perhaps this one. */
	while (!error && own_files(task->process, &fds) != 0)
		if (!out_of_memory(attempt++))
			error = -ENOMEM;
	if (error) {
		discard_image(&image);
		return error;
	}
	/* From here on nothing can fail. */
	end_old_program(task, fds);
	enter_new_program(task, path, &image);
	return 0;
}

/* Make `console` descriptors 0, 1 and 2. Returns 0, or an error with some of them open. */
static int open_console(struct fd_table *fds, struct file *console)
{
	for (int fd = 0; fd < 3; fd++) {
		int got = fd_install(fds, file_get(console), 0, 0);

		if (got < 0) {
			file_put(console);
			return got;
		}
	}
	return 0;
}

int process_start_init(struct node *root, struct file *console, const char *path, const char *const *argv,
		       const char *const *envp, const char **ret_error)
{
	const struct path_base base = { root, root, NULL };
	struct exec_image image = { 0 };
	struct process *process;
	struct task *task;
	int error;

	error = task_create("init", true, &task);
	if (error)
		return error;
	rights_begin_first(task);
	error = process_create(task->tid, NULL, NULL, &process);
	if (error)
		goto no_process;
	process->paths = (struct process_paths){ node_get(root), node_get(root), 022 };
	error = fd_table_create(&process->fds);
	if (error)
		goto no_files;
	error = open_console(process->fds, console);
	if (!error)
		error = exec_load(&base, process->limits, path, argv, envp, &image, ret_error);
	if (error)
		goto no_program;
	take_image(process, &image);
	set_name(task, path);
	process_add_task(process, task);
	process_set_init(process);
	task_frame(task)->error = 0;
	set_frame(task_frame(task), &image);
	task_start_user(task);
	return 0;

no_program:
	fd_table_put(process->fds);
no_files:
	process_forget(process);
no_process:
	task_destroy(task);
	return error;
}

/*
 * Does execve(2), which changes a process from the old program to the new, and starts the first process.
 */
#include "kernel/arch/fpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/fs/errno.h"
#include "kernel/fs/place.h"
#include "kernel/lib/format.h"
#include "kernel/task/exec_internal.h"
#include "kernel/task/fd_work.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/space_work.h"

/* Find the credentials with which the program runs, and make its memory. Returns 0, or an error with all undone. */
static int start_as(const struct credentials *who, const struct exec_program *program, uint64_t stack_limit,
		    const struct exec_strings *strings, struct exec_image *ret)
{
	int error = exec_rights(program->own.file, who, ret);

	if (error)
		return error;
	ret->program = program->own.file->node;
	error = exec_build(program, stack_limit, strings, ret);
	if (error)
		credentials_put(ret->who);
	return error;
}

int exec_load(const struct path_base *base, uint64_t stack_limit, const struct exec_request *request,
	      struct exec_image *ret, struct exec_refusal *refusal)
{
	struct exec_strings strings = { .path = request->path, .envp = request->envp };
	struct exec_program *program;
	struct exec_arguments a;
	struct node *node;
	int error;

	error = exec_arguments_list(request->argv, &a);
	if (error)
		return error;
	error = exec_find(base, request, &a, &program, refusal);
	if (!error) {
		strings.argv = a.argv;
		node = program->own.file->node;
		error = node_run(node);
		if (!error) {
			error = start_as(base->who, program, stack_limit, &strings, ret);
			if (error)
				node_run_end(node);
			else
				ret->program_mount = mount_get(program->own.file->mount);
		}
		exec_program_put(program);
	}
	exec_arguments_free(&a);
	return error;
}

/* Set user mode's registers for the first instruction of a program. */
static void set_frame(struct trap_frame *frame, const struct exec_image *image)
{
	*frame = (struct trap_frame){
		.error = frame->error, /* stays execve's number, for the statistics of system calls, and for tracers */
		.vector = frame->vector,
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
	process->aux_start = image->aux_start;
	process->aux_end = image->aux_end;
	node_run_end(process->program);
	mount_put(process->program_mount);
	process->program = image->program;
	process->program_mount = image->program_mount;
}

static void discard_image(struct exec_image *image)
{
	user_space_put(image->space);
	node_run_end(image->program);
	mount_put(image->program_mount);
	credentials_put(image->who);
}

/*
 * Load the new program; its path is looked up from the process's root and working directory. Returns what exec_load()
 * returns; the log says what is wrong with a file that cannot be started.
 */
static int load(const struct process *process, const struct exec_request *request, struct exec_image *ret)
{
	const struct path_base base = { place_get(process->paths.root), place_get(process->paths.cwd), rights_current(),
					exec_give_way };
	struct exec_refusal refusal;
	int error;

	refusal.text[0] = '\0';
	error = exec_load(&base, process->limits[LIMIT_STACK].soft, request, ret, &refusal);
	if (error && refusal.text[0])
		exec_refusal_log(&refusal, request->path);
	place_put(base.start);
	place_put(base.root);
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
	if (ptrace_is_traced(task))
		task->tracing.tracee->tid = process->pid;
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
	exec_take_rights(task, image);
	/* Free the old memory in pieces while it is still the process's: other tasks may run between two pieces. */
	space_shed(old);
	take_image(process, image);
	context_load(&kernel_context);
	user_space_put(old);
	context_load(&process->space->context);
	process_end_vfork(process);
	process->exit_signal = SIGCHLD; /* execve(2) resets the signal that clone(2) chose */
	start_registers(task);
	set_frame(task_frame(task), image);
}

int process_exec(const struct exec_request *request)
{
	struct task *task = task_current();
	const int old_tid = task->tid;
	struct exec_image image;
	unsigned attempt = 0;
	struct fd_table *fds;
	int error;

	error = load(task->process, request, &image);
	if (error)
		goto out;
	error = process_end_others();
	/*
	 * Now that the other tasks have ended nobody else changes the descriptors: copy them if they are shared. When
	 * memory is lacking, a process is killed, perhaps this one, and the copy is tried again.
	 */
	while (!error && own_files(task->process, &fds) != 0)
		if (!out_of_memory(attempt++))
			error = -ENOMEM;
	if (error) {
		discard_image(&image);
		goto out;
	}
	/* From here on nothing can fail. */
	end_old_program(task, fds);
	enter_new_program(task, request->path, &image);
	task->rights.gains = false;
	ptrace_exec(old_tid);
	return 0;

out:
	task->rights.gains = false;
	return error;
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

int process_start_init(const struct place *root, struct file *console, const struct exec_request *request,
		       struct exec_refusal *refusal)
{
	const struct path_base base = { *root, *root, &credentials_first, NULL };
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
	process->paths = (struct process_paths){ place_get(*root), place_get(*root), 022 };
	error = fd_table_create(&process->fds);
	if (error)
		goto no_files;
	error = open_console(process->fds, console);
	if (!error)
		error = exec_load(&base, process->limits[LIMIT_STACK].soft, request, &image, refusal);
	if (error)
		goto no_program;
	take_image(process, &image);
	credentials_put(image.who); /* those of root, which rights_begin_first() has given to the task already */
	set_name(task, request->path);
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
